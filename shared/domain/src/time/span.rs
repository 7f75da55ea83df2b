//! Spans that begin with an event: the window of a digest or a throttle.

use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::config_error::{Invalid, Members, text};
use crate::time::recurrence::{self, Recurrence};
use crate::time::zone::Zone;

/// Maximum length of a span.
pub const MAX: SignedDuration = SignedDuration::from_hours(31 * 24);

const WANTED: &str =
    "a length from more than nothing to 31 days such as \"10m\", \"1h 30m\", \"7d\" or \"2w\"";
const WANTED_UNIT: &str = "one of seconds, minutes, hours, days, weeks";

/// A span that begins with an event.
///
/// It is written as a duration (`"10m"`, `"1h 30m"`, `"7d"`, `"2w"`, or `{"unit": "minutes", "value": 10}`), as an
/// instant (`"2026-12-24T18:00:00Z"`), or as a [`Recurrence`]. A day has 24 hours and a week 168, regardless of clock
/// changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Span {
    /// A duration of more than zero and at most [`MAX`].
    For(SignedDuration),
    /// Until the next run of a recurrence.
    Recurring(Recurrence),
    /// Until an instant.
    Until(Timestamp),
}

impl Span {
    /// The end of the span if it begins at `from`, always later than `from`.
    ///
    /// `None` if there is no such end: the instant is not after `from` or more than [`MAX`] away, or the calendar
    /// ends before. The caller then continues without a window.
    #[must_use]
    pub fn end(&self, zone: &Zone, from: Timestamp) -> Option<Timestamp> {
        match self {
            Span::For(length) => from.checked_add(*length).ok().filter(|sum| *sum > from),
            Span::Recurring(recurrence) => recurrence.next_after(zone, from),
            Span::Until(end) => (*end > from && end.duration_since(from) <= MAX).then_some(*end),
        }
    }
}

/// Reads a duration of more than zero and at most [`MAX`].
pub(crate) fn length(written: &Value, location: &str) -> Result<SignedDuration, Invalid> {
    let refusal = || Invalid::value(location, written, WANTED);
    let span: jiff::Span = text(written, location, WANTED)?.parse().map_err(|_| refusal())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refusal())?;
    bounded(length).ok_or_else(refusal)
}

fn bounded(length: SignedDuration) -> Option<SignedDuration> {
    (length.is_positive() && length <= MAX).then_some(length)
}

/// Reads a span at the location `location` of a larger value.
pub(crate) fn read(written: &Value, location: &str) -> Result<Span, Invalid> {
    match written {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(end) => Ok(Span::Until(end)),
            Err(_) => length(written, location).map(Span::For),
        },
        Value::Object(object) if object.contains_key("every") => {
            recurrence::read(written, location).map(Span::Recurring)
        }
        Value::Object(_) => counted(written, location).map(Span::For),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(Invalid::value(location, written, WANTED))
        }
    }
}

/// Reads `{"unit": "minutes", "value": 10}`.
fn counted(written: &Value, location: &str) -> Result<SignedDuration, Invalid> {
    let members = Members::read(written, location, &["unit", "value"])?;
    let (unit, location) = members.need("unit", WANTED_UNIT)?;
    let seconds = match text(unit, &location, WANTED_UNIT)? {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 60 * 60,
        "days" => 24 * 60 * 60,
        "weeks" => 7 * 24 * 60 * 60,
        _ => return Err(Invalid::value(&location, unit, WANTED_UNIT)),
    };
    let most = MAX.as_secs() / seconds;
    members.need("value", &format!("a whole number from 1 to {most}"))?;
    let value = members.number("value", 1, most)?.unwrap_or(1);
    Ok(SignedDuration::from_secs(value * seconds))
}

impl TryFrom<Value> for Span {
    type Error = Invalid;

    /// Reads a span.
    ///
    /// # Errors
    /// [`Invalid`] for a value that is neither a valid duration, nor an instant, nor a recurrence.
    fn try_from(written: Value) -> Result<Span, Invalid> {
        read(&written, "")
    }
}

impl From<Span> for Value {
    fn from(span: Span) -> Value {
        match span {
            Span::For(length) => format!("{length:#}").into(),
            Span::Recurring(recurrence) => recurrence.into(),
            Span::Until(end) => end.to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests;
