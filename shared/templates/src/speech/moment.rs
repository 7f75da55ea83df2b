//! The times that an event may carry, as filters read them.

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use minijinja::{Error, Value};

use super::given;
use crate::failure::reasoned;

/// Numbers from here on count milliseconds: as seconds they would lie in the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// No time is written longer: `2026-11-03T17:05:00.123456789+01:00[America/Argentina/ComodRivadavia]`.
const MAX_TIME_BYTES: usize = 80;

/// A time of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// A point in time, `2026-11-03T17:05:00Z` or seconds since 1970: each zone has its own clock for it.
    Instant(Timestamp),
    /// `2026-11-03T17:05`: a clock on a wall, wherever that is.
    Wall(civil::DateTime),
    /// `2026-11-03`, the same everywhere.
    Day(civil::Date),
}

impl Moment {
    pub(super) fn read(value: &Value) -> Result<Moment, Error> {
        let number = || value.is_number().then(|| value.as_i64()).flatten();
        let moment = match given(value)?.as_str() {
            Some(it) => Moment::parse(it),
            None => number().and_then(|it| {
                match it.abs() {
                    FIRST_MILLISECONDS.. => Timestamp::from_millisecond(it).ok(),
                    _ => Timestamp::from_second(it).ok(),
                }
                .map(Moment::Instant)
            }),
        };
        moment.ok_or_else(|| reasoned("the value is not a time, such as 2026-11-03T17:05:00Z"))
    }

    fn parse(text: &str) -> Option<Moment> {
        if text.len() > MAX_TIME_BYTES {
            return None;
        }
        // A text without an offset is no timestamp; one that is only a date would be read as its midnight.
        if let Ok(it) = text.parse() {
            return Some(Moment::Instant(it));
        }
        match text.contains([':', 'T', 't', ' ']) {
            true => text.parse().ok().map(Moment::Wall),
            false => text.parse().ok().map(Moment::Day),
        }
    }

    pub(super) fn with_time(self) -> Result<Moment, Error> {
        match self {
            Moment::Instant(_) | Moment::Wall(_) => Ok(self),
            Moment::Day(_) => Err(reasoned("the value is a date and has no time of day")),
        }
    }

    /// The date and the time that calendar and clock show in a zone.
    pub(super) fn on(&self, zone: &TimeZone) -> civil::DateTime {
        match self {
            Moment::Instant(it) => zone.to_datetime(*it),
            Moment::Wall(it) => *it,
            Moment::Day(it) => it.to_datetime(civil::Time::midnight()),
        }
    }
}
