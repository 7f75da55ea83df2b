//! The outbox: events that a producer writes in its own transaction. Each is pending until the audit has seen it on
//! the bus.
//!
//! This module makes no calls. [`Outbox::append`] adds writes to the caller's transaction. Carillon's relay reads and
//! publishes them.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carillon_event::outbox::{
    HEAD, IS_NEW, NotInStream, Row, Stream, Value, body_digest, guard_row, pending_row, unordered_row,
};
use carillon_event::{Event, Refusal, Timestamp};
use sha2::{Digest as _, Sha256};

mod conflict;

pub use conflict::Conflict;

/// DynamoDB's limits for one transaction: actions, and bytes of all items.
///
/// Source: DynamoDB API reference, `TransactWriteItems`.
const MAX_ACTIONS: usize = 100;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The bytes that one event adds to its own text: keys, attributes, the row that guards its id.
const BYTES_BESIDE: usize = 4 * 1024;

/// The outbox of one events table.
#[derive(Clone)]
pub struct Outbox {
    table: String,
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
    /// The list of events is empty.
    #[error("there is no event to append; leave the outbox out of this transaction")]
    Nothing,
    /// The event violates a rule of the envelope, or exceeds the size limit.
    #[error(
        "event {id} cannot be appended: {refusal}; a large payload belongs into S3, and its address into the event"
    )]
    Refused {
        /// The id of the event.
        id: String,
        /// The violated rule.
        refusal: Refusal,
    },
    /// The event names another subject, tenant or sequence than its place in the stream.
    #[error(transparent)]
    NotInStream(#[from] NotInStream),
    /// The event of an unordered row has a version.
    #[error("event {id} has the sequence of a stream; append it to its stream, or leave `sequence` out")]
    Ordered {
        /// The id of the event.
        id: String,
    },
    /// Two events of the append have one id.
    #[error("event {id} of {source_name} is in this append twice; give every event an id of its own")]
    Twice {
        /// The id of both events.
        id: String,
        /// The source of both events.
        source_name: String,
    },
    /// The transaction would have more actions than DynamoDB takes.
    #[error(
        "the transaction would have {found} actions, DynamoDB takes {MAX_ACTIONS}; append in several transactions"
    )]
    TooMany {
        /// The number of actions, including the caller's.
        found: usize,
    },
    /// The events are larger than DynamoDB's limit for a transaction.
    #[error(
        "the events have {found} bytes together, DynamoDB takes {MAX_BYTES} in a transaction; append fewer of them"
    )]
    TooLarge {
        /// The size of all rows of the append, in bytes.
        found: usize,
    },
}

impl Outbox {
    /// The outbox in the events table of this name.
    #[must_use]
    pub fn new(table: impl Into<String>) -> Outbox {
        Outbox { table: table.into() }
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
            actions.push(self.put(pending_row(&placed, text, version, now)));
            actions.push(self.put(guard_row(stream, event, version, &body)));
            ids.push((event.id.clone(), body));
        }
        if bytes > MAX_BYTES {
            return Err(AppendError::TooLarge { found: bytes });
        }
        token.update(stream.partition().as_bytes());
        token.update(self.table.as_bytes());
        let head_index = transaction.len();
        transaction.push(self.head(stream, expected, version));
        transaction.append(&mut actions);
        let token = URL_SAFE_NO_PAD.encode(&token.finalize()[..24]);
        Ok(Appended { version, token, stream: stream.clone(), expected, head_index, ids })
    }

    /// The write of an event that has no order, alone or in the caller's transaction. A cancellation for its
    /// condition means that the event is in the outbox already.
    ///
    /// The event's `time` may precede `now`, the time of the append.
    ///
    /// # Errors
    /// [`AppendError`] if the event violates a rule of the envelope, or has a version in `sequence`.
    pub fn write_unordered(&self, event: &Event, now: Timestamp) -> Result<TransactWriteItem, AppendError> {
        let id = || event.id.clone();
        Event::parse(&event.to_json()).map_err(|refusal| AppendError::Refused { id: id(), refusal })?;
        if event.sequence.as_ref().is_some_and(|sequence| sequence.version().is_some()) {
            return Err(AppendError::Ordered { id: id() });
        }
        Ok(self.put(unordered_row(event, now)))
    }

    fn put(&self, row: Row) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item(row)))
            .condition_expression(IS_NEW)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = put.build().expect("a table and an item are all that a put needs");
        TransactWriteItem::builder().put(put).build()
    }

    fn head(&self, stream: &Stream, expected: u64, version: u64) -> TransactWriteItem {
        let number = |value: u64| AttributeValue::N(value.to_string());
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(stream.partition()))
            .key("sk", AttributeValue::S(HEAD.to_owned()))
            .update_expression("SET #version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match expected {
            0 => update.condition_expression(IS_NEW),
            _ => update
                .condition_expression("#version = :expected")
                .expression_attribute_values(":expected", number(expected)),
        };
        let update = update.build().expect("a table, a key and an expression are all that an update needs");
        TransactWriteItem::builder().update(update).build()
    }
}

/// A row as the SDK takes it.
fn item(row: Row) -> HashMap<String, AttributeValue> {
    let value = |value| match value {
        Value::Text(text) => AttributeValue::S(text),
        Value::Number(number) => AttributeValue::N(number.to_string()),
    };
    row.into_iter().map(|(name, content)| (name.to_owned(), value(content))).collect()
}

#[cfg(test)]
mod tests;
