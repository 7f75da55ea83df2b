//! The reasons why DynamoDB cancelled a transaction with appended events.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason};

use super::Appended;

/// The conflict of an append.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another producer appended first.
    #[error(
        "the stream of {subject} is at version {found}, not {expected}; read what is new, decide again, and append with \
         that version"
    )]
    WrongVersion {
        /// The subject of the stream.
        subject: String,
        /// The version that the append expected.
        expected: u64,
        /// The stream's version.
        found: u64,
    },
    /// An earlier attempt was executed, and its answer was lost.
    #[error(
        "event {id} stands in the stream already, at version {version}, as it is here; there is nothing left to do"
    )]
    AlreadyThere {
        /// The id of the event.
        id: String,
        /// The version of the stored event.
        version: u64,
    },
    /// One id with two bodies. A producer must not use an id twice.
    #[error(
        "event {id} stands in the stream already, at version {version}, with another body; an event is never changed: \
         give the new one an id of its own"
    )]
    OtherBody {
        /// The id of both events.
        id: String,
        /// The version of the stored event.
        version: u64,
    },
}

impl Appended {
    /// The outbox condition that cancelled the transaction. `reasons` are those of `TransactionCanceledException`,
    /// one for each action. `None` if another write of the caller was the cause, or no condition at all.
    #[must_use]
    pub fn conflict(&self, reasons: &[CancellationReason]) -> Option<Conflict> {
        let failed = |index: usize| {
            let reason =
                reasons.get(index).filter(|reason| reason.code() == Some("ConditionalCheckFailed"))?;
            Some(reason.item.clone().unwrap_or_default())
        };
        let version = |item: &HashMap<String, AttributeValue>| {
            let number = item.get("version").and_then(|value| value.as_n().ok());
            number.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        let mut there = None;
        for (nth, (id, body)) in self.ids.iter().enumerate() {
            let Some(guard) = failed(self.head_index + 2 + 2 * nth) else { continue };
            let (id, version) = (id.clone(), version(&guard));
            if guard.get("body").and_then(|value| value.as_s().ok()) != Some(body) {
                return Some(Conflict::OtherBody { id, version });
            }
            there = there.or(Some(Conflict::AlreadyThere { id, version }));
        }
        let wrong = || {
            let head = failed(self.head_index)?;
            let subject = self.stream.subject.clone();
            Some(Conflict::WrongVersion { subject, expected: self.expected, found: version(&head) })
        };
        there.or_else(wrong)
    }
}
