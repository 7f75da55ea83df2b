//! A strict parser of RFC 3339 times.
//!
//! Source: RFC 3339, sections 5.6 (grammar) and 5.7 (leap seconds); CloudEvents 1.0.2, "Type System", `Timestamp`.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// An instant, with its text if a [`Timestamp`] cannot represent the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The nearest instant that a [`Timestamp`] represents. The last hours of the year 9999 exceed its range.
    pub instant: Timestamp,
    /// The original text of a leap second, of more than nine fractional digits, or of a time outside the range.
    pub as_written: Option<Box<str>>,
}

/// The days, as month and day, whose last minute may have 61 seconds.
const LEAP_DAYS: [(i8, i8); 2] = [(6, 30), (12, 31)];

/// The years with a leap second at the end of June, and at the end of December.
///
/// Source: IERS, Leap_Second.dat; Bulletin C announces none up to the end of 2026.
const LEAP_YEARS: [&[i16]; 2] = [
    &[1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015],
    &[1972, 1973, 1974, 1975, 1976, 1977, 1978, 1979, 1987, 1989, 1990, 1995, 1998, 2005, 2008, 2016],
];

/// The first instant that RFC 3339 can represent in UTC: 0000-01-01T00:00:00Z.
const FIRST: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// The last year whose leap seconds are known.
const LAST_KNOWN_YEAR: i16 = 2026;

/// Parses a time. `None` for a text outside the grammar, and for a day or leap second that does not exist.
pub fn read(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if !text.is_ascii() || separators.iter().any(|(position, wanted)| bytes.get(*position) != Some(wanted)) {
        return None;
    }
    if !matches!(bytes.get(10), Some(b'T' | b't')) {
        return None;
    }
    let date = Date::new(number(text, 0..4)?, small(text, 5..7)?, small(text, 8..10)?).ok()?;
    let (hour, minute, second) = (small(text, 11..13)?, small(text, 14..16)?, small(text, 17..19)?);
    let (digits, rest) = fraction(text.get(19..)?)?;
    let offset = offset(rest)?;
    let is_leap = second == 60;
    let (year, month, day) = (date.year(), date.month(), date.day());
    let second = if is_leap { 59 } else { second };
    let clock = DateTime::new(year, month, day, hour, minute, second, nanoseconds(digits)).ok()?;
    if is_leap && !has_leap_second(clock, offset) {
        return None;
    }
    let (instant, is_clamped) = match offset.to_timestamp(clock) {
        Ok(instant) if instant >= FIRST => (instant, false),
        Ok(_) => (FIRST, true),
        // Only the last hours of the year 9999 exceed the range.
        Err(_) => (Timestamp::MAX, true),
    };
    let is_longer = digits.bytes().skip(9).any(|digit| digit != b'0');
    let as_written = (is_leap || is_clamped || is_longer).then(|| text.into());
    Some(Moment { instant, as_written })
}

/// Splits off the fractional digits of a second.
fn fraction(text: &str) -> Option<(&str, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some(("", text)) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| digits.split_at(length))
}

/// Parses `Z`, or a sign, hours up to 23, a colon and minutes up to 59.
fn offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let sign = match text.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (number(text, 1..3)?, number(text, 4..6)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

/// Whether a leap second may follow the last second of this minute. Leap seconds are inserted in UTC.
fn has_leap_second(clock: DateTime, offset: Offset) -> bool {
    let Ok(instant) = offset.to_timestamp(clock) else { return false };
    let utc = Offset::UTC.to_datetime(instant);
    if (utc.hour(), utc.minute(), utc.second()) != (23, 59, 59) {
        return false;
    }
    let day = LEAP_DAYS.iter().position(|leap_day| *leap_day == (utc.month(), utc.day()));
    let years = day.and_then(|day| LEAP_YEARS.get(day));
    years.is_some_and(|years| utc.year() > LAST_KNOWN_YEAR || years.contains(&utc.year()))
}

fn small(text: &str, range: Range<usize>) -> Option<i8> {
    number(text, range)
}

/// Parses a number of digits only.
fn number<N: std::str::FromStr>(text: &str, range: Range<usize>) -> Option<N> {
    let digits = text.get(range)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// The fraction of a second in nanoseconds, rounded down.
fn nanoseconds(digits: &str) -> i32 {
    let kept = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    kept.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_times_are_read() {
        for (text, instant) in [
            ("2026-11-20T09:30:00Z", "2026-11-20T09:30:00Z"),
            ("2026-11-20t09:30:00z", "2026-11-20T09:30:00Z"),
            ("2026-11-20T09:30:00.5-23:59", "2026-11-21T09:29:00.5Z"),
            ("2026-11-20T09:30:00-00:00", "2026-11-20T09:30:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("2024-02-29T23:59:59.999999999+14:00", "2024-02-29T09:59:59.999999999Z"),
        ] {
            check(text, instant, false);
        }
    }

    #[test]
    fn text_is_kept_if_an_instant_cannot_represent_it() {
        check("2026-11-20T09:30:00.1234567890Z", "2026-11-20T09:30:00.123456789Z", false);
        check("2026-11-20T09:30:00.1234567891Z", "2026-11-20T09:30:00.123456789Z", true);
        check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", true);
        check("1990-12-31T15:59:60-08:00", "1990-12-31T23:59:59Z", true);
        check("2029-06-30T23:59:60.25Z", "2029-06-30T23:59:59.25Z", true);
        check("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z", true);
        for text in ["9999-12-31T23:59:59Z", "9999-12-31T00:00:00-23:59", "9999-12-30T22:00:01Z"] {
            check(text, &Timestamp::MAX.to_string(), true);
        }
    }

    #[test]
    fn invalid_times_are_refused() {
        for text in [
            "",
            "noon",
            "2026-11-20",
            "2026-11-20T09:30Z",
            "2026-11-20T09:30:00",
            "2026-11-20 09:30:00Z",
            "2026-11-20T09:30:00+0100",
            "2026-11-20T09:30:00+01",
            "2026-11-20T09:30:00+24:00",
            "2026-11-20T09:30:00+01:60",
            "2026-11-20T09:30:00+01:00[Europe/Berlin]",
            "2026-11-20T09:30:00Z[UTC]",
            "2026-11-20T09:30:00GMT",
            "2026-11-20T09:30:00.Z",
            "2026-11-20T09:30:00,5Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T09:60:00Z",
            "2026-02-30T09:30:00Z",
            "2025-02-29T09:30:00Z",
            "2026-11-20T12:59:60Z",
            "2026-12-31T23:59:60Z",
            "2016-12-31T23:59:60+01:00",
            "2016-12-31T23:59:61Z",
            "20261120T093000Z",
            "26-11-20T09:30:00Z",
            "+02026-11-20T09:30:00Z",
            "2026-11-20T+9:30:00Z",
            "2026-11-20T09:30:00+-1:00",
            " 2026-11-20T09:30:00Z",
            "2026-11-20T09:30:00Z ",
            "2026-11-20T09:30:00−01:00",
            "２026-11-20T09:30:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[track_caller]
    fn check(text: &str, instant: &str, is_kept: bool) {
        let moment = read(text).unwrap_or_else(|| panic!("{text} is not read"));
        assert_eq!(moment.instant.to_string(), instant, "{text}");
        assert_eq!(moment.as_written.as_deref(), is_kept.then_some(text));
    }
}
