//! Throttles and caps: how many are let through in a period. Counters are values that somebody else keeps; nothing here
//! knows where, nor what is counted.

mod admission;
mod reading;

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recurrence::Recurrence;
use crate::span::Span;
use crate::zone::Zone;

pub use admission::{Admission, Refusal, Scope, Want, admit};

/// The most that a limit with a rolling period may let through: every pass is kept, and a counter is one small item.
pub const MAX_ROLLING: u32 = 100;

/// The most that any limit may let through: a billion of a currency, in millionths.
pub const MAX_MOST: u64 = 1_000_000_000_000_000;

/// The longest name of a limit, in bytes: it is part of a counter's key.
pub const MAX_NAME_BYTES: usize = 64;

/// How a count begins and ends.
///
/// Written as `{"fixed": "10m"}` (any [`Span`]), `{"rolling": "24h"}`, or `{"calendar": "day"}` (`hour`, `day`, `week`,
/// `month`; `week_starts` is `mon` where it is left out).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Period {
    /// Begins with the first pass and ends when the span is over.
    Fixed(Span),
    /// Begins and ends with an hour, day, week or month of the calendar, in the zone of whoever is counted.
    Calendar(CalendarPeriod),
    /// Each pass leaves the count so long after it: more than nothing, at most [`crate::span::MAX`].
    Rolling(SignedDuration),
}

/// A period that a calendar and a clock show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarPeriod {
    Hour,
    Day,
    Week { starts: Weekday },
    Month,
}

impl CalendarPeriod {
    /// When the period ends that `at` lies in, and the next begins. Where clocks show the end twice it is the first.
    #[must_use]
    pub fn end(self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        let turn = match self {
            CalendarPeriod::Hour => Recurrence::hourly(),
            CalendarPeriod::Day => Recurrence::daily(),
            CalendarPeriod::Week { starts } => Recurrence::weekly(starts),
            CalendarPeriod::Month => Recurrence::monthly(),
        };
        turn.next_after(zone, at)
    }
}

/// How many may pass in a period.
///
/// Written as `{"name": "daily-email", "most": 5, "period": {"calendar": "day"}, "blocks": true}`; `blocks` may be left
/// out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Limit {
    name: String,
    most: u64,
    period: Period,
    blocks: bool,
}

impl Limit {
    /// What it is called in an explanation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many pass in one period, or how much: 1 or more; [`MAX_ROLLING`] at most where the period rolls.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// Whether it holds anything back. One that does not still counts.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.blocks
    }

    /// The same limit, for something that is never held back but counts.
    #[must_use]
    pub fn only_counting(self) -> Limit {
        Limit { blocks: false, ..self }
    }
}

/// What one counter remembers. `State::default()` is a counter that nothing has passed yet, so a missing item reads as
/// that. It is stored; what a period does not need is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// How many passed in the present period, or how much. Always 0 where it rolls.
    #[serde(default, skip_serializing_if = "is_zero")]
    n: u64,
    /// When that period ends. `None` where it rolls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<Timestamp>,
    /// Where the period rolls: the latest passes, in order, at most one more than the limit lets through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passes: Vec<Timestamp>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What a counter says to one more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// It may pass, if `next` is what the counter remembers from now on. `left` more may follow in the same period.
    Passed { next: State, left: u64 },
    /// `n` have passed, and the next one may at `until`: always later than now.
    Full { until: Timestamp, n: u64 },
}

impl State {
    /// Counts one more at `now`. Changes nothing: it is the caller who keeps what comes of it.
    ///
    /// A period that has begun keeps the end it had, also when the limit or the zone is another one now. A fixed period
    /// whose span cannot have an end ([`Span::end`]) holds nothing back.
    #[must_use]
    pub fn pass(&self, limit: &Limit, zone: &Zone, now: Timestamp) -> Pass {
        self.pass_weighing(1, limit, zone, now)
    }

    /// The same for one that counts as `weight`, such as its price. What is heavier than the limit itself never passes.
    /// Where the period rolls, passes are counted and no weights.
    #[must_use]
    pub fn pass_weighing(&self, weight: u64, limit: &Limit, zone: &Zone, now: Timestamp) -> Pass {
        match limit.period {
            Period::Fixed(span) => self.in_turn(weight, limit, now, || span.end(zone, now)),
            Period::Calendar(period) => self.in_turn(weight, limit, now, || period.end(zone, now)),
            Period::Rolling(length) => self.rolling(limit, now, length),
        }
    }

    /// When nothing is left in it that counts: it may be forgotten then. `None` when that is so already.
    #[must_use]
    pub fn idle_from(&self, limit: &Limit) -> Option<Timestamp> {
        match limit.period {
            Period::Fixed(_) | Period::Calendar(_) => self.ends,
            Period::Rolling(length) => self.passes.last().map(|pass| leaves(*pass, length)),
        }
    }

    fn in_turn(
        &self,
        weight: u64,
        limit: &Limit,
        now: Timestamp,
        end: impl FnOnce() -> Option<Timestamp>,
    ) -> Pass {
        let (n, ends) = match self.ends {
            Some(ends) if now < ends => (self.n, Some(ends)),
            Some(_) | None => (0, end()),
        };
        let after = n.saturating_add(weight);
        match ends {
            Some(until) if limit.blocks && after > limit.most => Pass::Full { until, n },
            Some(_) | None => {
                let next = State { n: after, ends, passes: Vec::new() };
                Pass::Passed { next, left: limit.most.saturating_sub(after) }
            }
        }
    }

    fn rolling(&self, limit: &Limit, now: Timestamp, length: SignedDuration) -> Pass {
        let mut passes: Vec<Timestamp> =
            self.passes.iter().copied().filter(|pass| now < leaves(*pass, length)).collect();
        let n = passes.len();
        let most = usize::try_from(limit.most).unwrap_or(usize::MAX);
        if limit.blocks && n >= most {
            // More than `most` are in it when the limit was a higher one before: all but `most - 1` have to leave.
            let until = passes.get(n - most).map_or(now, |it| leaves(*it, length));
            return Pass::Full { until, n: u64::try_from(n).unwrap_or(u64::MAX) };
        }
        // In order, even if a clock was behind.
        passes.insert(passes.partition_point(|pass| *pass <= now), now);
        passes.drain(..passes.len().saturating_sub(most.saturating_add(1)));
        let left = u64::try_from(most.saturating_sub(n + 1)).unwrap_or(u64::MAX);
        Pass::Passed { next: State { n: 0, ends: None, passes }, left }
    }
}

/// When a pass leaves a count that rolls.
fn leaves(pass: Timestamp, length: SignedDuration) -> Timestamp {
    pass.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// Counters by their keys.
pub type States = BTreeMap<String, State>;

#[cfg(test)]
mod tests;
