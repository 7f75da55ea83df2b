//! How long something runs that begins with an event: the window of a digest or of a throttle.

use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recurrence::{self, Recurrence};
use crate::written::{Invalid, Members, text};
use crate::zone::Zone;

/// The longest that a length of time may be.
///
/// Source: semantics 4.2.
pub const MAX: SignedDuration = SignedDuration::from_hours(31 * 24);

const WANTED: &str =
    "a length from more than nothing to 31 days such as \"10m\", \"1h 30m\", \"7d\" or \"2w\"";
const WANTED_UNIT: &str = "one of seconds, minutes, hours, days, weeks";

/// How long something runs that begins with an event.
///
/// Written as a length (`"10m"`, `"1h 30m"`, `"7d"`, `"2w"`, or `{"unit": "minutes", "value": 10}`), as an instant
/// (`"2026-12-24T18:00:00Z"`), or as a [`Recurrence`]. A day is 24 hours and a week 168, whatever the clocks do.
///
/// Source: semantics 4.1, window values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Span {
    /// So long from its beginning: more than nothing, at most [`MAX`].
    For(SignedDuration),
    /// To the next time that this comes round.
    Recurring(Recurrence),
    /// To this instant.
    Until(Timestamp),
}

impl Span {
    /// When it is over, if it begins at `from`: always later than `from`.
    ///
    /// `None` when it cannot be: the instant named is not after `from` or more than [`MAX`] away, or the calendar ends
    /// before. Whoever asked then goes on without a window.
    #[must_use]
    pub fn end(&self, zone: &Zone, from: Timestamp) -> Option<Timestamp> {
        match self {
            Span::For(length) => from.checked_add(*length).ok().filter(|sum| *sum > from),
            Span::Recurring(recurrence) => recurrence.next_after(zone, from),
            Span::Until(end) => (*end > from && end.duration_since(from) <= MAX).then_some(*end),
        }
    }
}

/// Reads a length of time: more than nothing, at most [`MAX`].
pub(crate) fn length(written: &Value, at: &str) -> Result<SignedDuration, Invalid> {
    let refusal = || Invalid::value(at, written, WANTED);
    let span: jiff::Span = text(written, at, WANTED)?.parse().map_err(|_| refusal())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refusal())?;
    bounded(length).ok_or_else(refusal)
}

fn bounded(length: SignedDuration) -> Option<SignedDuration> {
    (length.is_positive() && length <= MAX).then_some(length)
}

/// Reads a span that stands at `at` in something larger.
pub(crate) fn read(written: &Value, at: &str) -> Result<Span, Invalid> {
    match written {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(end) => Ok(Span::Until(end)),
            Err(_) => length(written, at).map(Span::For),
        },
        Value::Object(object) if object.contains_key("every") => {
            recurrence::read(written, at).map(Span::Recurring)
        }
        Value::Object(_) => counted(written, at).map(Span::For),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(Invalid::value(at, written, WANTED))
        }
    }
}

/// `{"unit": "minutes", "value": 10}`
fn counted(written: &Value, at: &str) -> Result<SignedDuration, Invalid> {
    let members = Members::read(written, at, &["unit", "value"])?;
    let (unit, place) = members.need("unit", WANTED_UNIT)?;
    let seconds = match text(unit, &place, WANTED_UNIT)? {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 60 * 60,
        "days" => 24 * 60 * 60,
        "weeks" => 7 * 24 * 60 * 60,
        _ => return Err(Invalid::value(&place, unit, WANTED_UNIT)),
    };
    let most = MAX.as_secs() / seconds;
    members.need("value", &format!("a whole number from 1 to {most}"))?;
    let value = members.number("value", 1, most)?.unwrap_or(1);
    Ok(SignedDuration::from_secs(value * seconds))
}

impl TryFrom<Value> for Span {
    type Error = Invalid;

    /// # Errors
    /// [`Invalid`] for what is neither a length within its bounds, nor an instant, nor a recurrence.
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
