//! Filters for dates and times of day, in the reader's time zone.

#![expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]

use domain::time::moment::Moment;
use icu_calendar::Date;
use icu_calendar::Gregorian;
use icu_datetime::fieldsets::{E, T, YMD, YMDE};
use icu_datetime::options::Length;
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_time::{DateTime, Time};
use jiff::civil;
use jiff::tz::TimeZone;
use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, State, Value};

use super::cldr;
use super::moment;
use super::patterns::{self, Pattern};
use super::{LocaleFormat, unknown, with_format};
use crate::failure::reasoned;

/// The lengths of dates, by their names in templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Short,
    Medium,
    Long,
    /// Long, with the day of the week.
    Full,
}

/// The named arguments of a time filter.
struct Options {
    /// The zone that a template names, in place of the reader's.
    zone: Option<TimeZone>,
    pattern: Option<Pattern>,
}

/// `at | date`, `at | date("long", zone="Europe/London")`: `short`, `medium` (the default), `long`, or `full` with
/// the day of the week. `at | date(pattern="d. MMMM")` uses CLDR's pattern letters.
pub(super) fn date(
    state: &State<'_, '_>,
    value: &Value,
    length: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let moment = moment::read(value)?;
    let options = Options::read(&more, length)?;
    let style = Style::read(length)?;
    with_format(state, |locale_format| {
        if let Some(pattern) = &options.pattern {
            return by_pattern(locale_format, &options, pattern, moment);
        }
        let day = local(options.clock(locale_format, moment).date())?;
        match cldr::date_pattern(locale_format.tag(), style) {
            Some(pattern) => patterns::format(locale_format, &pattern, day, None),
            None => icu_date(locale_format, style, day),
        }
    })
}

/// The date as ICU4X builds it.
fn icu_date(locale_format: &LocaleFormat, style: Style, day: Date<Gregorian>) -> Result<String, Error> {
    if style == Style::Full {
        let formatter = FixedCalendarDateTimeFormatter::try_new(locale_format.locale().into(), YMDE::long());
        return Ok(formatter.map_err(unknown)?.format(&day).to_string());
    }
    let formatter = FixedCalendarDateTimeFormatter::try_new(
        locale_format.locale().into(),
        YMD::for_length(style.length()),
    );
    Ok(formatter.map_err(unknown)?.format(&day).to_string())
}

/// `at | time`, `at | time(zone="Europe/London")`: hours and minutes.
pub(super) fn time(state: &State<'_, '_>, value: &Value, more: Kwargs) -> Result<String, Error> {
    let moment = moment::with_time(moment::read(value)?)?;
    let options = Options::read(&more, None)?;
    with_format(state, |locale_format| {
        if let Some(pattern) = &options.pattern {
            return by_pattern(locale_format, &options, pattern, moment);
        }
        let clock = options.clock(locale_format, moment);
        match cldr::time_pattern(locale_format.tag()) {
            Some(pattern) => {
                patterns::format(locale_format, &pattern, local(clock.date())?, Some(of_day(clock.time())?))
            }
            None => icu_time(locale_format, of_day(clock.time())?),
        }
    })
}

/// The time of day as ICU4X builds it.
fn icu_time(locale_format: &LocaleFormat, clock: Time) -> Result<String, Error> {
    let formatter = NoCalendarFormatter::try_new(locale_format.locale().into(), T::hm());
    Ok(formatter.map_err(unknown)?.format(&clock).to_string())
}

/// `at | datetime`, `at | datetime("long")`: the date in that length, with hours and minutes.
pub(super) fn datetime(
    state: &State<'_, '_>,
    value: &Value,
    length: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let moment = moment::with_time(moment::read(value)?)?;
    let options = Options::read(&more, length)?;
    let style = Style::read(length)?;
    with_format(state, |locale_format| {
        if let Some(pattern) = &options.pattern {
            return by_pattern(locale_format, &options, pattern, moment);
        }
        let clock = options.clock(locale_format, moment);
        let both = DateTime { date: local(clock.date())?, time: of_day(clock.time())? };
        let mut text = icu_datetime(locale_format, style, &both)?;
        // ICU4X joins date and time like CLDR, but each of them may differ.
        if let Some(pattern) = cldr::date_pattern(locale_format.tag(), style) {
            let day = patterns::format(locale_format, &pattern, both.date, None)?;
            text = text.replacen(&icu_date(locale_format, style, both.date)?, &day, 1);
        }
        if let Some(pattern) = cldr::time_pattern(locale_format.tag()) {
            let clock = patterns::format(locale_format, &pattern, both.date, Some(both.time))?;
            text = text.replacen(&icu_time(locale_format, both.time)?, &clock, 1);
        }
        Ok(text)
    })
}

