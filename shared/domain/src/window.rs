//! When somebody may be disturbed. It does not know what waits for it, nor what may never wait.

mod reading;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::daytime::{self, DayTime};
use crate::written::Invalid;
use crate::zone::Zone;

/// How many rows, or quiet ranges, one week may have.
pub const MAX_ROWS: usize = 70;

/// How far ahead an opening or a closing is looked for, in days. A week is enough, and the other one is for zones that
/// skip a day.
pub const MAX_DAYS_AHEAD: usize = 14;

/// The week of somebody, in their own local time: open is when they may be disturbed. A range includes its start and
/// not its end.
///
/// It is written in one of two forms, and is written back as it was:
/// - `{"quiet": {"start": "22:00", "end": "07:00", "days": ["fri"]}}`: closed from `start` to `end`, past midnight
///   where the end is not the later one. `days` are those on which it starts; all, if it is left out. `quiet` may also
///   be a list of these.
/// - `[{"day": "mon", "type": "send", "from": "08:00:00", "until": "12:00:00"}]`: rows of `send` or `do_not_send`;
///   `from` is 00:00 and `until` 24:00 where they are left out. A day with a row of `send` is open only in those; a day
///   without rows is open.
///
/// Source: semantics 4.4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Windows {
    written: Value,
    /// For each day from Monday on: what is open, in order, with something closed in between.
    open: [Vec<Range>; 7],
}

/// A part of a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: DayTime,
    until: DayTime,
}

/// Whether somebody may be disturbed at an instant, and if not, when next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// At once.
    Open,
    /// Not before this instant. Many people open at the same one: see [`spread`].
    At(Timestamp),
    /// Not within two weeks, so at no time: every day is closed.
    Never,
}

/// An open stretch of time: its start belongs to it, its end does not.
#[derive(Clone, Copy)]
struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

impl Windows {
    /// Whether they are open at `at`, and otherwise when they open next.
    ///
    /// Ranges are local and become instants one by one: a start or an end that clocks skip is the first instant after
    /// the gap; of one that they show twice, a start is the first and an end the second. A range that lies in the gap
    /// is left out on that day.
    #[must_use]
    pub fn opening(&self, zone: &Zone, at: Timestamp) -> Opening {
        let (ahead, _) = self.ahead(zone, at);
        match ahead.iter().find(|it| it.end > at) {
            Some(it) if it.start <= at => Opening::Open,
            Some(it) => Opening::At(it.start),
            None => Opening::Never,
        }
    }

    /// When what is open at `at` closes. `None` when nothing is open, or it stays so for two weeks.
    #[must_use]
    pub fn closing(&self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        let (ahead, horizon) = self.ahead(zone, at);
        let present = ahead.iter().find(|it| it.start <= at && at < it.end)?;
        (present.end < horizon).then_some(present.end)
    }

    /// The open stretches from the day before `at` on, in order and apart from one another, and where they were no
    /// longer looked for. The days beside the present one count, because clocks can be moved across midnight.
    fn ahead(&self, zone: &Zone, at: Timestamp) -> (Vec<Stretch>, Timestamp) {
        let today = zone.local(at).date();
        let first = today.yesterday().unwrap_or(today);
        let mut ahead: Vec<Stretch> = Vec::new();
        let mut horizon = at;
        for date in first.series(jiff::Span::new().days(1)).take(MAX_DAYS_AHEAD + 2) {
            for range in &self.open[daytime::index(date.weekday())] {
                let Some(next) = stretch(zone, date, *range) else { continue };
                match ahead.last_mut() {
                    Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
                    Some(_) | None => ahead.push(next),
                }
            }
            horizon = end(zone, date, DayTime::END);
        }
        (ahead, horizon)
    }
}

/// `None` when nothing is left of the range on that day.
fn stretch(zone: &Zone, date: Date, range: Range) -> Option<Stretch> {
    let start = zone.beginning(range.from.on(date)?)?;
    let end = end(zone, date, range.until);
    (start < end).then_some(Stretch { start, end })
}

/// The last instant that there is, when the calendar ends before.
fn end(zone: &Zone, date: Date, time: DayTime) -> Timestamp {
    time.on(date).and_then(|on| zone.end(on)).unwrap_or(Timestamp::MAX)
}

/// How much later than an opening something is sent that is named by `seed`: from 0 to `most`, in whole milliseconds,
/// the same each time, and evenly spread over seeds. Zero when `most` is not positive.
#[must_use]
pub fn spread(seed: &str, most: SignedDuration) -> SignedDuration {
    let steps = u64::try_from(most.as_millis()).unwrap_or(0);
    let hash = Sha256::digest(seed.as_bytes());
    let chance = hash.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    // The upper half of a product of 64 bits each is a fraction of `steps + 1`.
    let step = (u128::from(chance) * (u128::from(steps) + 1)) >> 64;
    SignedDuration::from_millis(i64::try_from(step).unwrap_or(0))
}

/// Open at all times.
impl Default for Windows {
    fn default() -> Windows {
        let whole = || vec![Range { from: DayTime::START, until: DayTime::END }];
        Windows { written: Value::Array(Vec::new()), open: std::array::from_fn(|_| whole()) }
    }
}

impl TryFrom<Value> for Windows {
    type Error = Invalid;

    /// # Errors
    /// [`Invalid`] for the first fault found: an unknown form, key, day, type or time, a range that ends where it
    /// starts, rows of one day that overlap, more than [`MAX_ROWS`] of them.
    fn try_from(written: Value) -> Result<Windows, Invalid> {
        Ok(Windows { open: reading::read(&written)?, written })
    }
}

impl From<Windows> for Value {
    fn from(windows: Windows) -> Value {
        windows.written
    }
}

#[cfg(test)]
mod tests;
