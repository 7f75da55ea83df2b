//! The outbox: events that a producer writes in its own transaction. Each is pending until the audit has seen it on
//! the bus.
//!
//! This module makes no calls. [`Outbox::append`] adds writes to the caller's transaction. The relay reads and
//! publishes them.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::event::outbox_mark::text_digest;
use domain::event::{Event, Refusal, Sequence};
use sha2::{Digest as _, Sha256};

use crate::events::envelope_item;
use crate::item::{Item, key, sort_key};

mod conflict;
mod pending;

pub use conflict::Conflict;
pub use pending::{Backlog, Pending, Place, RowMismatch, Waiting};

/// DynamoDB's limits for one transaction: actions, and bytes of all items.
///
/// Source: DynamoDB API reference, `TransactWriteItems`.
const MAX_ACTIONS: usize = 100;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The bytes that one event adds to its own text: keys, attributes, the row that guards its id.
const BYTES_BESIDE: usize = 4 * 1024;

/// The number of index partitions for pending events, so that concurrent producers do not write to a single one.
const SHARDS: u8 = 8;

/// The sort key of the row with a stream's version.
pub(crate) const HEAD: &str = "head";

/// The prefix of the sort key of an event with a version.
const VERSION: &str = "version#";

/// The number of digits of a version in a sort key. With leading zeros, text sorts like numbers.
const DIGITS: usize = 20;

/// The outbox of one events table.
#[derive(Clone)]
pub struct Outbox {
    table: String,
}

/// The events of one aggregate, in the order of their versions: 1, 2, 3, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub tenant: Option<String>,
    /// The subject of the events, such as `order/7`.
    pub subject: String,
}

/// The writes that were added to a transaction. Keep it until the transaction is over: [`Appended::conflict`]
/// explains a cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream's version after the transaction.
    pub version: u64,
    /// A `ClientRequestToken` for the transaction, derived from the appended events. The same append, repeated
    /// within ten minutes, is executed once.
    ///
    /// The token does not cover the other writes of the transaction. If those differ between attempts, DynamoDB
    /// answers `IdempotentParameterMismatch`, and the first attempt counts.
    pub token: String,
    stream: Stream,
    expected: u64,
    /// The index of the head's update among the transaction's actions. Two actions per event follow.
    head_index: usize,
    ids: Vec<(String, String)>,
}

/// The reason why no writes were added to the transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("there is no event to append; leave the outbox out of this transaction")]
    Nothing,
    /// The event violates a rule of the envelope, or exceeds the size limit.
    #[error(
        "event {id} cannot be appended: {refusal}; a large payload belongs into S3, and its address into the event"
    )]
    Refused { id: String, refusal: Refusal },
    #[error(
        "event {id} belongs to another stream: {attribute} is {found:?}, the stream's is {wanted:?}; append it there"
    )]
    OtherStream { id: String, attribute: &'static str, found: String, wanted: String },
    #[error(
        "event {id} says sequence {found}, and its place in the stream is {wanted}; leave `sequence` out"
    )]
    Sequence { id: String, found: String, wanted: u64 },
    #[error("event {id} of {source_name} is in this append twice; give every event an id of its own")]
    Twice { id: String, source_name: String },
    #[error(
        "the transaction would have {found} actions, DynamoDB takes {MAX_ACTIONS}; append in several transactions"
    )]
    TooMany { found: usize },
    #[error(
        "the events have {found} bytes together, DynamoDB takes {MAX_BYTES} in a transaction; append fewer of them"
    )]
    TooLarge { found: usize },
}

impl Outbox {
    #[must_use]
    pub fn new(table: String) -> Outbox {
        Outbox { table }
    }

    /// Adds events to the caller's transaction. Each event adds its pending row with a version and a row that
    /// guards its id. The stream's head is updated once, on the condition that its version is `expected`.
    /// `expected` is 0 for a new stream.
    ///
    /// Events take subject, tenant and `sequence` from the stream. `now` is the time of the append. A caller that
    /// builds the transaction again for another attempt passes the same time.
    ///
    /// # Errors
    /// [`AppendError`] names the event, the found value and the fix. The transaction is unchanged.
    pub fn append(
        &self,
        transaction: &mut Vec<TransactWriteItem>,
        stream: &Stream,
        expected: u64,
        events: &[Event],
        now: Timestamp,
    ) -> Result<Appended, AppendError> {
        if events.is_empty() {
            return Err(AppendError::Nothing);
        }
        let found = transaction.len() + 1 + 2 * events.len();
        if found > MAX_ACTIONS {
            return Err(AppendError::TooMany { found });
        }
        let mut actions = Vec::with_capacity(1 + 2 * events.len());
        let mut ids: Vec<(String, String)> = Vec::with_capacity(events.len());
        let mut seen = BTreeSet::new();
        let mut token = Sha256::new();
        let mut bytes = 0;
        let mut version = expected;
        for event in events {
            version = version.saturating_add(1);
            if !seen.insert((&event.source, &event.id)) {
                return Err(AppendError::Twice { id: event.id.clone(), source_name: event.source.clone() });
            }
            let placed = stream.place(event, version)?;
            let text = placed.to_json();
            Event::parse(&text).map_err(|refusal| AppendError::Refused { id: event.id.clone(), refusal })?;
            bytes += text.len() + BYTES_BESIDE;
            token.update(text.as_bytes());
            let body = body_digest(&placed);
            actions.push(self.put(pending_item(&placed, text, version, now)));
            actions.push(self.put(guard_item(stream, event, version, &body)));
            ids.push((event.id.clone(), body));
        }
        if bytes > MAX_BYTES {
            return Err(AppendError::TooLarge { found: bytes });
        }
        token.update(stream.pk().as_bytes());
        token.update(self.table.as_bytes());
        let head_index = transaction.len();
        transaction.push(self.head(stream, expected, version));
        transaction.append(&mut actions);
        let token = URL_SAFE_NO_PAD.encode(&token.finalize()[..24]);
        Ok(Appended { version, token, stream: stream.clone(), expected, head_index, ids })
    }

