//! Real WebSocket clients, one for everybody in the cast, and what they hear.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::inbox::View;
use domain::job::SocketTarget;
use domain::recipient::{Recipient, Recipients};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use store::{Connections, Identity};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::cloud::Cloud;
use crate::error::Error;
use crate::ticket;

use super::story::Room;

/// How long a reply of the gateway may take.
const TO_ANSWER: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Everybody's socket. They close when this is dropped.
pub(super) struct Ears {
    frames: Arc<Mutex<Vec<Frame>>>,
    listeners: Vec<Listener>,
    _tasks: JoinSet<()>,
}

/// Who is listening to what.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) user: String,
    tenant: Option<String>,
    rooms: BTreeSet<Room>,
}

/// A frame as it was received, and by whom.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) user: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) body: String,
    /// The rule, and the id of the event where the frame is a broadcast.
    rule: String,
    event: String,
}

/// What was heard by the time somebody asks.
pub(super) struct Heard {
    frames: Vec<Frame>,
    listeners: Vec<Listener>,
}

impl Ears {
    /// Opens a socket for everybody and lets each room have somebody in it.
    pub(super) async fn open(
        cloud: &Cloud,
        url: &str,
        cast: &Recipients,
        rooms: &BTreeSet<Room>,
    ) -> Result<Ears, Error> {
        let connections = Connections::new(&store::client(&cloud.config), cloud.name("connections"));
        let mut listeners: Vec<Listener> = cast.values().map(listener).collect();
        for room in rooms {
            let member = listeners.iter_mut().find(|listener| listener.tenant == room.0);
            if let Some(member) = member {
                member.rooms.insert(room.clone());
            }
        }
        let frames = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for listener in &listeners {
            let socket = connect(&connections, url, listener).await?;
            tasks.spawn(listen(socket, listener.user.clone(), Arc::clone(&frames)));
        }
        Ok(Ears { frames, listeners, _tasks: tasks })
    }

    pub(super) fn frames(&self) -> Heard {
        let frames = self.frames.lock().map(|frame| frame.clone()).unwrap_or_default();
        Heard { frames, listeners: self.listeners.clone() }
    }
}

/// A socket of somebody who acknowledges whatever they hear. It closes when this is dropped.
pub(super) struct Acknowledging(#[expect(dead_code, reason = "it is kept open")] JoinSet<()>);

impl Acknowledging {
    pub(super) async fn open(cloud: &Cloud, url: &str, user: &str) -> Result<Acknowledging, Error> {
        let connections = Connections::new(&store::client(&cloud.config), cloud.name("connections"));
        let listener = Listener { user: user.to_owned(), tenant: None, rooms: BTreeSet::new() };
        let socket = connect(&connections, url, &listener).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(acknowledge(socket));
        Ok(Acknowledging(tasks))
    }
}

/// A socket of one person who only listens. It closes when this is dropped.
pub(super) struct Listening {
    frames: Arc<Mutex<Vec<Frame>>>,
    _task: JoinSet<()>,
}

impl Listening {
    pub(super) async fn open(cloud: &Cloud, url: &str, user: &str, tenant: &str) -> Result<Listening, Error> {
        let connections = Connections::new(&store::client(&cloud.config), cloud.name("connections"));
        let tenant = Some(tenant.to_owned());
        let listener = Listener { user: user.to_owned(), tenant, rooms: BTreeSet::new() };
        let socket = connect(&connections, url, &listener).await?;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let mut task = JoinSet::new();
        task.spawn(listen(socket, listener.user, Arc::clone(&frames)));
        Ok(Listening { frames, _task: task })
    }

    /// How many messages came under an id.
    pub(super) fn count(&self, id: &str) -> usize {
        self.frames.lock().map(|it| it.iter().filter(|it| it.id == id).count()).unwrap_or_default()
    }
}

async fn acknowledge(mut socket: Socket) {
    while let Some(Ok(message)) = socket.next().await {
        let Ok(value) = serde_json::from_str::<Value>(&message.to_string()) else { continue };
        let Some(id) = value["id"].as_str().filter(|_| value["type"] == "notification") else { continue };
        // The ledger may not have the row of what was heard just now: what was sent is settled after it arrived.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let said = json!({ "action": "acknowledge", "ids": [id] }).to_string();
        if socket.send(Message::text(said)).await.is_err() {
            return;
        }
    }
}

impl Heard {
    /// The frames of one notification.
    pub(super) fn of(&self, id: &str) -> Vec<&Frame> {
        self.frames.iter().filter(|frame| frame.id == id).collect()
    }

    /// Who heard a broadcast of a rule.
    pub(super) fn of_broadcast(&self, event: &str, rule: &str) -> BTreeSet<&str> {
        let frames = self.frames.iter().filter(|frame| frame.event == event && frame.rule == rule);
        frames.map(|frame| frame.user.as_str()).collect()
    }

    /// Who should hear a message: each of them once.
    pub(super) fn expected(&self, target: &SocketTarget, tenant: Option<&str>) -> Vec<&str> {
        let hears = |listener: &&Listener| match target {
            SocketTarget::User(user) => listener.user == *user,
            SocketTarget::Room(room) => listener.rooms.contains(&(tenant.map(str::to_owned), room.clone())),
        };
        self.listeners.iter().filter(hears).map(|listener| listener.user.as_str()).collect()
    }
}

/// Hears everything that a person is told, but for a person of one tenant: that one's messages, and those of none.
fn listener(person: &Recipient) -> Listener {
    let tenant = person.tenants.first().filter(|tenant| person.is_only_of(tenant));
    Listener { user: person.id.clone(), tenant: tenant.cloned(), rooms: BTreeSet::new() }
}

async fn connect(connections: &Connections, url: &str, listener: &Listener) -> Result<Socket, Error> {
    let rooms = listener.rooms.iter().map(|(_, room)| room.clone()).collect();
    let view = View::own(listener.tenant.clone());
    let identity = Identity { user: listener.user.clone(), view, rooms, until: None };
    let ticket = ticket::issue(connections, identity).await?;
    let failed = |why: String| Error::Cloud(format!("{} cannot connect: {why}", listener.user));
    let connecting = tokio_tungstenite::connect_async(format!("{url}?ticket={ticket}"));
    let (mut socket, _) = tokio::time::timeout(TO_ANSWER, connecting)
        .await
        .map_err(|_| failed("no answer".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    for (_, room) in &listener.rooms {
        let asked = json!({ "action": "subscribe", "room": room }).to_string();
        socket.send(Message::text(asked)).await.map_err(|error| failed(error.to_string()))?;
        let answer = tokio::time::timeout(TO_ANSWER, socket.next()).await;
        let answer = answer.ok().flatten().and_then(Result::ok).map(|it| it.to_string()).unwrap_or_default();
        let answer: Value = serde_json::from_str(&answer).unwrap_or(answer.into());
        if answer != json!({ "type": "subscribed", "room": room }) {
            return Err(failed(format!("asked to join {room}, heard {answer}")));
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
