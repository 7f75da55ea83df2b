//! gateway: answers the WebSocket API.
//!
//! | route | what the client says | what it hears |
//! |---|---|---|
//! | `$connect` | `wss://…/?ticket=<ticket>` | the connection opens, or 401 |
//! | `subscribe` | `{"action":"subscribe","room":"queue:7"}` | `{"type":"subscribed","room":"queue:7"}` or `{"type":"refused",…}` |
//! | `seen` | `{"action":"seen","ids":["<key>",…]}` | `{"type":"seen","ids":[…]}`, or `{"type":"refused",…}` |
//! | `acknowledge` | `{"action":"acknowledge","ids":["<key>",…]}` | `{"type":"acknowledged","ids":[…]}`, or `{"type":"refused",…}` |
//! | `ping` | `{"action":"ping"}` | `{"type":"pong"}` |
//! | anything else | | `{"type":"error","reason":"unknown_action",…}` |
//!
//! A ticket works once and for 30 seconds. It is the only thing that says who somebody is: nothing a client sends
//! later can change that. So nobody sees or acknowledges a notification for somebody else, nor one person for a room.
//! An answer that is not on record has its reason in `refused`, beside those that are or alone.

mod protocol;

use aws::Refused;
use aws_types::SdkConfig;
use domain::key::Key;
use domain::plan::Audience;
use domain::rule::Unless;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use runtime::now;
use store::{Connections, Identity, Ledger, Noticed};

pub use protocol::{Denied, Reply, Request, Response, Route};

/// The longest name of a room, in bytes.
const MAX_ROOM_BYTES: usize = 256;

/// Rows of the ledger that are written at once, for one request.
const NOTICES_AT_ONCE: usize = 10;

/// The WebSocket API's back end.
pub struct Gateway {
    connections: Connections,
    ledger: Ledger,
}

impl Gateway {
    #[must_use]
    pub fn new(aws: &SdkConfig, connections_table: String, ledger_table: String) -> Gateway {
        let client = store::client(aws);
        Gateway {
            connections: Connections::new(&client, connections_table),
            ledger: Ledger::new(&client, ledger_table),
        }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// A table could not be asked; API Gateway tells the client that something went wrong.
    pub async fn answer(&self, request: Request) -> Result<Response, Refused> {
        let id = request.connection_id();
        match request.route() {
            Route::Connect => self.connect(id, request.ticket()).await,
            Route::Disconnect => {
                self.connections.close(id).await?;
                Ok(Response::ok())
            }
            Route::Subscribe => Ok(Response::says(&self.subscribe(id, request.room()).await?)),
            Route::Seen => Ok(Response::says(&self.notice(id, Unless::Seen, request.ids()).await?)),
            Route::Acknowledge => {
                Ok(Response::says(&self.notice(id, Unless::Acknowledged, request.ids()).await?))
            }
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
    /// Remembers what somebody says they did with what they were told.
    async fn notice(&self, id: &str, how: Unless, keys: Option<Vec<Key>>) -> Result<Reply, Refused> {
        let Some(keys) = keys else { return Ok(Reply::bad_ids(how)) };
        let Some(who) = self.connections.who(id, now()).await? else {
            return Ok(Reply::noticed(how, vec![], keys.into_iter().map(Denied::not_connected).collect()));
        };
        let recipient = Audience::User(who.user.clone()).name();
        let asked = keys.into_iter().map(|key| self.notice_one(key, &recipient, &who, how));
        let answers: Vec<(Key, Noticed)> =
            stream::iter(asked).buffered(NOTICES_AT_ONCE).try_collect().await?;
        let (mut done, mut denied) = (Vec::new(), Vec::new());
        for (key, noticed) in answers {
            match noticed {
                Noticed::Remembered => done.push(key),
                Noticed::NotTheirs => denied.push(Denied::not_yours(key)),
                Noticed::ToARoom => denied.push(Denied::told_to_a_room(key)),
            }
        }
        Ok(Reply::noticed(how, done, denied))
    }

    async fn notice_one(
        &self,
        key: Key,
        recipient: &str,
        who: &Identity,
        how: Unless,
    ) -> Result<(Key, Noticed), Refused> {
        let noticed = self.ledger.notice(&key, recipient, who.tenant.as_deref(), how, now()).await?;
        Ok((key, noticed))
    }
}
