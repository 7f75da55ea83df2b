//! The invariants that must hold under all faults.
//!
//! Source: `docs/contract/invariants.md` G1 to G3 and G6.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::base::channel::{Channel, OnUnknown};
use domain::delivery::job::Job;
use domain::event::key::Key;
use store::Settlement;

use domain::base::outcome::Status;

use crate::digests::Digests;

/// The time between the expiry check of a job and its send. The check for a cancellation lies between them: one call,
/// as long as an invocation at most. Without this check, only the provider's own time remains.
const ONE_INVOCATION_S: i64 = 30;
const ONE_SEND_S: i64 = 1;

/// The requirements of dispatch for a job.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    expires_at: Option<Timestamp>,
    on_unknown: OnUnknown,
    /// The channel that takes over after a failure.
    pub(crate) failover: Option<Channel>,
}

impl Order {
    fn of(job: &Job) -> Order {
        let failover = job.failover.as_ref().map(|failover| failover.to);
        Order { expires_at: job.expires_at, on_unknown: job.on_unknown, failover }
    }
}

/// The observations of a simulation.
#[derive(Default)]
pub(crate) struct Check {
    pub(crate) violations: Vec<String>,
    /// P(k): the number of times a provider accepted the notification.
    pub(crate) accepted: BTreeMap<Key, u32>,
    /// amb(k): the number of sends with an unknown result.
    pub(crate) ambiguous: BTreeMap<Key, u32>,
    /// Accepted sends that are not recorded yet, by the claim's token.
    open: BTreeSet<(String, Key)>,
    /// The rule, recipient and channel of each key.
    uses: BTreeMap<Key, String>,
    /// The requirements of dispatch for each key.
    pub(crate) orders: BTreeMap<Key, Order>,
    /// The jobs that a channel's queue accepted.
    pub(crate) queued: BTreeSet<Key>,
    /// The versions of each aggregate that have been on the bus.
    published: BTreeMap<String, BTreeSet<u64>>,
    /// Aggregates whose records a stream lost. The sweep publishes these records, but not in order.
    pub(crate) out_of_order: BTreeSet<String>,
    /// All rows that were committed to each stream, by version, with the event's id.
    appended: BTreeMap<(String, u64), String>,
    /// The stream and version of each event id.
    ids: BTreeMap<String, (String, u64)>,
    /// Accepted events: stored in the outbox, or taken by the bus.
    pub(crate) events: BTreeMap<String, String>,
    /// The messages of digests.
    pub(crate) digests: Digests,
}

impl Check {
    pub(crate) fn violated(&mut self, what: String) {
        if self.violations.len() < 20 {
            self.violations.push(what);
        }
    }

    pub(crate) fn accepted_of(&self, key: &Key) -> u32 {
        self.accepted.get(key).copied().unwrap_or(0)
    }

    pub(crate) fn ambiguous_of(&self, key: &Key) -> u32 {
        self.ambiguous.get(key).copied().unwrap_or(0)
    }

    /// Records a job that dispatch made.
    pub(crate) fn ordered(&mut self, job: &Job) {
        self.orders.entry(job.key.clone()).or_insert(Order::of(job));
    }