/// Date and time as ICU4X builds them.
fn icu_datetime(
    locale_format: &LocaleFormat,
    style: Style,
    both: &DateTime<Gregorian>,
) -> Result<String, Error> {
    if style == Style::Full {
        let fields = YMDE::long().with_time_hm();
        let formatter = FixedCalendarDateTimeFormatter::try_new(locale_format.locale().into(), fields);
        return Ok(formatter.map_err(unknown)?.format(both).to_string());
    }
    let fields = YMD::for_length(style.length()).with_time_hm();
    let formatter = FixedCalendarDateTimeFormatter::try_new(locale_format.locale().into(), fields);
    Ok(formatter.map_err(unknown)?.format(both).to_string())
}

/// `at | weekday`: the name of the day, also `at | weekday("short")`.
pub(super) fn weekday(
    state: &State<'_, '_>,
    value: &Value,
    length: Option<&str>,
    more: Kwargs,
) -> Result<String, Error> {
    let moment = moment::read(value)?;
    let options = Options::read(&more, Some("a weekday has no pattern"))?;
    let style = Style::read(length.or(Some("long")))?;
    with_format(state, |locale_format| {
        let day = local(options.clock(locale_format, moment).date())?;
        let formatter = FixedCalendarDateTimeFormatter::try_new(
            locale_format.locale().into(),
            E::for_length(style.length()),
        );
        Ok(formatter.map_err(unknown)?.format(&day).to_string())
    })
}

fn by_pattern(
    locale_format: &LocaleFormat,
    options: &Options,
    pattern: &Pattern,
    moment: Moment,
) -> Result<String, Error> {
    let moment = if pattern.has_time() { moment::with_time(moment)? } else { moment };
    let clock = options.clock(locale_format, moment);
    patterns::format(locale_format, pattern, local(clock.date())?, Some(of_day(clock.time())?))
}

impl Options {
    /// Parses the arguments. A pattern excludes `length`.
    fn read(more: &Kwargs, length: Option<&str>) -> Result<Options, Error> {
        let zone = zone(more)?;
        let pattern: Option<&str> = more.get("pattern")?;
        if more.assert_all_used().is_err() {
            return Err(reasoned("a time filter takes only zone=\"Europe/London\" and pattern=\"d. MMMM\""));
        }
        if pattern.is_some() && length.is_some() {
            return Err(reasoned("a length and a pattern exclude each other; write one of them"));
        }
        Ok(Options { zone, pattern: pattern.map(Pattern::read).transpose()? })
    }

    fn clock(&self, locale_format: &LocaleFormat, moment: Moment) -> civil::DateTime {
        moment.shown_in(self.zone.as_ref().unwrap_or_else(|| locale_format.zone()))
    }
}

/// The zone that a template names.
pub(super) fn zone(more: &Kwargs) -> Result<Option<TimeZone>, Error> {
    let name: Option<&str> = more.get("zone")?;
    if more.has("zone") && name.is_none() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let no_zone = |_| reasoned("there is no such zone; write one as Europe/London");
    name.map(|name| TimeZone::get(name).map_err(no_zone)).transpose()
}

impl Style {
    fn read(word: Option<&str>) -> Result<Style, Error> {
        match word.unwrap_or("medium") {
            "short" => Ok(Style::Short),
            "medium" => Ok(Style::Medium),
            "long" => Ok(Style::Long),
            "full" => Ok(Style::Full),
            _ => Err(reasoned("there is no such length; write short, medium, long or full")),
        }
    }

    fn length(self) -> Length {
        match self {
            Style::Short => Length::Short,
            Style::Medium => Length::Medium,
            Style::Long | Style::Full => Length::Long,
        }
    }
}

fn local(date: civil::Date) -> Result<Date<Gregorian>, Error> {
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    Date::try_new_gregorian(date.year().into(), month, day).map_err(|_| reasoned("there is no such day"))
}

fn of_day(time: civil::Time) -> Result<Time, Error> {
    let (hour, minute, second) =
        (time.hour().unsigned_abs(), time.minute().unsigned_abs(), time.second().unsigned_abs());
    Time::try_new(hour, minute, second, 0).map_err(|_| reasoned("there is no such time of day"))
}
