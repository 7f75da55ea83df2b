//! sweep: publishes what stayed pending in the outbox, and counts it.
//!
//! Whatever was lost between a producer's transaction and the audit is found here: a relay that died, a stream that was
//! down for longer than it keeps records, an event that the bus dropped. It runs every few minutes and makes one call
//! when there is nothing to do. Whatever else must be looked for by the clock has its place at the end of [`Sweep::run`].

mod metrics;

use std::time::Duration;

use aws_types::SdkConfig;
use domain::Timestamp;
use publish::{Bus, Outbox, Relay, Relayed, Row};
use runtime::{Env, Error, Invocation, Unset, now};
use serde::Serialize;
use store::{Backlog, Place, Waiting};

/// How long an event may be pending before it is published again: relay, bus and audit need seconds.
pub const MIN_AGE: Duration = Duration::from_secs(60);

/// A producer's clock may be wrong. What claims to be of a later time than this is not waited for.
const MAX_AHEAD: Duration = Duration::from_secs(300);

/// How many events are read and published at once.
const AT_ONCE: usize = 200;

/// The sweep's end of the outbox.
pub struct Sweep {
    waiting: Waiting,
    relay: Relay,
    min_age: Duration,
    /// What metrics are kept apart by: the function's name.
    name: String,
}

/// What was found, and what was done about it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How many events are pending, whatever their age, and how old the oldest is, in seconds.
    pub pending: usize,
    pub oldest_seconds: u64,
    /// How many the bus refused, these among them.
    pub failed: usize,
    pub published: usize,
    pub set_aside: usize,
    pub again: usize,
}

impl Sweep {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(aws: &SdkConfig, env: &Env) -> Result<Sweep, Unset> {
        let waiting = Outbox::new(env.required("EVENTS_TABLE")?).waiting(&store::client(aws));
        let relay = Relay::new(Bus::new(aws, env.required("BUS_NAME")?), waiting.clone());
        let name = env.optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "sweep".to_owned());
        let min_age = env.optional("MIN_AGE_SECONDS").and_then(|it| it.parse().ok());
        Ok(Sweep { waiting, relay, min_age: min_age.map_or(MIN_AGE, Duration::from_secs), name })
    }

    /// Publishes what has been pending for too long, oldest first and each stream in its order.
    ///
    /// # Errors
    /// The index or the table could not be read. The next run begins anew.
    pub async fn run(&self, invocation: &Invocation) -> Result<Swept, Error> {
        let began = now();
        let backlog = self.waiting.backlog().await?;
        let mut swept = counted(&backlog, began);
        let due = due(&backlog, began, self.min_age);
        let has_time = || !invocation.deadline.left(now()).is_zero();
        for some in due.chunks(AT_ONCE) {
            if !has_time() {
                break;
            }
            let rows: Vec<Row> = self.waiting.read(some).await?.into_iter().map(Row::read).collect();
            for (row, relayed) in rows.iter().zip(self.relay.publish(&rows, began, has_time).await) {
                swept.note(row.place(), relayed);
            }
            if swept.again > 0 {
                // What comes later in the same streams must not be published before it.
                break;
            }
        }
        swept.failed += swept.set_aside;
        metrics::write(&swept, &self.name, backlog.is_cut, began);
        Ok(swept)
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
#[must_use]
pub fn due(backlog: &Backlog, now: Timestamp, min_age: Duration) -> Vec<Place> {
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
