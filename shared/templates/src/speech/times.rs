//! When: dates and times of day, on the reader's own clock.

#![expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]

use domain::moment::Moment;
use icu_calendar::Date;
use icu_calendar::Gregorian;
use icu_datetime::fieldsets::{E, T, YMD, YMDE};
use icu_datetime::options::Length;
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_time::{DateTime, Time};
use jiff::civil;
use jiff::tz::TimeZone;
use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use super::{given, unknown, with_voice};
use crate::failure::reasoned;

/// `at | date`, `at | date("long", zone="Europe/London")`: `short`, `medium` (the usual one), `long`, or `full` with
/// the day of the week.
pub(super) fn date(
    state: &State<'_, '_>,
    at: &Value,
    length: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let moment = read(at)?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let day = local(moment.shown_in(zone.as_ref().unwrap_or_else(|| voice.zone())).date())?;
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
    let moment = with_time(read(at)?)?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let clock = moment.shown_in(zone.as_ref().unwrap_or_else(|| voice.zone())).time();
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
    let moment = with_time(read(at)?)?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let clock = moment.shown_in(zone.as_ref().unwrap_or_else(|| voice.zone()));
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
    let moment = read(at)?;
    let zone = zone(&more)?;
    with_voice(state, |voice| {
        let day = local(moment.shown_in(zone.as_ref().unwrap_or_else(|| voice.zone())).date())?;
        let fields = E::for_length(length_of(length.unwrap_or("long"))?);
        let formatter = FixedCalendarDateTimeFormatter::try_new(voice.locale().into(), fields);
        Ok(formatter.map_err(unknown)?.format(&day).to_string())
    })
}

/// A time as `domain` reads it, for rules and templates alike.
fn read(value: &Value) -> Result<Moment, Error> {
    let moment = match given(value)?.as_str() {
        Some(text) => Moment::parse(text),
        None if value.is_number() => value.as_i64().and_then(|whole| Moment::read(&whole.into())),
        None => None,
    };
    moment.ok_or_else(|| reasoned("the value is not a time, such as 2026-11-03T17:05:00Z"))
}

fn with_time(moment: Moment) -> Result<Moment, Error> {
    match moment {
        Moment::Instant(_) | Moment::Local(_) => Ok(moment),
        Moment::Day(_) => Err(reasoned("the value is a date and has no time of day")),
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
