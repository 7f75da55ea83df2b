//! Quiet hours: the times at which a recipient may be notified. Exceptions for critical notifications are decided
//! elsewhere.

mod reading;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::base::config_error::Invalid;
use crate::time::time_of_day::{self, DayTime};
use crate::time::zone::Zone;

/// Maximum number of rows, or quiet ranges, in a week.
pub const MAX_ROWS: usize = 70;

/// The period in days in which the next opening or closing is searched. One week suffices. The second covers zones
/// that skip a day.
pub const MAX_DAYS_AHEAD: usize = 14;

/// A recipient's week in local time. Notifications are allowed in open ranges. A range includes its start and
/// excludes its end.
///
/// Two forms are accepted, and the original form is kept when it is written back:
/// - `{"quiet": {"start": "22:00", "end": "07:00", "days": ["fri"]}}`: closed from `start` to `end`, past midnight if
///   the end is not later than the start. `days` are the days of the start, by default all. `quiet` may also be a
///   list of such objects.
/// - `[{"day": "mon", "type": "send", "from": "08:00:00", "until": "12:00:00"}]`: rows of `send` or `do_not_send`.
///   `from` is 00:00 and `until` 24:00 by default. A day with a `send` row is open only in such rows. A day without
///   rows is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Windows {
    written: Value,
    /// The open ranges of each day, starting with Monday, in order and with gaps between them.
    open: [Vec<Range>; 7],
}

/// A part of a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: DayTime,
    until: DayTime,
}

/// Whether notifications are allowed at an instant, and if not, when next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Allowed now.
    Open,
    /// Not before this instant. Many recipients have the same one, see [`spread`].
    At(Timestamp),
    /// Not within two weeks, which means never: every day is closed.
    Never,
}

/// An open interval, including its start and excluding its end.
#[derive(Clone, Copy)]
struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

impl Windows {
    /// Whether notifications are allowed at `instant`, and otherwise when next.
    ///
    /// Local ranges are converted to instants one by one. A start or an end that the clocks skip becomes the first
    /// instant after the gap. If a local time occurs twice, a start is its first occurrence and an end its second. A
    /// range inside the gap is omitted on that day.
    #[must_use]
    pub fn opening(&self, zone: &Zone, instant: Timestamp) -> Opening {
        let (ahead, _) = self.ahead(zone, instant);
        match ahead.iter().find(|stretch| stretch.end > instant) {
            Some(stretch) if stretch.start <= instant => Opening::Open,
            Some(stretch) => Opening::At(stretch.start),
            None => Opening::Never,
        }
    }

    /// The end of the open range at `instant`. `None` if `instant` is not in one, or if it stays open for two weeks.
    #[must_use]
    pub fn closing(&self, zone: &Zone, instant: Timestamp) -> Option<Timestamp> {
        let (ahead, horizon) = self.ahead(zone, instant);
        let present = ahead.iter().find(|stretch| stretch.start <= instant && instant < stretch.end)?;
        (present.end < horizon).then_some(present.end)
    }

    /// The open intervals from the day before `instant`, in order and disjoint, and the end of the searched period. The
    /// adjacent days are included, because clocks can be moved across midnight.
    fn ahead(&self, zone: &Zone, instant: Timestamp) -> (Vec<Stretch>, Timestamp) {
        let today = zone.local(instant).date();
        let first = today.yesterday().unwrap_or(today);
        let mut ahead: Vec<Stretch> = Vec::new();
        let mut horizon = instant;
        for date in first.series(jiff::Span::new().days(1)).take(MAX_DAYS_AHEAD + 2) {
            for range in &self.open[time_of_day::index(date.weekday())] {
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

/// The interval of a range on one day. `None` if no part of the range is left on that day.
fn stretch(zone: &Zone, date: Date, range: Range) -> Option<Stretch> {
    let start = zone.beginning(range.from.on(date)?)?;
    let end = end(zone, date, range.until);
    (start < end).then_some(Stretch { start, end })
}

/// The instant of the end. The last representable instant if the calendar ends before.
fn end(zone: &Zone, date: Date, time: DayTime) -> Timestamp {
    time.on(date).and_then(|on| zone.end(on)).unwrap_or(Timestamp::MAX)
}

/// The delay after an opening for the recipient named by `seed`: from 0 to `most` in whole milliseconds, always the
/// same for a seed, and evenly distributed. Zero if `most` is not positive.
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

    /// Reads a week.
    ///
    /// # Errors
    /// [`Invalid`] for the first fault: an unknown form, key, day, type or time, an empty range, overlapping rows of
    /// one day, or more than [`MAX_ROWS`] rows.
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
