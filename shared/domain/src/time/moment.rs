//! Times and durations of events. `wait`, `repeat.until`, `expires` and `sort-by` of rules read them here, and so do
//! the filters of templates. A time that a template shows is therefore the time that a rule waits for.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, SpanRelativeTo, Timestamp, Zoned, civil};
use serde_json::{Number, Value};

use crate::base::json::Decimal;
use crate::base::path::Path;
use crate::time::span::MAX;
use crate::time::zone::Zone;

/// Numbers from here on are milliseconds. As seconds they would lie in the year 5138.
const FIRST_MILLISECONDS: u64 = 100_000_000_000;

/// Maximum length of a time or duration: `2026-11-03T17:05:00.123456789+01:00[America/Argentina/ComodRivadavia]`.
const MAX_BYTES: usize = 80;

/// A time as an event writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A point in time: `2026-11-03T17:05:00Z`, with any offset or a zone in brackets, or seconds or milliseconds
    /// since 1970.
    Instant(Timestamp),
    /// A local time in the reader's zone: `2026-11-03T17:05`.
    Local(civil::DateTime),
    /// A date: `2026-11-03`.
    Day(civil::Date),
}

impl Moment {
    /// Reads a text, or an integer of seconds or milliseconds since 1970. `None` for other values.
    #[must_use]
    pub fn read(value: &Value) -> Option<Moment> {
        match value {
            Value::String(text) => Moment::parse(text),
            Value::Number(number) => Moment::since_1970(number),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Reads a text in the forms of RFC 9557 and ISO 8601.
    #[must_use]
    pub fn parse(text: &str) -> Option<Moment> {
        if text.len() > MAX_BYTES {
            return None;
        }
        // A text without an offset does not parse as a timestamp. A date alone would parse as its midnight.
        if let Ok(instant) = text.parse() {
            return Some(Moment::Instant(instant));
        }
        // Reading it as a local time would lose the zone in the brackets.
        if text.contains('[') {
            return text.parse::<Zoned>().ok().map(|zoned| Moment::Instant(zoned.timestamp()));
        }
        match text.contains([':', 'T', 't', ' ']) {
            true => text.parse().ok().map(Moment::Local),
            false => text.parse().ok().map(Moment::Day),
        }
    }

    /// Reads seconds since 1970, or milliseconds where the number is in the range of present-day milliseconds.
    fn since_1970(number: &Number) -> Option<Moment> {
        let whole = Decimal::of(number).filter(Decimal::is_whole)?;
        let whole: i64 = whole.canonical().parse().ok()?;
        let instant = match whole.unsigned_abs() >= FIRST_MILLISECONDS {
            true => Timestamp::from_millisecond(whole),
            false => Timestamp::from_second(whole),
        };
        instant.ok().map(Moment::Instant)
    }

    /// The first instant of this time in a zone. A date begins with its first instant. A local time that the clocks
    /// skip is the first instant after the gap. One that occurs twice is its first occurrence. `None` beyond the year
    /// 9999.
    #[must_use]
    pub fn begins(&self, zone: &Zone) -> Option<Timestamp> {
        match self {
            Moment::Instant(instant) => Some(*instant),
            Moment::Local(local) => zone.beginning(*local),
            Moment::Day(date) => zone.beginning(date.to_datetime(civil::Time::midnight())),
        }
    }

    /// The last instant of this time in a zone. A date lasts until the end of its day.
    #[must_use]
    pub fn ends(&self, zone: &Zone) -> Option<Timestamp> {
        match self {
            Moment::Instant(instant) => Some(*instant),
            Moment::Local(local) => zone.end(*local),
            Moment::Day(date) => {
                let next = zone.beginning(date.tomorrow().ok()?.to_datetime(civil::Time::midnight()))?;
                next.checked_sub(SignedDuration::from_nanos(1)).ok()
            }
        }
    }

    /// The local date and time in a zone.
    #[must_use]
    pub fn shown_in(&self, zone: &TimeZone) -> civil::DateTime {
        match self {
            Moment::Instant(instant) => zone.to_datetime(*instant),
            Moment::Local(local) => *local,
            Moment::Day(date) => date.to_datetime(civil::Time::midnight()),
        }
    }
}

/// Reads a duration: `24h`, `1d`, `1w`, `1h 30m` or ISO 8601. A day has 24 hours. `None` for other text, for negative
/// durations, and for months and years, whose length varies.
#[must_use]
pub fn length(text: &str) -> Option<SignedDuration> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let span: jiff::Span = text.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!length.is_negative()).then_some(length)
}

/// Moves an instant by whole local days and then by an exact duration. Days keep the local time of day, so a day
/// across a clock change has 23 or 25 hours. `None` beyond the calendar.
#[must_use]
pub fn shifted(instant: Timestamp, days: i64, exact: SignedDuration, zone: &Zone) -> Option<Timestamp> {
    let moved = match days {
        0 => instant,
        _ => {
            let local = zone.local(instant);
            let span = jiff::Span::new().try_days(days).ok()?;
            zone.beginning(local.checked_add(span).ok()?)?
        }
    };
    moved.checked_add(exact).ok()
}

/// The value of an event at a path that names a time or a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeOrLength {
    Time(Moment),
    /// A duration from zero to [`crate::time::span::MAX`].
    Length(SignedDuration),
}

/// The reason why a value of an event is neither a time nor a duration. `Display` omits the value, which may be
/// personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` of the event is {found}, and a time or a length is wanted")]
pub struct Unreadable {
    pub path: String,
    pub found: &'static str,
}

/// Reads the single time or duration at a path.
///
/// # Errors
/// [`Unreadable`] if the value is missing, `null`, several values, of another kind, or longer than 31 days.
pub fn time_or_length(path: &Path, envelope: &Value) -> Result<TimeOrLength, Unreadable> {
    let unreadable = |found| Unreadable { path: path.to_string(), found };
    let value = single(path, envelope).map_err(unreadable)?;
    if let Some(moment) = Moment::read(value) {
        return Ok(TimeOrLength::Time(moment));
    }
    match value.as_str().and_then(length) {
        Some(length) if length <= MAX => Ok(TimeOrLength::Length(length)),
        Some(_) => Err(unreadable("a length of more than 31 days")),
        None => Err(unreadable(kind(value))),
    }
}

impl Unreadable {
    /// A time beyond the supported calendar.
    pub(crate) fn beyond_the_calendar(path: &impl ToString) -> Unreadable {
        Unreadable { path: path.to_string(), found: "a time beyond the year 9999" }
    }
}

fn single<'v>(path: &Path, envelope: &'v Value) -> Result<&'v Value, &'static str> {
    match path.find(envelope)[..] {
        [] => Err("missing or null"),
        [value] => Ok(value),
        _ => Err("a list of several values"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number that counts no time",
        Value::String(_) => "a text of another form",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
