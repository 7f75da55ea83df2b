//! WebSocket clients of the demo: one for each person, with its received frames.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::delivery::job::SocketTarget;
use domain::inbox::View;
use domain::recipient::{Recipient, Recipients};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use store::{Connections, Identity};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use cli::cloud::Cloud;
use cli::error::Error;
use cli::ticket;

use super::expectations::Room;

/// The longest wait for a reply of the gateway.
const TIMEOUT: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The sockets of all people. They close on drop.
pub(super) struct WsClients {
    frames: Arc<Mutex<Vec<Frame>>>,
    clients: Vec<Client>,
    _tasks: JoinSet<()>,
}

/// A connected user, with the tenant and rooms of the socket.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) user: String,
    tenant: Option<String>,
    rooms: BTreeSet<Room>,
}

/// A received frame, with its user.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) user: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) body: String,
    /// The rule.
    rule: String,
    /// The event's id, if the frame is a broadcast.
    event: String,
}

/// The frames so far, with the clients.
pub(super) struct Received {
    frames: Vec<Frame>,
    clients: Vec<Client>,
}

impl WsClients {
    /// Opens a socket for every person, and joins one of them to each room.
    ///
    /// # Errors
    /// A client cannot connect.
    pub(super) async fn open(
        cloud: &Cloud,
        url: &str,
        people: &Recipients,
        rooms: &BTreeSet<Room>,
    ) -> Result<WsClients, Error> {
        let connections = Connections::new(&store::client(&cloud.config), cloud.name("connections"));
        let mut clients: Vec<Client> = people.values().map(client).collect();
        for room in rooms {
            let member = clients.iter_mut().find(|client| client.tenant == room.0);
            if let Some(member) = member {
                member.rooms.insert(room.clone());
            }
        }
        let frames = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for client in &clients {
            let socket = connect(&connections, url, client).await?;
            tasks.spawn(listen(socket, client.user.clone(), Arc::clone(&frames)));
        }
        Ok(WsClients { frames, clients, _tasks: tasks })
    }

    /// The frames so far.
    pub(super) fn received(&self) -> Received {
        let frames = self.frames.lock().map(|frames| frames.clone()).unwrap_or_default();
        Received { frames, clients: self.clients.clone() }
    }
}

