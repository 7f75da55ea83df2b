//! Relative times: "in 3 days", "yesterday".

#![expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]

use domain::time::moment::Moment;
use icu_decimal::input::Decimal;
use icu_experimental::relativetime::options::Numeric;
use icu_experimental::relativetime::{RelativeTimeFormatter, RelativeTimeFormatterOptions};
use jiff::civil;
use jiff::tz::TimeZone;
use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, State, Value};

use super::moment;
use super::{LocaleFormat, times, unknown, with_format};
use crate::failure::reasoned;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// The number of days from which months are counted.
const MONTH_DAYS: i64 = 30;

/// A distance in its unit. The past is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Distance {
    Minutes(i64),
    Hours(i64),
    Days(i64),
    Months(i64),
    Years(i64),
}

/// `at | relative`: the distance of a time from the time of sending, or `at | relative(from=data.start)` from
/// another time. Below an hour the unit is minutes, below a day hours, then days of the reader's calendar, months
/// and years. A date without a time of day gives days: "today", "tomorrow", "in 3 days".
pub(super) fn relative(state: &State<'_, '_>, time: &Value, more: Kwargs) -> Result<String, Error> {
    let moment = moment::read(time)?;
    let zone = times::zone(&more)?;
    let from: Option<Value> = more.get("from")?;
    if more.has("from") && from.is_none() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if more.assert_all_used().is_err() {
        return Err(reasoned("`relative` takes only from=<another time> and zone=\"Europe/London\""));
    }
    let from = from.as_ref().map(moment::read).transpose()?;
    with_format(state, |locale_format| {
        let zone = zone.as_ref().unwrap_or_else(|| locale_format.zone());
        let from = from.or_else(|| locale_format.now().map(Moment::Instant));
        let from = from.ok_or_else(|| reasoned("the event has no time to count from; write from=…"))?;
        written(locale_format, distance(moment, from, zone))
    })
}

fn distance(to: Moment, from: Moment, zone: &TimeZone) -> Distance {
    let (there, here) = (to.shown_in(zone), from.shown_in(zone));
    let days = calendar_days(here.date(), there.date());
    let whole_days = matches!(to, Moment::Day(_)) || matches!(from, Moment::Day(_));
    let seconds = match (to, from) {
        (Moment::Instant(to), Moment::Instant(from)) => to.as_second() - from.as_second(),
        _ => there.duration_since(here).as_secs(),
    };
    let rounded = |unit: i64| (seconds + seconds.signum() * unit / 2) / unit;
    if !whole_days && rounded(MINUTE_S).abs() < 60 {
        return Distance::Minutes(rounded(MINUTE_S));
    }
    if !whole_days && rounded(HOUR_S).abs() < 24 && seconds.abs() < DAY_S {
        return Distance::Hours(rounded(HOUR_S));
    }
    if days.abs() < MONTH_DAYS {
        return Distance::Days(days);
    }
    let span = (jiff::Unit::Month, there.date());
    let months = here.date().until(span).map_or(days / MONTH_DAYS, |span| i64::from(span.get_months()));
    let months = if months == 0 { days.signum() } else { months };
    match months.abs() {
        0..12 => Distance::Months(months),
        _ => Distance::Years(months / 12),
    }
}

fn calendar_days(from: civil::Date, to: civil::Date) -> i64 {
    from.until((jiff::Unit::Day, to)).map_or(0, |span| i64::from(span.get_days()))
}

fn written(locale_format: &LocaleFormat, distance: Distance) -> Result<String, Error> {
    let number = RelativeTimeFormatterOptions::default();
    // Days have words of their own, such as "tomorrow".
    let words = number.with_numeric(Numeric::Auto);
    let locale = locale_format.locale();
    let (formatter, count) = match distance {
        Distance::Minutes(0) => (RelativeTimeFormatter::try_new_long_minute(locale.into(), words), 0),
        Distance::Minutes(minutes) => {
            (RelativeTimeFormatter::try_new_long_minute(locale.into(), number), minutes)
        }
        Distance::Hours(hours) => (RelativeTimeFormatter::try_new_long_hour(locale.into(), number), hours),
        Distance::Days(days) => (RelativeTimeFormatter::try_new_long_day(locale.into(), words), days),
        Distance::Months(months) => {
            (RelativeTimeFormatter::try_new_long_month(locale.into(), number), months)
        }
        Distance::Years(years) => (RelativeTimeFormatter::try_new_long_year(locale.into(), number), years),
    };
    Ok(formatter.map_err(unknown)?.format(Decimal::from(count)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_has_the_usual_unit() {
        for (to, expected) in [
            ("2026-11-20T12:00:29Z", Distance::Minutes(0)),
            ("2026-11-20T12:04:40Z", Distance::Minutes(5)),
            ("2026-11-20T11:01:00Z", Distance::Minutes(-59)),
            ("2026-11-20T13:00:00Z", Distance::Hours(1)),
            ("2026-11-20T12:59:40Z", Distance::Hours(1)),
            ("2026-11-21T11:00:00Z", Distance::Hours(23)),
            ("2026-11-21T12:00:00Z", Distance::Days(1)),
            ("2026-11-21", Distance::Days(1)),
            ("2026-11-20", Distance::Days(0)),
            ("2026-11-18T00:00:00Z", Distance::Days(-2)),
            ("2026-12-19T00:00:00Z", Distance::Days(29)),
            ("2026-12-20T12:00:00Z", Distance::Months(1)),
            ("2026-12-21T12:00:00Z", Distance::Months(1)),
            ("2027-11-19T12:00:00Z", Distance::Months(11)),
            ("2025-11-20T12:00:00Z", Distance::Years(-1)),
            ("9999-01-01", Distance::Years(7972)),
        ] {
            let read = |text: &str| moment::read(&Value::from(text)).unwrap();
            let from = read("2026-11-20T12:00:00Z");
            assert_eq!(distance(read(to), from, &TimeZone::UTC), expected, "{to}");
        }
    }
}
