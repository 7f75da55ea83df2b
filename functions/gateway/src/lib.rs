//! gateway: answers the WebSocket API.
//!
//! | route | what the client says | what it hears |
//! |---|---|---|
//! | `$connect` | `wss://…/?ticket=<ticket>` | the connection opens, or 401 |
//! | `subscribe` | `{"action":"subscribe","room":"queue:7"}` | `{"type":"subscribed","room":"queue:7"}` or `{"type":"refused",…}` |
//! | `seen` | `{"action":"seen","ids":["<key>",…]}` | `{"type":"seen","ids":[…]}`, or `{"type":"refused",…}` |
//! | `acknowledge` | `{"action":"acknowledge","ids":["<key>",…]}` | `{"type":"acknowledged","ids":[…]}`, or `{"type":"refused",…}` |
//! | `inbox` | `{"action":"inbox","shelf":"unread","category":"billing","before":120,"limit":20}`, all of it may be left out | `{"type":"inbox","entries":[…],"next":101,"counts":{…}}`, newest first |
//! | `counts` | `{"action":"counts"}` | `{"type":"counts","unseen":1,"unread":3,"total":9}` |
//! | `mark` | `{"action":"mark","as":"read","ids":[…]}`, or `"all":true` and perhaps `"category":"billing"` | `{"type":"marked","as":"read",…,"counts":{…}}`; the user's other sockets hear `counts` |
//! | `resume` | `{"action":"resume","after":"<key>"}` | `{"type":"missed","entries":[…],"more":false,"counts":{…}}`, oldest first |
//! | `ping` | `{"action":"ping"}` | `{"type":"pong"}` |
//! | anything else | | `{"type":"error","reason":"unknown_action",…}` |
//! | more than 20 frames at once or 5 a second | | `{"type":"error","reason":"slow_down",…}`; 100 over within 10 s: `{"type":"bye","reason":"rate"}`, and the socket is closed |
//! | a 21st socket of one user | | the oldest hears `{"type":"bye","reason":"replaced"}` and is closed |
//!
//! A ticket works once and for 30 seconds. It is the only thing that says who somebody is: nothing a client sends
//! later can change that. So nobody sees or acknowledges a notification for somebody else, nor one person for a room.
//! An answer that is not on record has its reason in `refused`, beside those that are or alone. What is said to be seen
//! or acknowledged is so in the ledger and in the inbox; both are asked once, and know the same.

mod closing;
mod config;
mod flood;
mod inbox;
mod page;
mod protocol;

use std::sync::{LazyLock, Mutex};

use aws::Refused;
use aws_types::SdkConfig;
use domain::rule::Unless;
use runtime::now;
use sockets::{Badges, Sockets};
use store::{Connections, Inbox, Ledger};

pub use config::Config;
pub use protocol::{Denied, Listing, Marking, Reply, Request, Response, Route, Standing};

/// The longest name of a room, in bytes.
const MAX_ROOM_BYTES: usize = 256;

/// The WebSocket API's back end.
pub struct Gateway {
    connections: Connections,
    ledger: Ledger,
    inbox: Inbox,
    badges: Badges,
    /// Made when it is first used: few sockets are closed from our side.
    sockets: LazyLock<Sockets, Box<dyn FnOnce() -> Sockets + Send>>,
    floods: Mutex<flood::Floods>,
}

impl Gateway {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Gateway {
        let client = store::client(aws);
        let connections = Connections::new(&client, config.connections_table);
        let inbox = Inbox::new(&client, config.inbox_table);
        let (settings, endpoint) = (aws.clone(), config.endpoint.clone());
        Gateway {
            sockets: LazyLock::new(Box::new(move || Sockets::new(&settings, endpoint)) as Box<_>),
            floods: Mutex::new(flood::Floods::new()),
            badges: Badges::new(aws, config.endpoint, connections.clone(), inbox.clone()),
            connections,
            ledger: Ledger::new(&client, config.ledger_table),
            inbox,
        }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// A table could not be asked; API Gateway tells the client that something went wrong.
    pub async fn answer(&self, request: Request) -> Result<Response, Refused> {
        let id = request.connection_id();
        let is_frame = !matches!(request.route(), Route::Connect | Route::Disconnect);
        if is_frame && let Some(instead) = self.held_back(id).await {
            return Ok(instead);
        }
        match request.route() {
            Route::Connect => self.connect(id, request.ticket()).await,
            Route::Disconnect => {
                self.floods().forget(id);
                self.connections.close(id).await?;
                Ok(Response::ok())
            }
            Route::Subscribe => Ok(Response::says(&self.subscribe(id, request.room()).await?)),
            Route::Seen => Ok(Response::says(&self.notice(id, Unless::Seen, request.ids()).await?)),
            Route::Acknowledge => {
                Ok(Response::says(&self.notice(id, Unless::Acknowledged, request.ids()).await?))
            }
            Route::Inbox => Ok(Response::says(&self.list(id, request.listing()).await?)),
            Route::Counts => Ok(Response::says(&self.counts(id).await?)),
            Route::Mark => Ok(Response::says(&self.mark(id, request.marking()).await?)),
            Route::Resume => Ok(Response::says(&self.resume(id, request.after()).await?)),
            Route::Ping => Ok(Response::says(&Reply::Pong)),
            Route::Default => Ok(Response::says(&Reply::unknown_action())),
        }
    }

    async fn connect(&self, id: &str, ticket: Option<&str>) -> Result<Response, Refused> {
        let who = match ticket {
            Some(it) => self.connections.redeem(it, now()).await?,
            None => None,
        };
        let Some(who) = who else {
            tracing::info!(connection.id = id, "refused: no valid ticket");
            return Ok(Response::unauthorized());
        };
        self.connections.open(id, &who, now()).await?;
        self.replace_oldest(id, &who).await;
        tracing::info!(connection.id = id, "connected");
        Ok(Response::ok())
    }

    async fn subscribe(&self, id: &str, room: Option<String>) -> Result<Reply, Refused> {
        let Some(room) = room.filter(|it| !it.is_empty() && it.len() <= MAX_ROOM_BYTES) else {
            return Ok(Reply::bad_room());
        };
        let Some(who) = self.connections.who(id, now()).await? else {
            return Ok(Reply::Refused { room, reason: "not_connected" });
        };
        if !who.may_join(&room) {
            return Ok(Reply::Refused { room, reason: "not_allowed" });
        }
        self.connections.join(id, &who, &room, now()).await?;
        Ok(Reply::Subscribed { room })
    }
}
