//! The connections table: tickets, open sockets, and who is in which room.
//!
//! Every item expires: a connection lives two hours at most (API Gateway), and `$disconnect` is best effort. A session
//! ends with the token that opened it: the attribute `exp` of tickets, connections and memberships holds that time, in
//! seconds since 1970, and every read compares it with the clock. Items of the release before have no `exp`; they count
//! until their `ttl`.

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, ReturnValue, WriteRequest};
use domain::Timestamp;
use domain::inbox::View;
use domain::job::SocketTarget;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::item::{Item, key, sort_key};
use crate::writes::{put, write};
use crate::{lookup, seconds};

mod quiet;
mod signing_out;

pub use signing_out::SignOut;

/// How long a session lasts at most: API Gateway's two hours for a connection, and a little more.
///
/// Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API".
pub const MAX_SESSION: SignedDuration = SignedDuration::from_secs(2 * 3_600 + 15 * 60);

/// How long a handshake may take: a `$connect` that starts cold, and the way back.
const OPENING: SignedDuration = SignedDuration::from_secs(10);

/// The connections table.
#[derive(Clone)]
pub struct Connections {
    client: Client,
    table: String,
}

/// Who is at the other end of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: String,
    /// What of the user's messages is heard, and which tenant's rooms.
    pub view: View,
    /// The rooms that may be joined: names, or beginnings that end in `*`.
    pub rooms: Vec<String>,
    /// When the session ends, where that is earlier than [`MAX_SESSION`] after the connection opened.
    pub until: Option<Timestamp>,
}

/// Lets one socket connect, once, for a short time. No `Debug`: the text is a credential.
pub struct Ticket {
    /// What the client shows; only its hash is stored.
    pub text: String,
    pub identity: Identity,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a ticket stood for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    pub identity: Identity,
    /// When the ticket was issued; the earliest time there is for a ticket of the release before.
    pub issued_at: Timestamp,
}

/// An open socket of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: String,
    pub view: View,
    /// When it was opened; `None` where that is too long ago to matter.
    pub opened_at: Option<Timestamp>,
    /// The partition it was found in.
    pub pk: String,
}

impl Connection {
    /// Whether its handshake may still be running: it is on record before the client has its answer, and until then
    /// the API says that there is no such socket.
    #[must_use]
    pub fn is_opening(&self, now: Timestamp) -> bool {
        self.opened_at.is_some_and(|opened_at| now < opened_at + OPENING)
    }
}

impl Identity {
    /// Whether this room may be joined.
    #[must_use]
    pub fn may_join(&self, room: &str) -> bool {
        self.rooms.iter().any(|it| match it.strip_suffix('*') {
            Some(beginning) => room.starts_with(beginning),
            None => it == room,
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
    pub async fn issue(&self, ticket: &Ticket) -> Result<(), Refused> {
        let item = identity_item(&ticket.identity)
            .text("pk", ticket_pk(&ticket.text))
            .text("sk", "-")
            .text("issued_at", ticket.issued_at.to_string())
            .number("ttl", seconds(ticket.expires_at));
        self.write(vec![put(item)]).await
    }

    /// Uses a ticket up. `None` when it does not exist, was used, is too old, or its session is over.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn redeem(&self, text: &str, now: Timestamp) -> Result<Option<Redeemed>, Refused> {
        let item = Item::default().text("pk", ticket_pk(text)).text("sk", "-");
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item.into_map()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| Refused::new("use a ticket", error))?;
        let ticket = answer.attributes.map(Item::from).filter(|ticket| is_kept(ticket, now));
        Ok(ticket.and_then(|ticket| {
            let issued_at = ticket.get("issued_at").and_then(|text| text.parse().ok());
            let issued_at = issued_at.unwrap_or(Timestamp::MIN);
            Some(Redeemed { identity: identity(&ticket)?, issued_at })
        }))
    }

    /// Remembers an open socket, until its session ends.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn open(&self, id: &str, who: &Identity, now: Timestamp) -> Result<(), Refused> {
        let end = end(who, now);
        let connection = identity_item(who).text("pk", format!("socket#{id}")).text("sk", "-");
        let connection = connection.number("exp", end).number("ttl", end);
        let membership = membership(&user_pk(&who.user), id, who, end).text("opened_at", now.to_string());
        self.write(vec![put(connection), put(membership)]).await
    }