    /// Records that a provider accepted a job, and checks the invariants of a send.
    pub(crate) fn sent(
        &mut self,
        job: &Job,
        token: &str,
        now: Timestamp,
        looked: Timestamp,
        cancelled_at: Option<Timestamp>,
    ) {
        let key = &job.key;
        *self.accepted.entry(key.clone()).or_default() += 1;
        self.open.insert((token.to_owned(), key.clone()));
        let (sends, doubts) = (self.accepted_of(key), self.ambiguous_of(key));
        if sends > 1 + doubts {
            self.violated(format!("G2: {} sent {sends} times, {doubts} in doubt", key.as_str()));
        }
        let Order { expires_at, on_unknown, .. } =
            self.orders.get(key).copied().unwrap_or_else(|| Order::of(job));
        if on_unknown == OnUnknown::Hold && sends > 1 {
            self.violated(format!("{} sent {sends} times, and it is held if in doubt", key.as_str()));
        }
        let used = format!("{} {} {}", job.rule, job.recipient, job.channel().name());
        let first = self.uses.entry(key.clone()).or_insert_with(|| used.clone()).clone();
        if first != used {
            self.violated(format!("one key for two: {first} and {used}"));
        }
        let slack = if job.cancel.is_some() { ONE_INVOCATION_S } else { ONE_SEND_S };
        if expires_at.is_some_and(|expires_at| now.duration_since(expires_at).as_secs() >= slack) {
            self.violated(format!("{} sent after it expired", key.as_str()));
        }
        if cancelled_at.is_some_and(|cancelled_at| cancelled_at < looked) {
            self.violated(format!("{} sent after it was cancelled", key.as_str()));
        }
        if let Err(violation) = self.digests.sent(job) {
            self.violated(violation);
        }
    }

    /// Records that the result of a send is unknown: the send or its record may be missing.
    pub(crate) fn doubt(&mut self, token: &str, key: &Key) {
        if self.open.remove(&(token.to_owned(), key.clone())) {
            *self.ambiguous.entry(key.clone()).or_default() += 1;
        }
    }

    /// Records the end of an invocation that died. All its unrecorded sends have an unknown result.
    pub(crate) fn died(&mut self, token: &str) {
        let keys: Vec<Key> = self.open.iter().filter(|it| it.0 == token).map(|it| it.1.clone()).collect();
        keys.iter().for_each(|key| self.doubt(token, key));
    }

    /// Records a settled outcome.
    pub(crate) fn settled(&mut self, it: &Settlement, token: &str) {
        self.open.remove(&(token.to_owned(), it.key.clone()));
        self.stands(&it.key, it.status);
    }

    /// Checks that the recorded status agrees with the observed sends.
    pub(crate) fn stands(&mut self, key: &Key, status: Status) {
        let (sends, doubts) = (self.accepted_of(key), self.ambiguous_of(key));
        let key = key.as_str();
        match status {
            Status::Sent if sends == 0 => self.violated(format!("G2: {key} is sent, and was not")),
            Status::Sent if doubts == 0 && sends != 1 => {
                self.violated(format!("G2: {key} is sent, and was {sends} times"));
            }
            Status::Suppressed | Status::Failed if sends > doubts => {
                self.violated(format!("G2: {key} is {}, and was sent", status.name()));
            }
            Status::Sent
            | Status::Suppressed
            | Status::Failed
            | Status::Claimed
            | Status::Released
            | Status::Deferred
            | Status::Unknown
            | Status::Unconfirmed
            | Status::Undelivered
            | Status::Bounced
            | Status::Delivered => {}
        }
    }

    /// Records a committed row with its version.
    pub(crate) fn append(&mut self, pk: &str, version: u64, id: &str, text: &str) {
        let place = (pk.to_owned(), version);
        if let Some(before) = self.appended.insert(place.clone(), id.to_owned()) {
            self.violated(format!("G3: {pk} has two events of version {version}: {before} and {id}"));
        }
        if version > 1 && !self.appended.contains_key(&(pk.to_owned(), version - 1)) {
            self.violated(format!("G3: {pk} has a gap before version {version}"));
        }
        if let Some((_, before)) = self.ids.insert(id.to_owned(), place) {
            self.violated(format!("G3: event {id} stands twice, at versions {before} and {version}"));
        }
        self.events.insert(id.to_owned(), text.to_owned());
    }

    /// Records that an event of an aggregate is on the bus. `is_after_pending`: the version before it is still pending
    /// in the outbox.
    pub(crate) fn published(&mut self, pk: &str, version: u64, is_lost: bool, is_after_pending: bool) {
        let seen = self.published.entry(pk.to_owned()).or_default();
        seen.insert(version);
        let is_gap = is_after_pending && !seen.contains(&(version - 1));
        if is_gap && !is_lost {
            self.violated(format!("G3: {pk}: version {version} on the bus before version {}", version - 1));
        }
    }
}
