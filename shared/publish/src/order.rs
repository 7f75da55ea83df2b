//! Putting events on the bus in the order of their aggregates.
//!
//! EventBridge may refuse one entry of a call and take the next. So no call has two events of one aggregate: the second
//! is offered when the first is on the bus, and not before.

use std::collections::BTreeSet;

use aws::{Refused, Verdict};
use domain::batches::{Batch, split};
use futures_util::stream::{self, StreamExt as _};

use crate::{BYTES_PER_CALL, Bus, ENTRIES_PER_CALL, Entry, too_large};

/// How many calls are on their way at once.
const AT_ONCE: usize = 4;

/// An entry and the aggregate in whose order it stands; `None` where there is no order.
#[derive(Clone, PartialEq, Eq)]
pub struct InOrder {
    pub aggregate: Option<String>,
    pub entry: Entry,
    /// What EventBridge hands on as the event's `resources`.
    pub resources: Vec<String>,
}

impl InOrder {
    /// As EventBridge counts it: the entry, and its resources.
    fn bytes(&self) -> usize {
        self.entry.bytes() + self.resources.iter().map(String::len).sum::<usize>()
    }
}

/// What became of an entry.
#[derive(Debug)]
pub enum Put {
    /// It is on the bus, under this id of EventBridge's.
    Done(String),
    /// The bus will never take it. What comes after it in its aggregate was put all the same.
    Never(Refused),
    /// It is not known to be on the bus, and nothing of its aggregate was put after it: offer it again. Where the answer
    /// was lost it may be there twice then, under one id.
    NotYet(Refused),
    /// An entry of its aggregate before it is not on the bus, or there was no time left: offer it again.
    Held,
}

/// What takes one call's entries.
pub trait Takes {
    /// Offers up to ten entries with their resources. The answers are in their order: the bus's id, or why it is not
    /// known to be on the bus.
    fn put_call(&self, entries: &[&InOrder]) -> impl Future<Output = Vec<Result<String, Refused>>>;

    /// Puts entries on the bus; within an aggregate in their order, and nothing after an entry that is not there yet. The
    /// answers are in the order of the entries. Only what failed is offered again, as [`Bus::put`] does.
    ///
    /// `may_go_on` is asked before each round.
    fn put_in_order(
        &self,
        entries: &[InOrder],
        may_go_on: impl Fn() -> bool,
    ) -> impl Future<Output = Vec<Put>> {
        put_in_order(self, entries, may_go_on)
    }
}

impl Takes for Bus {
    async fn put_call(&self, entries: &[&InOrder]) -> Vec<Result<String, Refused>> {
        let offers: Vec<(&Entry, &[String])> =
            entries.iter().map(|entry| (&entry.entry, entry.resources.as_slice())).collect();
        Bus::put_call(self, &offers).await
    }
}

async fn put_in_order<B: Takes + ?Sized>(
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
        let size = |at: &usize| entries[*at].bytes();
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
/// The first open entry of every aggregate that goes on, and all that stand in no order; in their order.
fn next_round(entries: &[InOrder], open: &[usize], held: &BTreeSet<&str>) -> Vec<usize> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let goes = |at: &&usize| match entries[**at].aggregate.as_deref() {
        Some(aggregate) => !held.contains(aggregate) && taken.insert(aggregate),
        None => true,
    };
    open.iter().filter(goes).copied().collect()
}

fn sort(answer: Result<String, Refused>) -> Put {
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
