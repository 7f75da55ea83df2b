//! The gateway function: the back end of the WebSocket API.
//!
//! | route | request | reply |
//! |---|---|---|
//! | `$connect` | `wss://…/?ticket=<ticket>` | the connection opens, or 401 |
//! | `subscribe` | `{"action":"subscribe","room":"queue:7"}` | `{"type":"subscribed","room":"queue:7"}` or `{"type":"refused",…}` |
//! | `seen` | `{"action":"seen","ids":["<key>",…]}` | `{"type":"seen","ids":[…]}`, or `{"type":"refused",…}` |
//! | `acknowledge` | `{"action":"acknowledge","ids":["<key>",…]}` | `{"type":"acknowledged","ids":[…]}`, or `{"type":"refused",…}` |
//! | `inbox` | `{"action":"inbox","filter":"unread","category":"billing","before":120,"limit":20}`, all members optional | `{"type":"inbox","entries":[…],"next":101,"counts":{…}}`, newest first |
//! | `counts` | `{"action":"counts"}` | `{"type":"counts","unseen":1,"unread":3,"total":9}` |
//! | `mark` | `{"action":"mark","as":"read","ids":[…]}`, or `"all":true` and optionally `"category":"billing"` | `{"type":"marked","as":"read",…,"counts":{…}}`; the user's other sockets get `counts` |
//! | `resume` | `{"action":"resume","after":"<key>"}` | `{"type":"missed","entries":[…],"more":false,"counts":{…}}`, oldest first |
//! | `ping` | `{"action":"ping"}` | `{"type":"pong"}` |
//! | other actions | | `{"type":"error","reason":"unknown_action",…}` |
//! | more than 20 frames at once or 5 a second | | `{"type":"error","reason":"slow_down",…}`; 100 over within 10 s: `{"type":"bye","reason":"rate"}`, and the socket is closed |
//! | a 21st socket of one user | | the oldest gets `{"type":"bye","reason":"replaced"}` and is closed |
//!
//! A ticket is valid once and for 30 seconds. It alone defines the identity of a connection. Users
//! therefore cannot mark notifications of other users, and no user can mark them for a room.
//!
//! A session ends with the token that requested its ticket, and at the latest 2 h 15 min after
//! `$connect`. The next action is then refused with `not_connected`, and the connection is closed.
//! Refused ids and their reasons are in `refused`, beside accepted ids or alone. Seen and acknowledged
//! states are stored in both the ledger and the inbox.

mod closing;
mod config;
mod flood;
mod inbox;
mod page;
mod protocol;

use std::sync::Mutex;

use aws::CallError;
use aws_types::SdkConfig;
use domain::catalog::rule::Unless;
use runtime::now;
use sockets::{Sessions, UnreadCounts};
use store::{Connections, Identity, Inbox, Ledger};

pub use config::Config;
pub use protocol::{Denied, Listing, Marking, Reply, Request, Response, Route, Standing};

/// The longest name of a room, in bytes.
const MAX_ROOM_BYTES: usize = 256;

/// The back end of the WebSocket API.
pub struct Gateway {
    connections: Connections,
    ledger: Ledger,
    inbox: Inbox,
    badges: UnreadCounts,
    sessions: Sessions,
    floods: Mutex<flood::Floods>,
}

impl Gateway {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Gateway {
        let client = store::client(aws);
        let connections = Connections::new(&client, config.connections_table);
        let inbox = Inbox::new(&client, config.inbox_table);
        Gateway {
            badges: UnreadCounts::new(aws, config.endpoint.clone(), connections.clone(), inbox.clone()),
            sessions: Sessions::new(aws, config.endpoint, connections.clone()),
            floods: Mutex::new(flood::Floods::new()),
            connections,
            ledger: Ledger::new(&client, config.ledger_table),
            inbox,
        }
    }

