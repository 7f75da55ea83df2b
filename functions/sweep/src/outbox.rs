//! What stayed pending in the outbox: published again, each stream in its order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws::Refused;
use domain::Timestamp;
use domain::outbox_mark::MarkKey;
use publish::{Bus, Quarantine, Relay, Relayed, Row, Takes};
use store::{Backlog, Pending, Place, Waiting};

use crate::Swept;

/// How long an event may be pending before it is published again: relay, bus and audit need seconds.
pub const MIN_AGE: Duration = Duration::from_secs(60);

/// A producer's clock may be wrong. What claims to be of a later time than this is not waited for.
const MAX_AHEAD: Duration = Duration::from_secs(300);

/// How many events are read and published at once.
const AT_ONCE: usize = 200;

/// What shows the outbox, as [`Waiting`] describes it.
pub trait Looks {
    /// See [`Waiting::backlog`].
    fn backlog(&self) -> impl Future<Output = Result<Backlog, Refused>>;

    /// See [`Waiting::read`].
    fn read(&self, places: &[Place]) -> impl Future<Output = Result<Vec<Pending>, Refused>>;
}

impl Looks for Waiting {
    async fn backlog(&self) -> Result<Backlog, Refused> {
        Waiting::backlog(self).await
    }

    async fn read(&self, places: &[Place]) -> Result<Vec<Pending>, Refused> {
        Waiting::read(self, places).await
    }
}

/// Where events stay that the stream has carried past.
pub struct Backwater<B = Bus, W = Waiting> {
    waiting: W,
    relay: Relay<B, W>,
    marks: MarkKey,
    min_age: Duration,
}

impl<B: Takes, W: Looks + Quarantine> Backwater<B, W> {
    /// What was pending for `min_age` is published again.
    #[must_use]
    pub fn new(waiting: W, relay: Relay<B, W>, marks: MarkKey, min_age: Duration) -> Backwater<B, W> {
        Backwater { waiting, relay, marks, min_age }
    }

    /// Publishes what has been pending for too long, oldest first and each stream in its order. With it: whether there is
    /// more than one look shows.
    ///
    /// # Errors
    /// The index or the table could not be read.
    pub async fn publish(
        &self,
        began: Timestamp,
        has_time: impl Fn() -> bool,
    ) -> Result<(Swept, bool), Refused> {
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
                // What comes later in the same streams must not be published before it.
                break;
            }
        }
        swept.failed += swept.set_aside;
        Ok((swept, backlog.is_cut))
    }

    /// The index may be a moment behind, and its end may not have been looked at: puts before each version the one that
    /// is pending before it.
    async fn complete(&self, mut due: Vec<Place>) -> Result<Vec<Place>, Refused> {
        let mut open = before(&due);
        while !open.is_empty() {
            let found: Vec<Place> = self.waiting.read(&open).await?.into_iter().map(|it| it.place).collect();
            open = before(&found);
            for place in found {
                let at = due.iter().position(|it| it.before().as_ref() == Some(&place));
                due.insert(at.unwrap_or(0), place);
            }
        }
        Ok(due)
    }
}

impl Swept {
    fn note(&mut self, place: &Place, relayed: Relayed) {
        match relayed {
            Relayed::Published => self.published += 1,
            Relayed::SetAside(cause) => {
                self.set_aside += 1;
                tracing::error!(row.pk = place.pk, row.sk = place.sk, cause, "an event is set aside");
            }
            Relayed::Again(cause) => {
                self.again += 1;
                tracing::warn!(row.pk = place.pk, row.sk = place.sk, cause, "not published yet");
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

/// What is old enough to be published again, oldest first. A stream's versions go in their order, whatever the clocks of
/// their producers said: what is old enough takes along what is pending before it.
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

/// Each stream keeps the turns that it has, and its versions take them in their order.
fn sort_streams(due: &mut [Place]) {
    let mut streams: BTreeMap<String, Vec<(u64, Place)>> = BTreeMap::new();
    for place in due.iter() {
        let Some(version) = place.version() else { continue };
        streams.entry(place.pk.clone()).or_default().push((version, place.clone()));
    }
    // The last is taken first.
    streams.values_mut().for_each(|it| it.sort_by_key(|(version, _)| Reverse(*version)));
    for place in due.iter_mut().filter(|it| it.version().is_some()) {
        if let Some((_, next)) = streams.get_mut(&place.pk).and_then(Vec::pop) {
            *place = next;
        }
    }
}

/// The versions before these, as far as they are not among them.
fn before(due: &[Place]) -> Vec<Place> {
    let known: BTreeSet<&Place> = due.iter().collect();
    due.iter().filter_map(Place::before).filter(|it| !known.contains(it)).collect()
}

#[cfg(test)]
mod tests;
