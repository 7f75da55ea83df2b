//! WebSocket client of the gateway.

use std::time::Duration;

use domain::inbox::View;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use store::{Identity, Ticket};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use workspace::unique;

use crate::cloud::{Cloud, now};
use crate::until::PATIENCE;

pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Connects with a fresh ticket.
    pub async fn of(cloud: &Cloud, user: &str, tenant: Option<&str>, rooms: &[&str]) -> Client {
        let ticket = ticket(cloud, user, tenant, rooms, 30).await;
        Client::connect(cloud, &ticket).await.unwrap()
    }

    pub async fn connect(cloud: &Cloud, ticket: &str) -> Result<Client, Error> {
        let url = format!("{}?ticket={ticket}", cloud.socket_url);
        tokio_tungstenite::connect_async(url).await.map(|(socket, _)| Client(socket))
    }

    pub async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next message.
    pub async fn next_message(&mut self) -> Value {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        let message = next.expect("nothing was heard").unwrap().unwrap();
        serde_json::from_str(&message.to_string()).unwrap()
    }

    /// Whether no message arrives for a while.
    pub async fn receives_nothing(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(3), self.0.next()).await.is_err()
    }

    pub async fn ask(&mut self, text: &str) -> Value {
        self.say(text).await;
        self.next_message().await
    }

    /// Messages received until the server closes the connection.
    pub async fn until_close(mut self) -> Vec<Value> {
        let mut received = Vec::new();
        let end = async {
            while let Some(Ok(message)) = self.0.next().await {
                if message.is_close() {
                    break;
                }
                received.extend(serde_json::from_str::<Value>(&message.to_string()).ok());
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("the connection is still open");
        received
    }

    pub async fn close(mut self) {
        self.0.close(None).await.unwrap();
    }
}

/// Creates a ticket that is valid for this many seconds.
pub async fn ticket(cloud: &Cloud, user: &str, tenant: Option<&str>, rooms: &[&str], seconds: i64) -> String {
    let text = unique("ticket");
    let identity = Identity {
        user: user.to_owned(),
        view: View::own(tenant.map(str::to_owned)),
        rooms: rooms.iter().map(|room| (*room).to_owned()).collect(),
        until: None,
    };
    let expires_at = now() + jiff::SignedDuration::from_secs(seconds);
    cloud
        .connections
        .issue(&Ticket { text: text.clone().into(), identity, issued_at: now(), expires_at })
        .await
        .unwrap();
    text
}