    /// Who is at the other end of this socket, if it is open.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn who(&self, id: &str, now: Timestamp) -> Result<Option<Identity>, Refused> {
        let item = Item::default().text("pk", format!("socket#{id}")).text("sk", "-");
        let found = lookup::get(&self.client, &self.table, item).await?;
        Ok(found.filter(|found| is_kept(found, now)).as_ref().and_then(identity))
    }

    /// Adds a socket to a room of its tenant.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn join(&self, id: &str, who: &Identity, room: &str, now: Timestamp) -> Result<(), Refused> {
        let end = end(who, now);
        let pk = room_pk(who.view.tenant(), room);
        let note = Item::default().text("pk", format!("socket#{id}")).text("sk", &pk).number("ttl", end);
        self.write(vec![put(membership(&pk, id, who, end)), put(note)]).await
    }

    /// Forgets a socket and every room it was in.
    ///
    /// # Errors
    /// The table could not be read or written.
    pub async fn close(&self, id: &str) -> Result<(), Refused> {
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

    /// The open sockets of a user or a room that an event of `tenant` may reach, by the view that each was opened for.
    /// Rooms belong to one tenant altogether.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn of(
        &self,
        target: &SocketTarget,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Refused> {
        let pk = match target {
            SocketTarget::User(user) => user_pk(user),
            SocketTarget::Room(room) => room_pk(tenant, room),
        };
        let mut open = self.members(&pk, now).await?;
        open.retain(|it| it.view.takes_in(tenant));
        Ok(open)
    }

    /// All open sockets of a user.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn of_user(&self, user: &str, now: Timestamp) -> Result<Vec<Connection>, Refused> {
        self.members(&user_pk(user), now).await
    }

    async fn members(&self, pk: &str, now: Timestamp) -> Result<Vec<Connection>, Refused> {
        let items = lookup::partition(&self.client, &self.table, pk).await?;
        let open = items.into_iter().filter(|item| is_kept(item, now));
        let connections = open.filter_map(|it| {
            // A room is joined by who has heard an answer: their handshake is over.
            let opened_at = it.get("opened_at").and_then(|it| it.parse().ok());
            Some(Connection { id: it.get("sk")?.to_owned(), view: view(&it), opened_at, pk: pk.to_owned() })
        });
        Ok(connections.collect())
    }

    /// Forgets sockets that turned out to be gone, 25 to a call. What else is known of them expires by itself.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn forget(&self, gone: &[Connection]) -> Result<(), Refused> {
        self.write(gone.iter().map(|it| delete(&it.pk, &it.id)).collect()).await
    }

    async fn write(&self, writes: Vec<WriteRequest>) -> Result<(), Refused> {
        write(&self.client, &self.table, "write connections", writes).await
    }
}

/// Expiry is checked here: the table's own deletion may come hours late. A session is over in the second of its `exp`,
/// as a token is.
fn is_kept(item: &Item, now: Timestamp) -> bool {
    let is_in_session = item.get_number("exp").is_none_or(|exp| exp > seconds(now));
    is_in_session && item.get_number("ttl").unwrap_or(0) >= seconds(now)
}

/// When the session of a socket ends that opens or is used now, in seconds since 1970.
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

/// The attribute `view` says `only` of who looks on.
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
    // It is the sort key of a socket's note, too.
    sort_key(&["room", tenant.unwrap_or("-"), room])
}

/// A ticket is stored by its hash, so that who reads the table cannot connect.
fn ticket_pk(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|it| format!("{it:02x}")).collect();
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
