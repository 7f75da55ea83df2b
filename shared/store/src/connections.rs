//! The connections table: tickets, open sockets, and the members of rooms.
//!
//! Every item expires. A connection lives two hours at most (API Gateway), and `$disconnect` is best effort. A
//! session ends with the token that opened it. The attribute `exp` of tickets, connections and memberships holds
//! that time in seconds since 1970, and every read compares it with the clock. Items of the previous release have
//! no `exp` and are valid until their `ttl`.

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, ReturnValue, WriteRequest};
use domain::Timestamp;
use domain::base::sensitive::Sensitive;
use domain::delivery::job::SocketTarget;
use domain::inbox::View;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::item::{Item, key, sort_key};
use crate::writes::{put, write};
use crate::{lookup, seconds};

mod quiet;
mod signing_out;

pub use signing_out::SignOut;

/// The longest session: API Gateway's two hours for a connection, and a little more.
///
/// Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API".
pub const MAX_SESSION: SignedDuration = SignedDuration::from_secs(2 * 3_600 + 15 * 60);

/// The longest handshake: a `$connect` with a cold start, and its response.
const OPENING: SignedDuration = SignedDuration::from_secs(10);

/// The connections table.
#[derive(Clone)]
pub struct Connections {
    client: Client,
    table: String,
}

/// The user behind a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: String,
    /// The view of the user's messages, and the tenant whose rooms may be joined.
    pub view: View,
    /// The rooms that may be joined: names, or prefixes that end in `*`.
    pub rooms: Vec<String>,
    /// The end of the session if it is earlier than [`MAX_SESSION`] after the connection opened.
    pub until: Option<Timestamp>,
}

/// A credential that opens one socket, once, for a short time.
pub struct Ticket {
    /// The text that the client presents. Only its hash is stored.
    pub text: Sensitive<String>,
    pub identity: Identity,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The contents of a used ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeemedTicket {
    pub identity: Identity,
    /// The time of issue. The earliest possible time for a ticket of the previous release.
    pub issued_at: Timestamp,
}

/// An open socket of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: String,
    pub view: View,
    /// The time at which it was opened. `None` if the handshake is certainly over.
    pub opened_at: Option<Timestamp>,
    /// The partition in which the connection was found.
    pub pk: String,
}

impl Connection {
    /// Whether the handshake may still be in progress. The connection is recorded before the client gets its
    /// response, and until then the API reports that there is no such socket.
    #[must_use]
    pub fn is_opening(&self, now: Timestamp) -> bool {
        self.opened_at.is_some_and(|opened_at| now < opened_at + OPENING)
    }
}

impl Identity {
    /// Whether the user may join this room.
    #[must_use]
    pub fn may_join(&self, room: &str) -> bool {
        self.rooms.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => room.starts_with(beginning),
            None => pattern == room,
        })
    }
}

impl Connections {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Connections {
        Connections { client: client.clone(), table }
    }

