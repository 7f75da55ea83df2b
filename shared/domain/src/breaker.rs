//! Whether a provider is asked at all: not while it only fails, and not all at once when it comes back.
//!
//! All senders of a provider share one [`Breaker`]. It is a value: whoever changes it writes the next one over the one
//! that was read, and of two at once one is refused and reads again. So only one of them may probe, and all agree.
//!
//! Source: semantics 4.5, "Per-endpoint breaker (Convoy's numbers)"; reliability F9.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a sample is.
const SAMPLE_SECONDS: i64 = 30;

/// How far back samples count.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Fewer than this in the window say nothing.
const LEAST_ASKED: u32 = 10;

/// Of a hundred, so many failures open it.
const FAILURES_PERCENT: u32 = 70;

/// While it recovers, so few are enough to say that it does not.
const LEAST_IN_RECOVERY: u32 = 3;

/// While it is open one message goes through in so long.
pub const PROBE_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// How long it takes from the first success until everything goes through.
pub const RECOVERY: SignedDuration = SignedDuration::from_secs(60);

/// The share that goes through when recovery begins, in percent.
const FIRST_SHARE_PERCENT: i64 = 10;

/// What all senders of a provider know of it. The default is a provider of which nothing bad is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Breaker {
    #[serde(default)]
    phase: Phase,
    #[serde(default)]
    tally: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    #[default]
    Closed,
    /// Nobody asks but a probe. `down` is since when it has not worked, recoveries that failed included.
    Open { down: Timestamp, probed: Timestamp },
    /// A probe went through at `since`.
    Recovering { down: Timestamp, since: Timestamp },
}

/// How many asked and how many of them failed, in samples of half a minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(Vec<Sample>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Sample {
    /// When it begins, in seconds since 1970.
    at: i64,
    asked: u32,
    failed: u32,
}

/// How many messages may ask the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    All,
    /// So many of a hundred, and one of a batch at least.
    Percent(u32),
    /// One, for whoever writes [`Breaker::probe`] first.
    Probe,
    /// None before this.
    None {
        until: Timestamp,
    },
}

/// What a change means for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Opened,
    Closed,
}

impl Tally {
    /// Counts one answer.
    pub fn count(&mut self, failed: bool, now: Timestamp) {
        self.add(Sample { at: sample(now), asked: 1, failed: u32::from(failed) });
    }

    fn add(&mut self, it: Sample) {
        let place = self.0.partition_point(|other| other.at < it.at);
        match self.0.get_mut(place).filter(|other| other.at == it.at) {
            Some(other) => {
                other.asked = other.asked.saturating_add(it.asked);
                other.failed = other.failed.saturating_add(it.failed);
            }
            None => self.0.insert(place, it),
        }
    }

    /// Forgets what does not count any more, and what a clock that was ahead has written beyond a window.
    pub fn forget_old(&mut self, now: Timestamp) {
        let (first, last) = (now.saturating_add(-WINDOW), now.saturating_add(WINDOW));
        let (first, last) = (first.map_or(i64::MIN, sample), last.map_or(i64::MAX, sample));
        self.0.retain(|it| it.at > first && it.at <= last);
    }

    fn asked(&self) -> u32 {
        self.0.iter().fold(0, |sum, it| sum.saturating_add(it.asked))
    }

    fn failed(&self) -> u32 {
        self.0.iter().fold(0, |sum, it| sum.saturating_add(it.failed))
    }

    /// Whether anything in it failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.failed() > 0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Failures of a hundred; 0 when nothing was asked.
    #[must_use]
    pub fn percent_failed(&self) -> u32 {
        let (asked, failed) = (u64::from(self.asked()), u64::from(self.failed()));
        u32::try_from(failed * 100 / asked.max(1)).unwrap_or(100)
    }

    fn is_bad(&self, least: u32) -> bool {
        let (asked, failed) = (u64::from(self.asked()), u64::from(self.failed()));
        self.asked() >= least && failed * 100 >= asked * u64::from(FAILURES_PERCENT)
    }
}

