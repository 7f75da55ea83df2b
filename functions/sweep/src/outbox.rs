//! What stayed pending in the outbox: published again, each stream in its order.

use std::time::Duration;

use aws::Refused;
use domain::Timestamp;
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
    min_age: Duration,
}

impl<B: Takes, W: Looks + Quarantine> Backwater<B, W> {
    /// What was pending for `min_age` is published again.
    #[must_use]
    pub fn new(waiting: W, relay: Relay<B, W>, min_age: Duration) -> Backwater<B, W> {
        Backwater { waiting, relay, min_age }
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
        let due = due(&backlog, began, self.min_age);
        for some in due.chunks(AT_ONCE) {
            if !has_time() {
                break;
            }
            let rows: Vec<Row> = self.waiting.read(some).await?.into_iter().map(Row::read).collect();
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
    let oldest = oldest.and_then(|it| Duration::try_from(it).ok()).unwrap_or_default();
    Swept {
        pending: backlog.pending.len(),
        oldest_seconds: oldest.as_secs(),
        failed: backlog.failed.len(),
        ..Swept::default()
    }
}

/// What is old enough to be published again, in order. Where the head of a stream is, all that comes after it goes along.
fn due(backlog: &Backlog, now: Timestamp, min_age: Duration) -> Vec<Place> {
    let old_enough = now.saturating_sub(min_age).unwrap_or(now);
    let too_far_ahead = now.saturating_add(MAX_AHEAD).unwrap_or(now);
    let is_due = |at: Timestamp| at <= old_enough || at > too_far_ahead;
    backlog.pending.iter().filter(|(_, at)| is_due(*at)).map(|(place, _)| place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn what_is_young_is_left_to_the_relay_and_a_clock_that_is_ahead_hides_nothing() {
        let at = |seconds: i64| Timestamp::from_second(NOON.as_second() + seconds).unwrap();
        let place = |sk: &str| Place { pk: "stream#-#a".into(), sk: sk.into() };
        let backlog = Backlog {
            pending: vec![
                (place("1"), at(-61)),
                (place("2"), at(-59)),
                (place("3"), at(60)),
                (place("4"), at(86_400)),
            ],
            failed: vec![(place("5"), at(-1))],
            is_cut: false,
        };
        assert_eq!(due(&backlog, NOON, MIN_AGE), [place("1"), place("4")]);
        let counted = counted(&backlog, NOON);
        assert_eq!((counted.pending, counted.oldest_seconds, counted.failed), (4, 61, 1));
    }
}
