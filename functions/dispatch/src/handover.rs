//! What a batch leads to leaves the function: cancellations first, then what is left for later, then jobs and outcomes.

use std::collections::BTreeSet;

use aws::Refused;
use domain::Timestamp;
use domain::cancel::{CancelKey, Cancellation};
use domain::channel::Channel;
use futures_util::stream::{self, StreamExt as _};
use queue::{Outgoing, Queue};
use runtime::{Message, chain};
use store::{Counters, Ledger, LedgerRow};

use crate::Work;
use crate::lane::{Lanes, Leaving};
use crate::unfold::Onward;

/// How many calls are on their way at once.
const AT_ONCE: usize = 8;

/// How many messages one call to a queue carries.
const PER_CALL: usize = 10;

/// Where everything goes.
pub(crate) struct Handover {
    /// Every channel's queue, and its queue for what is critical.
    pub(crate) channels: Vec<(Channel, bool, Queue)>,
    pub(crate) lanes: Lanes,
    pub(crate) counters: Counters,
    pub(crate) ledger: Ledger,
}

/// Everything a batch leads to, each with the place of its message.
#[derive(Default)]
pub(crate) struct Harvest<'a> {
    messages: Vec<&'a Message>,
    jobs: Vec<(usize, (Channel, bool), Outgoing)>,
    outcomes: Vec<(usize, LedgerRow)>,
    later: Vec<(usize, Leaving)>,
    /// With the event that cancels.
    cancelled: Vec<(usize, CancelKey, Cancellation)>,
    pages: Vec<(usize, String)>,
}

/// How much it is.
pub(crate) struct Counts {
    pub(crate) jobs: usize,
    pub(crate) outcomes: usize,
    pub(crate) later: usize,
}

impl<'a> Harvest<'a> {
    pub(crate) fn add(&mut self, message: &'a Message, work: Work) {
        let at = self.messages.len();
        self.messages.push(message);
        self.jobs.extend(work.jobs.into_iter().map(|(channel, critical, it)| (at, (channel, critical), it)));
        self.outcomes.extend(work.outcomes.into_iter().map(|outcome| (at, outcome)));
        self.later.extend(work.later.into_iter().map(|it| (at, it)));
        self.cancelled.extend(work.cancelled.into_iter().map(|(key, it)| (at, key, it)));
    }

    /// What the message that was added last asks to be gone on with.
    pub(crate) fn go_on(&mut self, onward: Onward) {
        let at = self.messages.len().saturating_sub(1);
        self.later.extend(onward.later.into_iter().map(|it| (at, it)));
        self.pages.extend(onward.page.map(|page| (at, page)));
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { jobs: self.jobs.len(), outcomes: self.outcomes.len(), later: self.later.len() }
    }
}

impl Handover {
    /// Hides a message of dispatch's own queues for a while.
    pub(crate) async fn hide(&self, message: &Message, pause: std::time::Duration) -> Result<(), Refused> {
        self.lanes.show_after(message, pause).await
    }

    /// Hands everything over, and returns the messages of which something is missing. All of it may be handed over
    /// again: it has the same keys.
    pub(crate) async fn hand_over<'a>(&self, harvest: Harvest<'a>, now: Timestamp) -> Vec<&'a Message> {
        let mut missing: BTreeSet<usize> = BTreeSet::new();
        for (at, key, it) in &harvest.cancelled {
            note(
                &mut missing,
                *at,
                self.counters.cancel(key, it, now).await,
                "a cancellation was not stored",
            );
        }
        let left: Vec<(usize, Result<(), Refused>)> = stream::iter(harvest.later)
            .map(|(at, it)| async move { (at, self.lanes.leave(it, now).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (at, left) in left {
            note(&mut missing, at, left, "a continuation was not scheduled");
        }
        for (at, sent) in self.send(harvest.jobs).await {
            note(&mut missing, at, sent, "a job was not queued");
        }
        let (ats, rows): (Vec<usize>, Vec<LedgerRow>) = harvest.outcomes.into_iter().unzip();
        for (at, recorded) in ats.into_iter().zip(self.ledger.record(&rows, now).await) {
            note(&mut missing, at, recorded, "an outcome was not stored");
        }
        for (at, page) in harvest.pages {
            if missing.contains(&at) {
                continue;
            }
            if let Err(refused) = self.counters.page_done(&page, now).await {
                // The page may be told again: under the same keys.
                tracing::warn!(
                    code = "DISPATCH_PAGE_NOT_MARKED",
                    error = chain(&refused),
                    "page of an audience not marked as done: a repeat sends the same keys"
                );
            }
        }
        missing.into_iter().filter_map(|at| harvest.messages.get(at).copied()).collect()
    }

    async fn send(&self, jobs: Vec<(usize, (Channel, bool), Outgoing)>) -> Vec<(usize, Result<(), Refused>)> {
        let mut calls: Vec<(&Queue, Vec<usize>, Vec<Outgoing>)> = Vec::new();
        let mut jobs = jobs;
        for (channel, critical, queue) in &self.channels {
            let (of_channel, others): (Vec<_>, Vec<_>) =
                jobs.into_iter().partition(|(_, it, _)| *it == (*channel, *critical));
            jobs = others;
            let mut of_channel = of_channel.into_iter().peekable();
            while of_channel.peek().is_some() {
                let (ats, messages) = of_channel.by_ref().take(PER_CALL).map(|(at, _, it)| (at, it)).unzip();
                calls.push((queue, ats, messages));
            }
        }
        let sent: Vec<Vec<(usize, Result<(), Refused>)>> = stream::iter(calls)
            .map(|(queue, ats, messages)| async move {
                ats.into_iter().zip(queue.send(&messages).await).collect()
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        sent.into_iter().flatten().collect()
    }
}

fn note(missing: &mut BTreeSet<usize>, at: usize, done: Result<(), Refused>, what: &'static str) {
    if let Err(refused) = done {
        tracing::error!(
            code = "DISPATCH_RETRY",
            error = chain(&refused),
            "message returned to the queue: {what}"
        );
        missing.insert(at);
    }
}
