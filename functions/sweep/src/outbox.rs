//! Publishes stale outbox entries again, each stream in order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws::CallError;
use domain::Timestamp;
use domain::event::outbox_mark::MarkKey;
use outbox_relay::{Quarantine, Relay, RelayResult, Row};
use publish::{EventBridge, PublishCalls};
use store::{Backlog, Pending, Place, Waiting};

use crate::Swept;

/// The age at which a pending event is published again. Relay, bus and audit need seconds.
pub const MIN_AGE: Duration = Duration::from_secs(60);

/// The tolerated error of a producer's clock. An event with a later time does not delay the others.
const MAX_AHEAD: Duration = Duration::from_secs(300);

/// The number of events read and published at once.
const AT_ONCE: usize = 200;

/// A read view of the outbox, see [`Waiting`].
pub trait OutboxView {
    /// See [`Waiting::backlog`].
    fn backlog(&self) -> impl Future<Output = Result<Backlog, CallError>>;

    /// See [`Waiting::read`].
    fn read(&self, places: &[Place]) -> impl Future<Output = Result<Vec<Pending>, CallError>>;
}

impl OutboxView for Waiting {
    async fn backlog(&self) -> Result<Backlog, CallError> {
        Waiting::backlog(self).await
    }

    async fn read(&self, places: &[Place]) -> Result<Vec<Pending>, CallError> {
        Waiting::read(self, places).await
    }
}

/// The stale entries of the outbox, which the stream has passed.
pub struct StaleOutbox<B = EventBridge, W = Waiting> {
    waiting: W,
    relay: Relay<B, W>,
    marks: MarkKey,
    min_age: Duration,
}

impl<B: PublishCalls, W: OutboxView + Quarantine> StaleOutbox<B, W> {
    /// Creates an instance that publishes entries pending for `min_age`.
    #[must_use]
    pub fn new(waiting: W, relay: Relay<B, W>, marks: MarkKey, min_age: Duration) -> StaleOutbox<B, W> {
        StaleOutbox { waiting, relay, marks, min_age }
    }

    /// Publishes stale entries, oldest first and each stream in order. The flag is true if more entries
    /// remain.
    ///
    /// # Errors
    /// The index or the table was not read.
    pub async fn publish(
        &self,
        began: Timestamp,
        has_time: impl Fn() -> bool,
    ) -> Result<(Swept, bool), CallError> {
        let backlog = self.waiting.backlog().await?;
        let mut swept = counted(&backlog, began);
        let due = self.complete(due(&backlog, began, self.min_age)).await?;
        for some in due.chunks(AT_ONCE) {
            if !has_time() {
                break;
            }
            let pending = self.waiting.read(some).await?.into_iter();
            let rows: Vec<Row> = pending.map(|pending| Row::read(pending, &self.marks)).collect();
            for (row, relayed) in rows.iter().zip(self.relay.publish(&rows, began, &has_time).await) {
                swept.note(row.place(), relayed);
            }
            if swept.again > 0 {
                // Later versions of the same streams must not be published first.
                break;
            }
        }
        swept.failed += swept.set_aside;
        Ok((swept, backlog.is_cut))
    }

    /// Puts before each version the pending one that precedes it. The index can lag behind the table,
    /// and its end may not have been read.
    async fn complete(&self, mut due: Vec<Place>) -> Result<Vec<Place>, CallError> {
        let mut open = before(&due);
        while !open.is_empty() {
            let found: Vec<Place> =
                self.waiting.read(&open).await?.into_iter().map(|entry| entry.place).collect();
            open = before(&found);
            for place in found {
                let at = due.iter().position(|entry| entry.before().as_ref() == Some(&place));
                due.insert(at.unwrap_or(0), place);
            }
        }
        Ok(due)
    }
}

impl Swept {
    fn note(&mut self, place: &Place, relayed: RelayResult) {
        match relayed {
            RelayResult::Published => self.published += 1,
            RelayResult::SetAside(cause) => {
                self.set_aside += 1;
                tracing::error!(
                    code = "OUTBOX_EVENT_FAILED",
                    row.pk = place.pk,
                    row.sk = place.sk,
                    cause,
                    "outbox entry marked as failed: the bus refuses its event"
                );
            }
            RelayResult::Again(cause) => {
                self.again += 1;
                tracing::warn!(
                    code = "OUTBOX_RETRY",
                    row.pk = place.pk,
                    row.sk = place.sk,
                    cause,
                    "outbox entry stays pending: its event was not published"
                );
            }
        }
    }
}

fn counted(backlog: &Backlog, now: Timestamp) -> Swept {
    let oldest = backlog.pending.first().map(|(_, at)| now.duration_since(*at));
    let oldest = oldest.and_then(|oldest| Duration::try_from(oldest).ok()).unwrap_or_default();
    Swept {
        pending: backlog.pending.len(),
        oldest_seconds: oldest.as_secs(),
        failed: backlog.failed.len(),
        ..Swept::default()
    }
}

/// The entries that are old enough, oldest first. The versions of a stream keep their order, whatever
/// their producers' clocks said. An old version includes the pending ones before it.
fn due(backlog: &Backlog, now: Timestamp, min_age: Duration) -> Vec<Place> {
    let old_enough = now.saturating_sub(min_age).unwrap_or(now);
    let too_far_ahead = now.saturating_add(MAX_AHEAD).unwrap_or(now);
    let is_due = |at: Timestamp| at <= old_enough || at > too_far_ahead;
    let mut up_to: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, _) in backlog.pending.iter().filter(|(_, at)| is_due(*at)) {
        if let Some(version) = place.version() {
            let last = up_to.entry(&place.pk).or_default();
            *last = version.max(*last);
        }
    }
    let goes_along = |place: &Place| place.version() <= up_to.get(place.pk.as_str()).copied();
    let mut due: Vec<Place> = backlog
        .pending
        .iter()
        .filter(|(place, at)| if place.version().is_some() { goes_along(place) } else { is_due(*at) })
        .map(|(place, _)| place.clone())
        .collect();
    sort_streams(&mut due);
    due
}

/// Sorts the versions within each stream, without changing the positions of the streams.
fn sort_streams(due: &mut [Place]) {
    let mut streams: BTreeMap<String, Vec<(u64, Place)>> = BTreeMap::new();
    for place in due.iter() {
        let Some(version) = place.version() else { continue };
        streams.entry(place.pk.clone()).or_default().push((version, place.clone()));
    }
    // The last element is taken first.
    streams.values_mut().for_each(|versions| versions.sort_by_key(|(version, _)| Reverse(*version)));
    for place in due.iter_mut().filter(|entry| entry.version().is_some()) {
        if let Some((_, next)) = streams.get_mut(&place.pk).and_then(Vec::pop) {
            *place = next;
        }
    }
}

/// The missing predecessors of these versions.
fn before(due: &[Place]) -> Vec<Place> {
    let known: BTreeSet<&Place> = due.iter().collect();
    due.iter().filter_map(Place::before).filter(|entry| !known.contains(entry)).collect()
}

#[cfg(test)]
mod tests;