    fn put(&self, item: Item) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.into_map()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = put.build().expect("a table and an item are all that a put needs");
        TransactWriteItem::builder().put(put).build()
    }

    fn head(&self, stream: &Stream, expected: u64, version: u64) -> TransactWriteItem {
        let key = Item::default().text("pk", stream.pk()).text("sk", HEAD);
        let number = |value: u64| aws_sdk_dynamodb::types::AttributeValue::N(value.to_string());
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.into_map()))
            .update_expression("SET #version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match expected {
            0 => update.condition_expression("attribute_not_exists(pk)"),
            _ => update
                .condition_expression("#version = :expected")
                .expression_attribute_values(":expected", number(expected)),
        };
        let update = update.build().expect("a table, a key and an expression are all that an update needs");
        TransactWriteItem::builder().update(update).build()
    }
}

impl Stream {
    #[must_use]
    pub fn new(tenant: Option<&str>, subject: &str) -> Stream {
        Stream { tenant: tenant.map(str::to_owned), subject: subject.to_owned() }
    }

    /// The partition key of the stream.
    pub(crate) fn pk(&self) -> String {
        key(&["stream", self.tenant.as_deref().unwrap_or("-"), &self.subject])
    }

    /// The event with the attributes of its place in this stream.
    fn place(&self, event: &Event, version: u64) -> Result<Event, AppendError> {
        let other = |attribute, found: &str, wanted: &str| AppendError::OtherStream {
            id: event.id.clone(),
            attribute,
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        };
        if let Some(found) = event.subject.as_deref().filter(|subject| *subject != self.subject) {
            return Err(other("subject", found, &self.subject));
        }
        if let Some(found) = event.tenant.as_deref().filter(|tenant| Some(*tenant) != self.tenant.as_deref())
        {
            return Err(other("tenant", found, self.tenant.as_deref().unwrap_or("-")));
        }
        if let Some(found) = event.sequence.as_ref().filter(|sequence| sequence.version() != Some(version)) {
            let found = found.as_str().to_owned();
            return Err(AppendError::Sequence { id: event.id.clone(), found, wanted: version });
        }
        let mut placed = event.clone();
        placed.subject = Some(self.subject.clone());
        placed.tenant.clone_from(&self.tenant);
        placed.sequence = Some(Sequence::of_version(version));
        Ok(placed)
    }
}

/// The sort key of an event with a version.
pub(crate) fn version_sk(version: u64) -> String {
    format!("{VERSION}{version:0DIGITS$}")
}

/// The version in a sort key of [`version_sk`].
fn version_of(sk: &str) -> Option<u64> {
    sk.strip_prefix(VERSION)?.parse().ok()
}

fn pending_item(event: &Event, text: String, version: u64, now: Timestamp) -> Item {
    let pk = crate::events::stream(event);
    let shard = shard(&pk);
    envelope_item(event)
        .text("pk", pk)
        .text("sk", version_sk(version))
        .number("version", i64::try_from(version).unwrap_or(i64::MAX))
        .text("digest", text_digest(&text))
        .text("pending", shard)
        .text("appended_at", now.to_string())
        .text("event", text)
}

fn guard_item(stream: &Stream, event: &Event, version: u64, body: &str) -> Item {
    Item::default()
        .text("pk", stream.pk())
        .text("sk", sort_key(&["id", &event.source, &event.id]))
        .number("version", i64::try_from(version).unwrap_or(i64::MAX))
        .text("body", body)
}

/// The digest that separates two bodies with one id: the producer's event without its place in the stream.
fn body_digest(event: &Event) -> String {
    text_digest(&Event { sequence: None, ..event.clone() }.to_json())
}

/// The value of `pending`. All events of a stream have the same value, so the index returns them in order.
fn shard(pk: &str) -> String {
    let sum = pk.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    (sum % SHARDS).to_string()
}

#[cfg(test)]
mod tests;
