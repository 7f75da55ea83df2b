//! Why DynamoDB cancelled a transaction that had events in it.

use aws_sdk_dynamodb::types::CancellationReason;

use super::Appended;
use crate::item::Item;

/// What stood in the way of an append.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Somebody else appended first.
    #[error(
        "the stream of {subject} is at version {found}, not {expected}; read what is new, decide again, and append with \
         that version"
    )]
    WrongVersion { subject: String, expected: u64, found: u64 },
    /// An earlier attempt was carried out, and its answer was lost.
    #[error(
        "event {id} stands in the stream already, at version {version}, as it is here; there is nothing left to do"
    )]
    AlreadyThere { id: String, version: u64 },
    /// One id, two bodies: whoever makes the ids must not use one twice.
    #[error(
        "event {id} stands in the stream already, at version {version}, with another body; an event is never changed: \
         give the new one an id of its own"
    )]
    OtherBody { id: String, version: u64 },
}

impl Appended {
    /// What of the outbox cancelled the transaction: `reasons` are those of `TransactionCanceledException`, one for each
    /// action. `None` when it was another of the caller's writes, or no condition at all.
    #[must_use]
    pub fn conflict(&self, reasons: &[CancellationReason]) -> Option<Conflict> {
        let failed = |at: usize| {
            let reason = reasons.get(at).filter(|reason| reason.code() == Some("ConditionalCheckFailed"))?;
            Some(reason.item.clone().map(Item::from).unwrap_or_default())
        };
        let version = |item: &Item| {
            item.get_number("version").and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
        };
        let mut there = None;
        for (nth, (id, body)) in self.ids.iter().enumerate() {
            let Some(guard) = failed(self.at + 2 + 2 * nth) else { continue };
            let (id, version) = (id.clone(), version(&guard));
            if guard.get("body") != Some(body) {
                return Some(Conflict::OtherBody { id, version });
            }
            there = there.or(Some(Conflict::AlreadyThere { id, version }));
        }
        let wrong = || {
            let head = failed(self.at)?;
            let subject = self.stream.subject.clone();
            Some(Conflict::WrongVersion { subject, expected: self.expected, found: version(&head) })
        };
        there.or_else(wrong)
    }
}
