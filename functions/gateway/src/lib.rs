//! gateway: answers the WebSocket API.
//!
//! | route | what the client says | what it hears |
//! |---|---|---|
//! | `$connect` | `wss://…/?ticket=<ticket>` | the connection opens, or 401 |
//! | `subscribe` | `{"action":"subscribe","room":"queue:7"}` | `{"type":"subscribed","room":"queue:7"}` or `{"type":"refused",…}` |
//! | `ping` | `{"action":"ping"}` | `{"type":"pong"}` |
//! | anything else | | `{"type":"error","reason":"unknown_action",…}` |
//!
//! A ticket works once and for 30 seconds. It is the only thing that says who somebody is: nothing a client sends
//! later can change that.

mod protocol;

use aws::Refused;
use aws_types::SdkConfig;
use runtime::now;
use store::Connections;

pub use protocol::{Reply, Request, Response, Route};

/// The longest name of a room, in bytes.
const MAX_ROOM_BYTES: usize = 256;

/// The WebSocket API's back end.
pub struct Gateway {
    connections: Connections,
}

impl Gateway {
    #[must_use]
    pub fn new(aws: &SdkConfig, table: String) -> Gateway {
        Gateway { connections: Connections::new(&store::client(aws), table) }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// The connections table could not be asked; API Gateway tells the client that something went wrong.
    pub async fn answer(&self, request: Request) -> Result<Response, Refused> {
        let id = request.connection_id();
        match request.route() {
            Route::Connect => self.connect(id, request.ticket()).await,
            Route::Disconnect => {
                self.connections.close(id).await?;
                Ok(Response::ok())
            }
            Route::Subscribe => Ok(Response::says(&self.subscribe(id, request.room()).await?)),
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
        let Some(who) = self.connections.who(id).await? else {
            return Ok(Reply::Refused { room, reason: "not_connected" });
        };
        if !who.may_join(&room) {
            return Ok(Reply::Refused { room, reason: "not_allowed" });
        }
        self.connections.join(id, &who, &room, now()).await?;
        Ok(Reply::Subscribed { room })
    }
}
