// A WebSocket to Carillon that reconnects: a new ticket for each connection, and a pause that grows with every failure.

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
// API Gateway closes a socket after ten idle minutes.
const PING_MS = 5 * 60_000;

export class Connection {
  #api;
  #token;
  #listeners;
  #socket = null;
  #failures = 0;
  #timer = 0;
  #isReplaced = false;
  #isOverRate = false;

  // `token` returns the user's present token. `listeners` has `state(name, seconds)`, `open()` and `frame(message)`.
  constructor(api, token, listeners) {
    this.#api = api.replace(/\/+$/, '');
    this.#token = token;
    this.#listeners = listeners;
    addEventListener('online', () => this.#retryNow());
    setInterval(() => this.send({ action: 'ping' }), PING_MS);
  }

  async connect() {
    this.#listeners.state('connecting');
    let url;
    try {
      url = await this.#ticketUrl();
    } catch (error) {
      if (error.isFinal) this.#listeners.state('refused');
      else this.#wait();
      return;
    }
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#failures = 0;
      this.#listeners.state('open');
      this.#listeners.open();
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'bye') {
        this.#isReplaced = message.reason === 'replaced';
        this.#isOverRate = message.reason === 'rate';
      }
      this.#listeners.frame(message);
    };
    socket.onclose = () => {
      if (this.#isReplaced) this.#listeners.state('replaced');
      else this.#wait();
    };
  }

  // Sends an action. Returns false if no socket is open.
  send(action) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(action));
    return true;
  }

  // Gets a ticket, which opens one socket within 30 seconds.
  async #ticketUrl() {
    const answer = await fetch(`${this.#api}/v1/tickets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token()}`, 'content-type': 'application/json' },
      body: '{}',
    });
    if (answer.ok) return (await answer.json()).url;
    const error = new Error(`no ticket: ${answer.status}`);
    // A token that is refused once is refused again. 429 and errors of the server pass.
    error.isFinal = [400, 401, 403, 404].includes(answer.status);
    throw error;
  }

  // The pause is random between the half and the whole, so that clients do not come back all at once.
  #wait() {
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    const pause = this.#isOverRate ? LONGEST_PAUSE_MS : longest / 2 + (Math.random() * longest) / 2;
    this.#isOverRate = false;
    this.#failures += 1;
    this.#listeners.state('waiting', Math.ceil(pause / 1_000));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.connect();
    }, pause);
  }

  #retryNow() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.connect();
  }
}
