//! Circuit breaker of a provider: stops calls while the provider fails, and raises the share of calls slowly on
//! recovery.
//!
//! All senders of a provider share one [`Breaker`]. The breaker is a value. A sender reads the stored value, computes
//! the next one, and writes it on the condition that the stored value is unchanged. If two senders write at once, one
//! write is refused and that sender reads again. So only one sender probes, and all senders see the same state.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The length of a sample, in seconds.
const SAMPLE_SECONDS: i64 = 30;

/// The window of samples that count.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// The lowest number of calls in the window that can open the breaker.
const LEAST_ASKED: u32 = 10;

/// The share of failures that opens the breaker, in percent.
const FAILURES_PERCENT: u32 = 70;

/// The lowest number of calls during recovery that can open the breaker again.
const LEAST_IN_RECOVERY: u32 = 3;

/// The interval of probes while the breaker is open. One message passes per interval.
pub const PROBE_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// The time from the first successful probe until all calls pass.
pub const RECOVERY: SignedDuration = SignedDuration::from_secs(60);

/// The share of calls that pass when recovery begins, in percent.
const FIRST_SHARE_PERCENT: i64 = 10;

/// The shared state of a provider's breaker. The default is a closed breaker without samples.
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
    /// Only probes pass. `down` is the start of the outage; failed recoveries do not reset it.
    Open { down: Timestamp, probed: Timestamp },
    /// A probe succeeded at `since`.
    Recovering { down: Timestamp, since: Timestamp },
}

/// Counts of calls and failures, in samples of half a minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(Vec<Sample>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Sample {
    /// The start of the sample, in Unix seconds.
    at: i64,
    asked: u32,
    failed: u32,
}

/// The calls that the breaker permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    All,
    /// This share of calls in percent, and at least one call of a batch.
    Percent(u32),
    /// One call, by the sender whose conditional write of [`Breaker::probe`] succeeds.
    Probe,
    /// No call before `until`.
    None {
        until: Timestamp,
    },
}

/// A change of state that operators are notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Opened,
    Closed,
}

impl Tally {
    /// Counts one answer.
    pub fn count(&mut self, failed: bool, now: Timestamp) {
        self.add(Sample { at: sample_start(now), asked: 1, failed: u32::from(failed) });
    }

    fn add(&mut self, sample: Sample) {
        let position = self.0.partition_point(|other| other.at < sample.at);
        match self.0.get_mut(position).filter(|other| other.at == sample.at) {
            Some(other) => {
                other.asked = other.asked.saturating_add(sample.asked);
                other.failed = other.failed.saturating_add(sample.failed);
            }
            None => self.0.insert(position, sample),
        }
    }

    /// Drops samples outside the window, including samples in the future from a clock that ran ahead.
    pub fn forget_old(&mut self, now: Timestamp) {
        let (first, last) = (now.saturating_add(-WINDOW), now.saturating_add(WINDOW));
        let (first, last) = (first.map_or(i64::MIN, sample_start), last.map_or(i64::MAX, sample_start));
        self.0.retain(|sample| sample.at > first && sample.at <= last);
    }

    fn asked(&self) -> u32 {
        self.0.iter().fold(0, |sum, sample| sum.saturating_add(sample.asked))
    }

    fn failed(&self) -> u32 {
        self.0.iter().fold(0, |sum, sample| sum.saturating_add(sample.failed))
    }

    /// Whether any call failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.failed() > 0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The share of failures in percent; 0 without calls.
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
    /// The calls that may pass now.
    #[must_use]
    pub fn permit(&self, now: Timestamp) -> Permit {
        match self.phase {
            Phase::Closed => Permit::All,
            Phase::Open { probed, .. } => {
                let until = probed.saturating_add(PROBE_EVERY).unwrap_or(Timestamp::MAX);
                // A clock that ran far ahead must not keep the breaker open for good.
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

    /// The start of the outage while the breaker is open.
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

    /// The recorded calls and failures of the window.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The state to write before a probe, or `None` if no probe is due. The sender whose conditional write succeeds
    /// makes the probe.
    #[must_use]
    pub fn probe(&self, now: Timestamp) -> Option<Breaker> {
        match (self.phase, self.permit(now)) {
            (Phase::Open { down, .. }, Permit::Probe) => {
                Some(Breaker { phase: Phase::Open { down, probed: now }, tally: self.tally.clone() })
            }
            (Phase::Open { .. } | Phase::Closed | Phase::Recovering { .. }, _) => None,
        }
    }

    /// The state after a probe. A breaker that is no longer open stays unchanged: it has newer information.
    #[must_use]
    pub fn probed(&self, failed: bool, now: Timestamp) -> Breaker {
        match self.phase {
            Phase::Open { down, .. } if !failed => {
                Breaker { phase: Phase::Recovering { down, since: now }, tally: Tally::default() }
            }
            Phase::Open { .. } | Phase::Closed | Phase::Recovering { .. } => self.clone(),
        }
    }

    /// Adds the counts of one sender. While the breaker is open, answers of earlier calls change nothing.
    #[must_use]
    pub fn record(&self, counted: &Tally, now: Timestamp) -> Breaker {
        let mut tally = self.tally.clone();
        counted.0.iter().for_each(|sample| tally.add(*sample));
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

    /// The change to report when `next` follows this state.
    #[must_use]
    pub fn turn(&self, next: &Breaker) -> Option<Turn> {
        let is_open = |breaker: &Breaker| matches!(breaker.phase, Phase::Open { .. });
        if !is_open(self) && is_open(next) {
            return Some(Turn::Opened);
        }
        (!self.is_closed() && next.is_closed()).then_some(Turn::Closed)
    }

    /// The deferral of a message while the breaker is open. It is half of the outage so far, at least one probe
    /// interval and at most five minutes. Jitter spreads the messages over the recovery.
    #[must_use]
    pub fn pause(&self, now: Timestamp, chance: u64) -> Duration {
        const LEAST: Duration = Duration::from_secs(10);
        const MOST: Duration = Duration::from_secs(300);
        let down = self.down_since().map_or(SignedDuration::ZERO, |down| now.duration_since(down));
        let half = Duration::try_from(down / 2).unwrap_or(Duration::ZERO).clamp(LEAST, MOST);
        half / 2 + crate::delivery::retry::jittered(half / 2, chance)
    }
}

fn sample_start(time: Timestamp) -> i64 {
    time.as_second().div_euclid(SAMPLE_SECONDS) * SAMPLE_SECONDS
}

#[cfg(test)]
mod tests;