    /// Answers one request. A socket whose session has ended is refused every action and closed.
    ///
    /// # Errors
    /// The call to a table failed. API Gateway reports an internal error to the client.
    pub async fn answer(&self, request: Request) -> Result<Response, CallError> {
        let id = request.connection_id();
        let is_frame = !matches!(request.route(), Route::Connect | Route::Disconnect);
        if is_frame && let Some(instead) = self.held_back(id).await {
            return Ok(instead);
        }
        match request.route() {
            Route::Connect => return self.connect(id, request.ticket()).await,
            Route::Disconnect => {
                self.floods().forget(id);
                self.connections.close(id).await?;
                return Ok(Response::ok());
            }
            Route::Subscribe
            | Route::Seen
            | Route::Acknowledge
            | Route::Inbox
            | Route::Counts
            | Route::Mark
            | Route::Resume
            | Route::Ping
            | Route::Default => {}
        }
        match self.connections.who(id, now()).await? {
            Some(who) => Ok(Response::says(&self.act(id, &who, &request).await?)),
            None => self.end(id).await,
        }
    }

    /// Performs the action of a client with an open session.
    async fn act(&self, id: &str, who: &Identity, request: &Request) -> Result<Reply, CallError> {
        match request.route() {
            Route::Subscribe => self.subscribe(id, who, request.room()).await,
            Route::Seen => self.notice(id, who, Unless::Seen, request.ids()).await,
            Route::Acknowledge => self.notice(id, who, Unless::Acknowledged, request.ids()).await,
            Route::Inbox => self.list(who, request.listing()).await,
            Route::Counts => self.counts(who).await,
            Route::Mark => self.mark(id, who, request.marking()).await,
            Route::Resume => self.resume(who, request.after()).await,
            Route::Ping => Ok(Reply::Pong),
            Route::Connect | Route::Disconnect | Route::Default => Ok(Reply::unknown_action()),
        }
    }

    /// Tells the client that its session has ended, and closes the connection.
    async fn end(&self, id: &str) -> Result<Response, CallError> {
        tracing::info!(code = "SESSION_OVER", connection.id = id, "action refused: the session has ended");
        self.sessions.close_with(id, &Reply::not_connected().to_json()).await?;
        Ok(Response::ok())
    }

    async fn connect(&self, id: &str, ticket: Option<&str>) -> Result<Response, CallError> {
        let ticket = match ticket {
            Some(text) => self.connections.redeem(text, now()).await?,
            None => None,
        };
        let Some(ticket) = ticket else {
            tracing::info!(
                code = "GATEWAY_NO_TICKET",
                connection.id = id,
                "connection refused: no valid ticket"
            );
            return Ok(Response::unauthorized());
        };
        if self.connections.lockout_left(&ticket.identity, now()).await?.is_some() {
            tracing::info!(
                code = "GATEWAY_KEPT_AWAY",
                connection.id = id,
                "connection refused: a socket of the user sent too many frames within the last minute"
            );
            return Ok(Response::unauthorized());
        }
        self.connections.open(id, &ticket.identity, now()).await?;
        if self.connections.is_signed_out(&ticket).await? {
            self.connections.close(id).await?;
            tracing::info!(
                code = "GATEWAY_SIGNED_OUT",
                connection.id = id,
                "connection refused: the user signed out after the ticket was issued"
            );
            return Ok(Response::unauthorized());
        }
        self.close_oldest(id, &ticket.identity).await;
        tracing::info!(code = "GATEWAY_CONNECTED", connection.id = id, "connection accepted");
        Ok(Response::ok())
    }

    async fn subscribe(&self, id: &str, who: &Identity, room: Option<String>) -> Result<Reply, CallError> {
        let Some(room) = room.filter(|room| !room.is_empty() && room.len() <= MAX_ROOM_BYTES) else {
            return Ok(Reply::bad_room());
        };
        if !who.may_join(&room) {
            return Ok(Reply::Refused { room, reason: "not_allowed" });
        }
        self.connections.join(id, who, &room, now()).await?;
        Ok(Reply::Subscribed { room })
    }
}