impl Breaker {
    /// How many may ask now.
    #[must_use]
    pub fn permit(&self, now: Timestamp) -> Permit {
        match self.phase {
            Phase::Closed => Permit::All,
            Phase::Open { probed, .. } => {
                let until = probed.saturating_add(PROBE_EVERY).unwrap_or(Timestamp::MAX);
                // A clock that was far ahead must not close the door for good.
                let is_absurd = until.duration_since(now) > PROBE_EVERY * 6;
                if now >= until || is_absurd { Permit::Probe } else { Permit::None { until } }
            }
            Phase::Recovering { since, .. } => {
                let passed = now.duration_since(since).as_secs().max(0);
                let whole = RECOVERY.as_secs();
                if passed >= whole {
                    return Permit::All;
                }
                let share = FIRST_SHARE_PERCENT + (100 - FIRST_SHARE_PERCENT) * passed / whole;
                Permit::Percent(u32::try_from(share).unwrap_or(100))
            }
        }
    }

    /// Since when nobody gets through.
    #[must_use]
    pub fn down_since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Open { down, .. } => Some(down),
            Phase::Closed | Phase::Recovering { .. } => None,
        }
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// What has been asked and failed lately, as far as it is on record.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What is to be written before one message probes; `None` when it is not the time. Whoever's write stands probes.
    #[must_use]
    pub fn probe(&self, now: Timestamp) -> Option<Breaker> {
        match (self.phase, self.permit(now)) {
            (Phase::Open { down, .. }, Permit::Probe) => {
                Some(Breaker { phase: Phase::Open { down, probed: now }, tally: self.tally.clone() })
            }
            (Phase::Open { .. } | Phase::Closed | Phase::Recovering { .. }, _) => None,
        }
    }

    /// What a probe found out. A breaker that is not open any more has learned more than that already.
    #[must_use]
    pub fn probed(&self, failed: bool, now: Timestamp) -> Breaker {
        match self.phase {
            Phase::Open { down, .. } if !failed => {
                Breaker { phase: Phase::Recovering { down, since: now }, tally: Tally::default() }
            }
            Phase::Open { .. } | Phase::Closed | Phase::Recovering { .. } => self.clone(),
        }
    }

    /// Takes over what one sender counted. What was still under way when it opened says nothing new.
    #[must_use]
    pub fn record(&self, counted: &Tally, now: Timestamp) -> Breaker {
        let mut tally = self.tally.clone();
        counted.0.iter().for_each(|it| tally.add(*it));
        tally.forget_old(now);
        let open = |down| Breaker { phase: Phase::Open { down, probed: now }, tally: Tally::default() };
        match self.phase {
            Phase::Closed if tally.is_bad(LEAST_ASKED) => open(now),
            Phase::Closed => Breaker { phase: Phase::Closed, tally },
            Phase::Open { .. } => self.clone(),
            Phase::Recovering { down, .. } if tally.is_bad(LEAST_IN_RECOVERY) => open(down),
            Phase::Recovering { down, since } => {
                let is_over = now.duration_since(since) >= RECOVERY;
                let phase = if is_over { Phase::Closed } else { Phase::Recovering { down, since } };
                Breaker { phase, tally }
            }
        }
    }

    /// What people are told when `next` follows.
    #[must_use]
    pub fn turn(&self, next: &Breaker) -> Option<Turn> {
        let is_open = |breaker: &Breaker| matches!(breaker.phase, Phase::Open { .. });
        if !is_open(self) && is_open(next) {
            return Some(Turn::Opened);
        }
        (!self.is_closed() && next.is_closed()).then_some(Turn::Closed)
    }

    /// How long a message stays away while nobody gets through: half as long as it has been so, at least a probe's time
    /// and at most five minutes, spread by chance so that not all come back with the recovery.
    #[must_use]
    pub fn pause(&self, now: Timestamp, chance: u64) -> Duration {
        const LEAST: Duration = Duration::from_secs(10);
        const MOST: Duration = Duration::from_secs(300);
        let down = self.down_since().map_or(SignedDuration::ZERO, |it| now.duration_since(it));
        let half = Duration::try_from(down / 2).unwrap_or(Duration::ZERO).clamp(LEAST, MOST);
        half / 2 + crate::retry::jittered(half / 2, chance)
    }
}

fn sample(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SAMPLE_SECONDS) * SAMPLE_SECONDS
}

#[cfg(test)]
mod tests;