/// A client that acknowledges every notification. The socket closes on drop.
pub(super) struct Acknowledging(#[expect(dead_code, reason = "keeps the socket open")] JoinSet<()>);

impl Acknowledging {
    pub(super) async fn open(cloud: &Cloud, url: &str, user: &str) -> Result<Acknowledging, Error> {
        let connections = Connections::new(&store::client(&cloud.config), cloud.name("connections"));
        let client = Client { user: user.to_owned(), tenant: None, rooms: BTreeSet::new() };
        let socket = connect(&connections, url, &client).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(acknowledge(socket));
        Ok(Acknowledging(tasks))
    }
}

/// A client that only receives. The socket closes on drop.
pub(super) struct Listening {
    frames: Arc<Mutex<Vec<Frame>>>,
    _task: JoinSet<()>,
}

impl Listening {
    pub(super) async fn open(cloud: &Cloud, url: &str, user: &str, tenant: &str) -> Result<Listening, Error> {
        let connections = Connections::new(&store::client(&cloud.config), cloud.name("connections"));
        let tenant = Some(tenant.to_owned());
        let client = Client { user: user.to_owned(), tenant, rooms: BTreeSet::new() };
        let socket = connect(&connections, url, &client).await?;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let mut task = JoinSet::new();
        task.spawn(listen(socket, client.user, Arc::clone(&frames)));
        Ok(Listening { frames, _task: task })
    }

    /// The number of frames with this id.
    pub(super) fn count(&self, id: &str) -> usize {
        self.frames
            .lock()
            .map(|frames| frames.iter().filter(|frame| frame.id == id).count())
            .unwrap_or_default()
    }
}

async fn acknowledge(mut socket: Socket) {
    while let Some(Ok(message)) = socket.next().await {
        let Ok(value) = serde_json::from_str::<Value>(&message.to_string()) else { continue };
        let Some(id) = value["id"].as_str().filter(|_| value["type"] == "notification") else { continue };
        // The ledger row is settled after the frame was sent, so it may not exist yet.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let request = json!({ "action": "acknowledge", "ids": [id] }).to_string();
        if socket.send(Message::text(request)).await.is_err() {
            return;
        }
    }
}

impl Received {
    /// The frames of one notification.
    pub(super) fn of(&self, id: &str) -> Vec<&Frame> {
        self.frames.iter().filter(|frame| frame.id == id).collect()
    }

    /// The users who received a broadcast of a rule.
    pub(super) fn of_broadcast(&self, event: &str, rule: &str) -> BTreeSet<&str> {
        let frames = self.frames.iter().filter(|frame| frame.event == event && frame.rule == rule);
        frames.map(|frame| frame.user.as_str()).collect()
    }

    /// The users who should receive a message, each once.
    pub(super) fn expected(&self, target: &SocketTarget, tenant: Option<&str>) -> Vec<&str> {
        let receives = |client: &&Client| match target {
            SocketTarget::User(user) => client.user == *user,
            SocketTarget::Room(room) => client.rooms.contains(&(tenant.map(str::to_owned), room.clone())),
        };
        self.clients.iter().filter(receives).map(|client| client.user.as_str()).collect()
    }
}

/// The client of a person. A person of one tenant gets a socket for that tenant, and receives messages without a tenant, too.
fn client(person: &Recipient) -> Client {
    let tenant = person.tenants.first().filter(|tenant| person.is_only_of(tenant));
    Client { user: person.id.clone(), tenant: tenant.cloned(), rooms: BTreeSet::new() }
}

async fn connect(connections: &Connections, url: &str, client: &Client) -> Result<Socket, Error> {
    let rooms = client.rooms.iter().map(|(_, room)| room.clone()).collect();
    let view = View::own(client.tenant.clone());
    let identity = Identity { user: client.user.clone(), view, rooms, until: None };
    let ticket = ticket::issue(connections, identity).await?;
    let failed = |why: String| Error::Cloud(format!("{} cannot connect: {why}", client.user));
    let connecting = tokio_tungstenite::connect_async(format!("{url}?ticket={ticket}"));
    let (mut socket, _) = tokio::time::timeout(TIMEOUT, connecting)
        .await
        .map_err(|_| failed("no answer".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    for (_, room) in &client.rooms {
        let request = json!({ "action": "subscribe", "room": room }).to_string();
        socket.send(Message::text(request)).await.map_err(|error| failed(error.to_string()))?;
        let answer = tokio::time::timeout(TIMEOUT, socket.next()).await;
        let answer =
            answer.ok().flatten().and_then(Result::ok).map(|message| message.to_string()).unwrap_or_default();
        let answer: Value = serde_json::from_str(&answer).unwrap_or(answer.into());
        if answer != json!({ "type": "subscribed", "room": room }) {
            return Err(failed(format!("subscribe to {room} was answered by {answer}")));
        }
    }
    Ok(socket)
}

async fn listen(mut socket: Socket, user: String, frames: Arc<Mutex<Vec<Frame>>>) {
    while let Some(Ok(message)) = socket.next().await {
        let Ok(value) = serde_json::from_str::<Value>(&message.to_string()) else { continue };
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let event = value["event"]["id"].as_str().filter(|_| value["type"] == "event");
        let frame = Frame {
            user: user.clone(),
            id: text("id"),
            title: text("title"),
            body: text("body"),
            rule: text("rule"),
            event: event.unwrap_or_default().to_owned(),
        };
        if let Ok(mut frames) = frames.lock() {
            frames.push(frame);
        }
    }
}