    /// Issues a ticket.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn issue(&self, ticket: &Ticket) -> Result<(), CallError> {
        let item = identity_item(&ticket.identity)
            .text("pk", ticket_pk(ticket.text.expose()))
            .text("sk", "-")
            .text("issued_at", ticket.issued_at.to_string())
            .number("ttl", seconds(ticket.expires_at));
        self.write(vec![put(item)]).await
    }

    /// Consumes a ticket. `None` if the ticket does not exist, was used, has expired, or its session has ended.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn redeem(&self, text: &str, now: Timestamp) -> Result<Option<RedeemedTicket>, CallError> {
        let item = Item::default().text("pk", ticket_pk(text)).text("sk", "-");
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item.into_map()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| CallError::new("use a ticket", error))?;
        let ticket = answer.attributes.map(Item::from).filter(|ticket| is_kept(ticket, now));
        Ok(ticket.and_then(|ticket| {
            let issued_at = ticket.get("issued_at").and_then(|text| text.parse().ok());
            let issued_at = issued_at.unwrap_or(Timestamp::MIN);
            Some(RedeemedTicket { identity: identity(&ticket)?, issued_at })
        }))
    }

    /// Records an open socket until its session ends.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn open(&self, id: &str, who: &Identity, now: Timestamp) -> Result<(), CallError> {
        let end = end(who, now);
        let connection = identity_item(who).text("pk", format!("socket#{id}")).text("sk", "-");
        let connection = connection.number("exp", end).number("ttl", end);
        let membership = membership(&user_pk(&who.user), id, who, end).text("opened_at", now.to_string());
        self.write(vec![put(connection), put(membership)]).await
    }

    /// The user behind this socket if it is open.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn who(&self, id: &str, now: Timestamp) -> Result<Option<Identity>, CallError> {
        let item = Item::default().text("pk", format!("socket#{id}")).text("sk", "-");
        let found = lookup::get(&self.client, &self.table, item).await?;
        Ok(found.filter(|found| is_kept(found, now)).as_ref().and_then(identity))
    }

    /// Adds a socket to a room of its tenant.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn join(&self, id: &str, who: &Identity, room: &str, now: Timestamp) -> Result<(), CallError> {
        let end = end(who, now);
        let pk = room_pk(who.view.tenant(), room);
        let own = Item::default().text("pk", format!("socket#{id}")).text("sk", &pk).number("ttl", end);
        self.write(vec![put(membership(&pk, id, who, end)), put(own)]).await
    }

    /// Removes a socket and all its room memberships.
    ///
    /// # Errors
    /// The table could not be read or written.
    pub async fn close(&self, id: &str) -> Result<(), CallError> {
        let pk = format!("socket#{id}");
        let mut writes = Vec::new();
        for item in lookup::partition(&self.client, &self.table, &pk).await? {
            let sk = item.get("sk").unwrap_or_default();
            let partition =
                if sk == "-" { user_pk(item.get("user").unwrap_or_default()) } else { sk.to_owned() };
            writes.push(delete(&partition, id));
            writes.push(delete(&pk, sk));
        }
        self.write(writes).await
    }

    /// The open sockets of a user or room whose view includes events of `tenant`. A room belongs to one tenant.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn of(
        &self,
        target: &SocketTarget,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Connection>, CallError> {
        let pk = match target {
            SocketTarget::User(user) => user_pk(user),
            SocketTarget::Room(room) => room_pk(tenant, room),
        };
        let mut open = self.members(&pk, now).await?;
        open.retain(|connection| connection.view.takes_in(tenant));
        Ok(open)
    }

    /// All open sockets of a user.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn of_user(&self, user: &str, now: Timestamp) -> Result<Vec<Connection>, CallError> {
        self.members(&user_pk(user), now).await
    }

    async fn members(&self, pk: &str, now: Timestamp) -> Result<Vec<Connection>, CallError> {
        let items = lookup::partition(&self.client, &self.table, pk).await?;
        let open = items.into_iter().filter(|item| is_kept(item, now));
        let connections = open.filter_map(|item| {
            // A client joins rooms only after its handshake, so the membership needs no opening time.
            let opened_at = item.get("opened_at").and_then(|text| text.parse().ok());
            Some(Connection {
                id: item.get("sk")?.to_owned(),
                view: view(&item),
                opened_at,
                pk: pk.to_owned(),
            })
        });
        Ok(connections.collect())
    }

    /// Removes sockets that no longer exist, 25 per call. Their other items expire.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn forget(&self, gone: &[Connection]) -> Result<(), CallError> {
        self.write(gone.iter().map(|connection| delete(&connection.pk, &connection.id)).collect()).await
    }

    async fn write(&self, writes: Vec<WriteRequest>) -> Result<(), CallError> {
        write(&self.client, &self.table, "write connections", writes).await
    }
}

/// Checks expiry, because DynamoDB deletes expired items hours late. Like a token, a session ends in the second of
/// its `exp`.
fn is_kept(item: &Item, now: Timestamp) -> bool {
    let is_in_session = item.get_number("exp").is_none_or(|exp| exp > seconds(now));
    is_in_session && item.get_number("ttl").unwrap_or(0) >= seconds(now)
}

/// The end of the session of a socket that is opened or used now, in seconds since 1970.
fn end(who: &Identity, now: Timestamp) -> i64 {
    let longest = seconds(now + MAX_SESSION);
    who.until.map_or(longest, |until| seconds(until).min(longest))
}

fn membership(pk: &str, id: &str, who: &Identity, end: i64) -> Item {
    let item = with_view(Item::default().text("pk", pk).text("sk", id), &who.view);
    item.number("exp", end).number("ttl", end)
}

fn identity_item(who: &Identity) -> Item {
    let item = with_view(Item::default().text("user", &who.user), &who.view);
    let item = item.texts("rooms", who.rooms.iter().cloned());
    match who.until {
        Some(until) => item.number("exp", seconds(until)),
        None => item,
    }
}

fn identity(item: &Item) -> Option<Identity> {
    let until = item.get_number("exp").and_then(|exp| Timestamp::from_second(exp).ok());
    let user = item.get("user")?.to_owned();
    Some(Identity { user, view: view(item), rooms: item.get_texts("rooms"), until })
}

/// The attribute `view` is `only` for a read-only session of an admin.
fn with_view(item: Item, view: &View) -> Item {
    item.maybe("tenant", view.tenant()).maybe("view", view.looks_on().then_some("only"))
}

fn view(item: &Item) -> View {
    match (item.get("tenant").map(str::to_owned), item.get("view")) {
        (Some(tenant), Some(_)) => View::Only(tenant),
        (tenant, _) => View::own(tenant),
    }
}

fn user_pk(user: &str) -> String {
    key(&["user", user])
}

fn room_pk(tenant: Option<&str>, room: &str) -> String {
    // Also the sort key of the socket's own membership item.
    sort_key(&["room", tenant.unwrap_or("-"), room])
}

/// A ticket is stored by its hash, so that read access to the table does not allow connecting.
fn ticket_pk(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("ticket#{hex}")
}

fn delete(pk: &str, sk: &str) -> WriteRequest {
    let delete = DeleteRequest::builder()
        .key("pk", AttributeValue::S(pk.to_owned()))
        .key("sk", AttributeValue::S(sk.to_owned()))
        .build();
    WriteRequest::builder().delete_request(delete.expect("a key is all that a delete needs")).build()
}

#[cfg(test)]
mod tests;
