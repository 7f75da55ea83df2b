// The inbox of one user: live messages, the list, the unread count and marks.
import { Connection } from './connection.js';

const STATES = {
  connecting: () => 'Connecting …',
  open: () => 'Connected',
  waiting: (seconds) => `Not connected. Next attempt in ${seconds} s`,
  refused: () => 'The token was refused. Sign in again',
  replaced: () => 'Another window uses this inbox. Reload to use it here',
};
const PAGE = 20;

const of = (id) => document.getElementById(id);
// The messages by id, each with its entry and its list item. A resend has the id of the first message.
const messages = new Map();
const unseen = new Set();
let connection = null;
let newest = null;
let next = null;

const listeners = {
  state(name, seconds) {
    of('state').dataset.state = name;
    of('state').textContent = STATES[name](seconds);
    if (name === 'refused') show({ signIn: true });
  },
  // After a reconnect only the messages since the last one are asked for.
  open() {
    show({ signIn: false });
    connection.send(newest ? { action: 'resume', after: newest } : { action: 'inbox', limit: PAGE });
  },
  frame(message) {
    if (message.inbox) count(message.inbox);
    if (message.counts) count(message.counts);
    FRAMES[message.type]?.(message);
  },
};

// Frames of other types are ignored.
const FRAMES = {
  notification(message) {
    // Ephemeral messages and messages to rooms have no `inbox` and cannot be marked.
    const isNew = !messages.has(message.id);
    if (message.inbox) newest = message.id;
    add({ ...message, time: message.event.time, state: message.inbox ? 'unseen' : 'read' });
    if (isNew) of('announcement').textContent = `New message: ${message.title}`;
  },
  inbox(page) {
    if (!newest && page.entries.length > 0) newest = page.entries[0].id;
    page.entries.forEach(add);
    next = page.next ?? null;
    of('older').hidden = next === null;
    of('empty').hidden = messages.size > 0;
  },
  missed(page) {
    page.entries.forEach(add);
    if (page.entries.length > 0) newest = page.entries.at(-1).id;
    if (page.more) connection.send({ action: 'resume', after: newest });
  },
  counts: count,
  marked(answer) {
    if (answer.as !== 'read') return;
    for (const { id, state } of answer.entries ?? []) setState(id, state);
    if (answer.count !== undefined) {
      for (const id of messages.keys()) setState(id, 'read');
      if (answer.more) connection.send({ action: 'mark', as: 'read', all: true });
    }
  },
  error(answer) {
    if (answer.reason !== 'unknown_id') return;
    newest = null;
    connection.send({ action: 'inbox', limit: PAGE });
  },
};

function show({ signIn }) {
  of('sign-in').hidden = !signIn;
  of('inbox').hidden = signIn;
}

function count({ unread }) {
  if (unread === undefined) return;
  of('unread').hidden = unread === 0;
  of('unread').textContent = unread > 99 ? '99+' : unread;
  of('unread').setAttribute('aria-label', `${unread} unread`);
  of('mark-all').hidden = unread === 0;
  document.title = unread === 0 ? 'Inbox' : `(${unread}) Inbox`;
}

// Adds an entry to the list, which has the newest event first. Texts are set as text, never as HTML.
function add(entry) {
  if (messages.has(entry.id)) return;
  const item = of('message').content.firstElementChild.cloneNode(true);
  item.dataset.time = entry.time;
  item.querySelector('h3').textContent = entry.title;
  item.querySelector('.body').textContent = entry.body;
  const time = item.querySelector('time');
  time.dateTime = entry.time;
  time.textContent = new Date(entry.time).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  const priority = item.querySelector('.priority');
  priority.hidden = !['high', 'critical'].includes(entry.priority);
  priority.textContent = entry.priority === 'critical' ? 'Critical' : 'Important';
  const button = item.querySelector('button');
  button.setAttribute('aria-label', `Mark as read: ${entry.title}`);
  button.onclick = () => connection.send({ action: 'mark', as: 'read', ids: [entry.id] });
  messages.set(entry.id, item);
  const list = of('messages');
  const isOlder = (other) => Date.parse(other.dataset.time) < Date.parse(entry.time);
  list.insertBefore(item, [...list.children].find(isOlder) ?? null);
  of('empty').hidden = true;
  setState(entry.id, entry.state);
  if (entry.state === 'unseen') unseen.add(entry.id);
  markSeen();
}

function setState(id, state) {
  const item = messages.get(id);
  if (!item) return;
  const isUnread = state === 'unseen' || state === 'seen';
  item.classList.toggle('unread', isUnread);
  const button = item.querySelector('button');
  // A hidden button would lose the focus to the top of the page.
  if (!isUnread && button === document.activeElement) (nextButton(item) ?? of('mark-all')).focus();
  button.hidden = !isUnread;
}

function nextButton(item) {
  return item.nextElementSibling?.querySelector('button:not([hidden])');
}

// Messages count as seen when the page is visible. One call marks at most 100.
let seenTimer = 0;
function markSeen() {
  clearTimeout(seenTimer);
  seenTimer = setTimeout(() => {
    const ids = [...unseen].slice(0, 100);
    if (document.hidden || ids.length === 0 || !connection.send({ action: 'seen', ids })) return;
    ids.forEach((id) => unseen.delete(id));
    if (unseen.size > 0) markSeen();
  }, 1_000);
}
document.addEventListener('visibilitychange', markSeen);

of('mark-all').onclick = () => connection.send({ action: 'mark', as: 'read', all: true });
of('older').onclick = () => connection.send({ action: 'inbox', limit: PAGE, before: next });
of('sign-in').onsubmit = (submitted) => {
  submitted.preventDefault();
  const { api, token } = Object.fromEntries(new FormData(submitted.target));
  start(api, token);
};

function start(api, token) {
  connection = new Connection(api, () => token, listeners);
  connection.connect();
}

// A page of your own knows the user's session and passes both values. Here the fragment of the address can have them:
// browsers do not send it to servers.
const given = new URLSearchParams(location.hash.slice(1));
if (given.has('api') && given.has('token')) {
  history.replaceState(null, '', location.pathname);
  start(given.get('api'), given.get('token'));
}
