//! Publishes events in the order of their aggregates.
//!
//! EventBridge can refuse one entry of a call and accept the next one. No call therefore contains two
//! events of one aggregate. The second event is sent after the first one is on the bus.

use std::collections::BTreeSet;

use carillon_event::batches::{Batch, split};
use carillon_sdk_error::{CallError, Verdict};
use futures_util::stream::{self, StreamExt as _};

use crate::event_bridge::{BYTES_PER_CALL, ENTRIES_PER_CALL, Entry, EventBridge, too_large};

/// The number of parallel calls.
const AT_ONCE: usize = 4;

/// An entry and its aggregate. `None` means that the entry has no order.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InOrder {
    /// The name of the aggregate. Entries with one name are published in their order.
    pub aggregate: Option<String>,
    /// The entry.
    pub entry: Entry,
}

impl InOrder {
    /// An entry of an aggregate, or one without an order.
    #[must_use]
    pub fn new(aggregate: Option<String>, entry: Entry) -> InOrder {
        InOrder { aggregate, entry }
    }
}

/// The result of one entry.
#[derive(Debug)]
pub enum Put {
    /// The entry is on the bus. The value is EventBridge's id.
    Done(String),
    /// The bus refuses the entry for good. Later entries of its aggregate were published.
    Never(CallError),
    /// The entry may not be on the bus, and no later entry of its aggregate was published. Send it
    /// again. If the answer was lost, the event can arrive twice under one id.
    NotYet(CallError),
    /// An earlier entry of its aggregate is not on the bus, or the time is up. Send it again.
    Held,
}

/// A destination for the entries of one call.
pub trait PublishCalls {
    /// Sends up to ten entries. The results are in the order of the entries:
    /// EventBridge's id, or the error.
    fn put_call(&self, entries: &[&InOrder]) -> impl Future<Output = Vec<Result<String, CallError>>>;

    /// Publishes entries, those of an aggregate in their order. An entry waits until its predecessor is
    /// on the bus. The results are in the order of the entries. Only failed entries are sent again, as
    /// in [`EventBridge::put`].
    ///
    /// `may_go_on` is called before each round.
    fn put_in_order(
        &self,
        entries: &[InOrder],
        may_go_on: impl Fn() -> bool,
    ) -> impl Future<Output = Vec<Put>> {
        put_in_order(self, entries, may_go_on)
    }
}

impl PublishCalls for EventBridge {
    async fn put_call(&self, entries: &[&InOrder]) -> Vec<Result<String, CallError>> {
        let offers: Vec<&Entry> = entries.iter().map(|entry| &entry.entry).collect();
        self.put_entries(&offers).await
    }
}

async fn put_in_order<B: PublishCalls + ?Sized>(
    bus: &B,
    entries: &[InOrder],
    may_go_on: impl Fn() -> bool,
) -> Vec<Put> {
    let mut results: Vec<Put> = entries.iter().map(|_| Put::Held).collect();
    let mut open: Vec<usize> = (0..entries.len()).collect();
    let mut held: BTreeSet<&str> = BTreeSet::new();
    while !open.is_empty() && may_go_on() {
        let round = next_round(entries, &open, &held);
        if round.is_empty() {
            break;
        }
        let size = |at: &usize| entries[*at].entry.bytes();
        let calls = split(&round, ENTRIES_PER_CALL, BYTES_PER_CALL, size);
        let mut too_large_at = Vec::new();
        let mut fitting: Vec<&[usize]> = Vec::with_capacity(calls.len());
        let mut passed = 0;
        for call in calls {
            match call {
                Batch::Fits(some) => {
                    passed += some.len();
                    fitting.push(some);
                }
                Batch::TooLarge(bytes) => {
                    too_large_at.push((round[passed], bytes));
                    passed += 1;
                }
            }
        }
        for (at, bytes) in too_large_at {
            results[at] = Put::Never(too_large(bytes));
        }
        let answers: Vec<Vec<(usize, Put)>> = stream::iter(fitting)
            .map(|ats| async move {
                let some: Vec<&InOrder> = ats.iter().map(|&at| &entries[at]).collect();
                let answers = bus.put_call(&some).await;
                ats.iter().copied().zip(answers.into_iter().map(sort)).collect()
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (at, put) in answers.into_iter().flatten() {
            if let (Put::NotYet(_), Some(aggregate)) = (&put, &entries[at].aggregate) {
                held.insert(aggregate);
            }
            results[at] = put;
        }
        open.retain(|at| round.binary_search(at).is_err());
    }
    results
}

/// The first open entry of every aggregate that is not held, and all unordered entries, in their order.
fn next_round(entries: &[InOrder], open: &[usize], held: &BTreeSet<&str>) -> Vec<usize> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let goes = |at: &&usize| match entries[**at].aggregate.as_deref() {
        Some(aggregate) => !held.contains(aggregate) && taken.insert(aggregate),
        None => true,
    };
    open.iter().filter(goes).copied().collect()
}

fn sort(answer: Result<String, CallError>) -> Put {
    match answer {
        Ok(id) => Put::Done(id),
        Err(refused) => match refused.verdict {
            Verdict::Permanent => Put::Never(refused),
            Verdict::Transient | Verdict::Throttled | Verdict::Denied | Verdict::Unanswered => {
                Put::NotYet(refused)
            }
        },
    }
}

#[cfg(test)]
mod tests;
