//! When: dates and times of day, on the reader's own clock.

#![expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]

use icu_calendar::Date;
use icu_calendar::Gregorian;
use icu_datetime::fieldsets::{E, T, YMD, YMDE};
use icu_datetime::options::Length;
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_time::{DateTime, Time};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use super::{given, unknown, with_voice};
use crate::failure::reasoned;

/// Numbers from here on count milliseconds: as seconds they would lie in the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// No time is written longer: `2026-11-03T17:05:00.123456789+01:00[America/Argentina/ComodRivadavia]`.
const MAX_TIME_BYTES: usize = 80;

/// What an event may say about a time.
enum Moment {
    /// A point in time, `2026-11-03T17:05:00Z` or seconds since 1970: each zone has its own clock for it.
    Instant(Timestamp),
    /// `2026-11-03T17:05`: a clock on a wall, wherever that is.
    Wall(civil::DateTime),
    /// `2026-11-03`, the same everywhere.
    Day(civil::Date),
}

/// `at | date`, `at | date("long", zone="Europe/London")`: `short`, `medium` (the usual one), `long`, or `full` with
/// the day of the week.
pub(super) fn date(
    state: &State<'_, '_>,
    at: &Value,
    length: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let moment = Moment::read(at)?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let day = local(moment.on(zone.as_ref().unwrap_or_else(|| voice.zone())).date())?;
        if length == Some("full") {
            let formatter = FixedCalendarDateTimeFormatter::try_new(voice.locale().into(), YMDE::long());
            return Ok(formatter.map_err(unknown)?.format(&day).to_string());
        }
        let fields = YMD::for_length(length_of(length.unwrap_or("medium"))?);
        let formatter = FixedCalendarDateTimeFormatter::try_new(voice.locale().into(), fields);
        Ok(formatter.map_err(unknown)?.format(&day).to_string())
    })
}

/// `at | time`, `at | time(zone="Europe/London")`: hours and minutes.
pub(super) fn time(state: &State<'_, '_>, at: &Value, more: Kwargs) -> Result<String, Error> {
    let moment = Moment::read(at)?.with_time()?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let clock = moment.on(zone.as_ref().unwrap_or_else(|| voice.zone())).time();
        let formatter = NoCalendarFormatter::try_new(voice.locale().into(), T::hm());
        Ok(formatter.map_err(unknown)?.format(&of_day(clock)?).to_string())
    })
}

/// `at | datetime`, `at | datetime("long")`: the date in that length, with hours and minutes.
pub(super) fn datetime(
    state: &State<'_, '_>,
    at: &Value,
    length: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let moment = Moment::read(at)?.with_time()?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let clock = moment.on(zone.as_ref().unwrap_or_else(|| voice.zone()));
        let both = DateTime { date: local(clock.date())?, time: of_day(clock.time())? };
        if length == Some("full") {
            let fields = YMDE::long().with_time_hm();
            let formatter = FixedCalendarDateTimeFormatter::try_new(voice.locale().into(), fields);
            return Ok(formatter.map_err(unknown)?.format(&both).to_string());
        }
        let fields = YMD::for_length(length_of(length.unwrap_or("medium"))?).with_time_hm();
        let formatter = FixedCalendarDateTimeFormatter::try_new(voice.locale().into(), fields);
        Ok(formatter.map_err(unknown)?.format(&both).to_string())
    })
}

/// `at | weekday`: its name; `at | weekday("short")`.
pub(super) fn weekday(
    state: &State<'_, '_>,
    at: &Value,
    length: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let moment = Moment::read(at)?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let day = local(moment.on(zone.as_ref().unwrap_or_else(|| voice.zone())).date())?;
        let fields = E::for_length(length_of(length.unwrap_or("long"))?);
        let formatter = FixedCalendarDateTimeFormatter::try_new(voice.locale().into(), fields);
        Ok(formatter.map_err(unknown)?.format(&day).to_string())
    })
}

impl Moment {
    fn read(value: &Value) -> Result<Moment, Error> {
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

    fn with_time(self) -> Result<Moment, Error> {
        match self {
            Moment::Instant(_) | Moment::Wall(_) => Ok(self),
            Moment::Day(_) => Err(reasoned("the value is a date and has no time of day")),
        }
    }

    /// What clock and calendar show.
    fn on(&self, zone: &TimeZone) -> civil::DateTime {
        match self {
            Moment::Instant(it) => zone.to_datetime(*it),
            Moment::Wall(it) => *it,
            Moment::Day(it) => it.to_datetime(civil::Time::midnight()),
        }
    }
}

/// The zone that a template names, in place of the reader's.
fn zone(more: &Kwargs) -> Result<Option<TimeZone>, Error> {
    let name: Option<&str> = more.get("zone")?;
    if more.assert_all_used().is_err() {
        return Err(reasoned("of a time one can name the zone only: zone=\"Europe/London\""));
    }
    let no_zone = |_| reasoned("there is no such zone; write one as Europe/London");
    name.map(|it| TimeZone::get(it).map_err(no_zone)).transpose()
}

fn length_of(word: &str) -> Result<Length, Error> {
    match word {
        "short" => Ok(Length::Short),
        "medium" => Ok(Length::Medium),
        "long" => Ok(Length::Long),
        _ => Err(reasoned("there is no such length; write short, medium or long")),
    }
}

fn local(date: civil::Date) -> Result<Date<Gregorian>, Error> {
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    Date::try_new_gregorian(date.year().into(), month, day).map_err(|_| reasoned("there is no such day"))
}

fn of_day(time: civil::Time) -> Result<Time, Error> {
    let (hour, minute) = (time.hour().unsigned_abs(), time.minute().unsigned_abs());
    Time::try_new(hour, minute, 0, 0).map_err(|_| reasoned("there is no such time of day"))
}
