//! Throttles and caps: how many notifications pass in a period. A counter is a value; the caller stores it.

mod admission;
mod reading;

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::recurrence::Recurrence;
use crate::time::span::Span;
use crate::time::zone::Zone;

pub use admission::{Admission, Refusal, Scope, Want, admit};

/// The highest limit of a rolling period. Every pass is stored, and a counter must stay a small item.
pub const MAX_ROLLING: u32 = 100;

/// The highest value of any limit: a billion units of a currency, in millionths.
pub const MAX_MOST: u64 = 1_000_000_000_000_000;

/// The longest name of a limit, in bytes. The name is part of the counter's key.
pub const MAX_NAME_BYTES: usize = 64;

/// The period over which a limit counts.
///
/// Written as `{"fixed": "10m"}` (any [`Span`]), `{"rolling": "24h"}`, or `{"calendar": "day"}` (`hour`, `day`,
/// `week`, `month`). `week_starts` defaults to `mon`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Period {
    /// Begins with the first pass and ends after the span.
    Fixed(Span),
    /// Begins and ends with an hour, day, week or month of the calendar, in the recipient's time zone.
    Calendar(CalendarPeriod),
    /// Each pass counts for this duration: more than zero, at most [`crate::time::span::MAX`].
    Rolling(SignedDuration),
}

/// A calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarPeriod {
    Hour,
    Day,
    Week { starts: Weekday },
    Month,
}

impl CalendarPeriod {
    /// The end of the period that contains `at`. If the local end time occurs twice, the first one counts.
    #[must_use]
    pub fn end(self, zone: &Zone, time: Timestamp) -> Option<Timestamp> {
        let turn = match self {
            CalendarPeriod::Hour => Recurrence::hourly(),
            CalendarPeriod::Day => Recurrence::daily(),
            CalendarPeriod::Week { starts } => Recurrence::weekly(starts),
            CalendarPeriod::Month => Recurrence::monthly(),
        };
        turn.next_after(zone, time)
    }
}

/// A limit: the highest number of passes in a period.
///
/// Written as `{"name": "daily-email", "most": 5, "period": {"calendar": "day"}, "blocks": true}`; `blocks` is
/// optional.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Limit {
    name: String,
    most: u64,
    period: Period,
    blocks: bool,
}

impl Limit {
    /// The name in explanations.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The highest number of passes, or total weight, in one period. At least 1, and at most [`MAX_ROLLING`] for a
    /// rolling period.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// Whether the limit blocks. A limit that does not block still counts.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.blocks
    }

    /// The same limit for notifications that are counted but never blocked.
    #[must_use]
    pub fn only_counting(self) -> Limit {
        Limit { blocks: false, ..self }
    }
}

/// The stored state of one counter. `State::default()` is an empty counter, so a missing table item reads as empty.
/// Members that a period does not use are omitted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// The number of passes, or total weight, in the current period. Always 0 for a rolling period.
    #[serde(default, skip_serializing_if = "is_zero")]
    n: u64,
    /// The end of the current period. `None` for a rolling period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<Timestamp>,
    /// For a rolling period: the latest passes, in order, at most one more than the limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passes: Vec<Timestamp>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The result of one pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// The pass is allowed if `next` becomes the stored state. `left` more may follow in the same period.
    Passed { next: State, left: u64 },
    /// The limit is reached after `n` passes. `until` is when the next one may pass, always later than now.
    Full { until: Timestamp, n: u64 },
}

impl State {
    /// Evaluates one more pass at `now`. Changes nothing: the caller stores the next state.
    ///
    /// A period that has begun keeps its end, even if the limit or the zone has changed since. A fixed period whose
    /// span has no end ([`Span::end`]) blocks nothing.
    #[must_use]
    pub fn pass(&self, limit: &Limit, zone: &Zone, now: Timestamp) -> Pass {
        self.pass_weighing(1, limit, zone, now)
    }

    /// Evaluates a pass of the given weight, such as a price. A weight above the limit never passes. A rolling period
    /// counts passes and ignores weights.
    #[must_use]
    pub fn pass_weighing(&self, weight: u64, limit: &Limit, zone: &Zone, now: Timestamp) -> Pass {
        match limit.period {
            Period::Fixed(span) => self.in_turn(weight, limit, now, || span.end(zone, now)),
            Period::Calendar(period) => self.in_turn(weight, limit, now, || period.end(zone, now)),
            Period::Rolling(length) => self.rolling(limit, now, length),
        }
    }

    /// When the counter becomes empty and can be deleted. `None` if it is empty already.
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
            // The count exceeds `most` if the limit was higher before. All but `most - 1` passes must expire first.
            let until = passes.get(n - most).map_or(now, |pass| leaves(*pass, length));
            return Pass::Full { until, n: u64::try_from(n).unwrap_or(u64::MAX) };
        }
        // Keeps the order even if a clock ran behind.
        passes.insert(passes.partition_point(|pass| *pass <= now), now);
        passes.drain(..passes.len().saturating_sub(most.saturating_add(1)));
        let left = u64::try_from(most.saturating_sub(n + 1)).unwrap_or(u64::MAX);
        Pass::Passed { next: State { n: 0, ends: None, passes }, left }
    }
}

/// When a pass leaves a rolling count.
fn leaves(pass: Timestamp, length: SignedDuration) -> Timestamp {
    pass.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// Counters by their keys.
pub type States = BTreeMap<String, State>;

#[cfg(test)]
mod tests;
