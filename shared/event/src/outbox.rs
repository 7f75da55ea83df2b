//! The rows that a producer writes into the events table: their keys and attributes, without a client.
//!
//! Relay, sweep and audit read these rows. [`pending_row`] and [`guard_row`] are an event of a [`Stream`], whose version
//! orders it. [`unordered_row`] is an event without an order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::{Event, Sequence, Timestamp};

mod keys;
mod stream;

pub use keys::{key, sort_key};
pub use stream::{NotInStream, Stream};

/// The prefix of a text's digest in a table.
pub const DIGEST_PREFIX: &str = "sha256:";

/// The sort key of the row with a stream's version.
pub const HEAD: &str = "head";

/// The condition of every row's put: one key is written once.
pub const IS_NEW: &str = "attribute_not_exists(pk)";

/// The prefix of the sort key of an event with a version.
const VERSION: &str = "version#";

/// The number of digits of a version in a sort key. With leading zeros, text sorts like numbers.
const DIGITS: usize = 20;

/// The number of index partitions for pending events, so that concurrent producers do not write to a single one.
const SHARDS: u8 = 8;

/// The names of the attributes that [`envelope`] writes.
pub const ENVELOPE: [&str; 11] = [
    "id",
    "source",
    "type",
    "time",
    "subject",
    "tenant",
    "correlation_id",
    "causation_id",
    "actor",
    "auth_id",
    "traceparent",
];

/// The attributes of a row, by name.
pub type Row = Vec<(&'static str, Value)>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// DynamoDB's type `S`.
    Text(String),
    /// DynamoDB's type `N`.
    Number(u64),
}

/// The envelope's attributes in a row. An absent attribute is left out.
#[must_use]
pub fn envelope(event: &Event) -> Vec<(&'static str, String)> {
    let time = event.time.to_string();
    let values = [
        Some(event.id.as_str()),
        Some(event.source.as_str()),
        Some(event.kind.as_str()),
        Some(time.as_str()),
        event.subject.as_deref(),
        event.tenant.as_deref(),
        event.correlation_id.as_deref(),
        event.causation_id.as_deref(),
        event.actor.as_deref(),
        event.auth_id.as_deref(),
        event.traceparent.as_deref(),
    ];
    let named = ENVELOPE.into_iter().zip(values);
    named.filter_map(|(name, value)| Some((name, value?.to_owned()))).collect()
}

/// The partition key of the event's aggregate. Events without a subject share the partition of their source.
#[must_use]
pub fn partition(event: &Event) -> String {
    let tenant = event.tenant.as_deref().unwrap_or("-");
    key(&["stream", tenant, event.subject.as_deref().unwrap_or(&event.source)])
}

/// The sort key of the event: by its version if it has one, else by source and id.
#[must_use]
pub fn position(event: &Event) -> String {
    match event.sequence.as_ref().and_then(Sequence::version) {
        Some(version) => version_position(version),
        None => sort_key(&["outbox", &event.source, &event.id]),
    }
}

/// The sort key of an event with a version.
#[must_use]
pub fn version_position(version: u64) -> String {
    format!("{VERSION}{version:0DIGITS$}")
}

/// The version in a sort key of [`version_position`]. `None` for other keys.
#[must_use]
pub fn version_of(position: &str) -> Option<u64> {
    position.strip_prefix(VERSION)?.parse().ok()
}

/// The row of an event that has its place in a stream ([`Stream::place`]). `text` is the envelope
/// ([`Event::to_json`]), `now` the time of the append.
#[must_use]
pub fn pending_row(placed: &Event, text: String, version: u64, now: Timestamp) -> Row {
    let pk = partition(placed);
    let mut row: Row = envelope(placed).into_iter().map(|(name, text)| (name, Value::Text(text))).collect();
    row.extend([
        ("sk", Value::Text(version_position(version))),
        ("version", Value::Number(version)),
        ("digest", Value::Text(text_digest(&text))),
        ("pending", Value::Text(shard(&pk))),
        ("appended_at", Value::Text(now.to_string())),
        ("event", Value::Text(text)),
        ("pk", Value::Text(pk)),
    ]);
    row
}

/// The row that keeps the event's id from being used twice in its stream. `body` is the [`body_digest`].
#[must_use]
pub fn guard_row(stream: &Stream, event: &Event, version: u64, body: &str) -> Row {
    vec![
        ("pk", Value::Text(stream.partition())),
        ("sk", Value::Text(sort_key(&["id", &event.source, &event.id]))),
        ("version", Value::Number(version)),
        ("body", Value::Text(body.to_owned())),
    ]
}

/// The row of an event without an order. The event has no version in `sequence`.
#[must_use]
pub fn unordered_row(event: &Event, now: Timestamp) -> Row {
    let pk = partition(event);
    vec![
        ("sk", Value::Text(position(event))),
        ("pending", Value::Text(shard(&pk))),
        ("appended_at", Value::Text(now.to_string())),
        ("event", Value::Text(event.to_json())),
        ("pk", Value::Text(pk)),
    ]
}

/// The digest of a text as the events table stores it: `sha256:` and the SHA-256 in URL-safe base64.
#[must_use]
pub fn text_digest(text: &str) -> String {
    format!("{DIGEST_PREFIX}{}", URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes())))
}

/// The digest that separates two bodies with one id: the producer's event without its place in the stream.
#[must_use]
pub fn body_digest(placed: &Event) -> String {
    text_digest(&Event { sequence: None, ..placed.clone() }.to_json())
}

/// The value of `pending`. All events of a stream have the same value, so the index returns them in order.
fn shard(pk: &str) -> String {
    let sum = pk.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    (sum % SHARDS).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn unordered_row_has_the_attributes_that_the_relay_reads() {
        let event = event();
        let row = unordered_row(&event, NOON);
        let text = |name: &str| row.iter().find(|(attribute, _)| *attribute == name).map(|(_, value)| value);
        let expected = |value: &str| Some(Value::Text(value.to_owned()));
        assert_eq!(text("pk").cloned(), expected("stream#t-1#order/7"));
        assert_eq!(text("sk").cloned(), expected("outbox#shop#a%23b"));
        assert_eq!(text("pending").cloned(), expected(&shard("stream#t-1#order/7")));
        assert_eq!(text("event").cloned(), expected(&event.to_json()));
        assert_eq!(text("appended_at").cloned(), expected(&NOON.to_string()));
    }

    #[test]
    fn version_sorts_as_text_and_is_read_back() {
        assert!(version_position(9) < version_position(10));
        assert_eq!(version_of(&version_position(10)), Some(10));
        assert_eq!(version_of("outbox#/shop#10"), None);
        let placed = Event { sequence: Some(Sequence::of_version(10)), ..event() };
        assert_eq!(position(&placed), version_position(10));
    }

    #[test]
    fn envelope_leaves_absent_attributes_out() {
        let names: Vec<&str> = envelope(&event()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["id", "source", "type", "time", "subject", "tenant"]);
    }

    fn event() -> Event {
        let bare = Event::bare("shop".to_owned(), "order.paid".to_owned(), "a#b".to_owned(), NOON);
        Event { subject: Some("order/7".to_owned()), tenant: Some("t-1".to_owned()), ..bare }
    }
}
