//! Recurrences: every hour, day, week or month in local time.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::config_error::{Invalid, Members, text};
use crate::time::time_of_day::{DayTime, Days};
use crate::time::zone::Zone;

/// The step of `minutes`.
pub const MINUTES_STEP: u32 = 5;

/// Maximum number of days, months, or hours of as many days that are tried for the next run. A week or a month
/// suffices. The rest covers zones that skip a day.
const MAX_DAYS: usize = 15;

const KEYS: [&str; 6] = ["every", "days", "at", "hours", "minutes", "day_of_month"];
const WANTED_EVERY: &str = "one of hourly, daily, weekly, monthly";

/// A recurrence in local time.
///
/// It is written as `{"every": "weekly", "days": ["mon", "thu"], "at": "08:00"}`:
/// - `every` is `hourly`, `daily`, `weekly` or `monthly`.
/// - `days` is a list of `mon` to `sun`, `weekdays` or `weekends`. It is required for weekly, optional for hourly and
///   daily, and not allowed for monthly.
/// - `at` is `HH:MM`. Alternatively, `hours` and `minutes` are used, each with the default 0. Hourly accepts
///   `minutes` only.
/// - `day_of_month` is 1 to 31, or the last day of shorter months. It is required for monthly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Recurrence(Rhythm);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rhythm {
    Hourly { minutes: u32, days: Days },
    Daily { at: DayTime, days: Days },
    Weekly { at: DayTime, days: Days },
    Monthly { at: DayTime, day: i8 },
}

impl Recurrence {
    /// Every full hour.
    #[must_use]
    pub fn hourly() -> Recurrence {
        Recurrence(Rhythm::Hourly { minutes: 0, days: Days::ALL })
    }

    /// Every day at midnight.
    #[must_use]
    pub fn daily() -> Recurrence {
        Recurrence(Rhythm::Daily { at: DayTime::START, days: Days::ALL })
    }

    /// Every week, at midnight at the start of this day.
    #[must_use]
    pub fn weekly(day: Weekday) -> Recurrence {
        Recurrence(Rhythm::Weekly { at: DayTime::START, days: Days::only(day) })
    }

    /// Every month, at midnight at the start of its first day.
    #[must_use]
    pub fn monthly() -> Recurrence {
        Recurrence(Rhythm::Monthly { at: DayTime::START, day: 1 })
    }

    /// The first run later than `after`. `None` only if the calendar ends before.
    ///
    /// A run at a local time that the clocks skip happens at the first instant after the gap. A run at a local time
    /// that occurs twice happens at the first occurrence. Hourly runs follow the clock's minutes instead. They run in
    /// both occurrences of a repeated hour, and not in skipped hours.
    #[must_use]
    pub fn next_after(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let today = zone.local(after).date();
        // The day before is included, because clocks can be moved back across midnight.
        let first = today.yesterday().unwrap_or(today);
        let later = |local: DateTime| zone.beginning(local).filter(|beginning| *beginning > after);
        match self.0 {
            Rhythm::Hourly { minutes, days } => next_hour(zone, after, minutes, days),
            Rhythm::Daily { at: time, days } | Rhythm::Weekly { at: time, days } => first
                .series(jiff::Span::new().days(1))
                .take(MAX_DAYS)
                .filter(|date| days.contains(date.weekday()))
                .find_map(|date| later(time.on(date)?)),
            Rhythm::Monthly { at: time, day } => first
                .first_of_month()
                .series(jiff::Span::new().months(1))
                .take(MAX_DAYS)
                .find_map(|date| later(time.on(day_of(date, day)?)?)),
        }
    }
}

/// The next instant at which the clock shows these minutes, on one of these days.
fn next_hour(zone: &Zone, after: Timestamp, minutes: u32, days: Days) -> Option<Timestamp> {
    let mut from = after;
    for _ in 0..24 * MAX_DAYS {
        // Within an hour the clock changes at most once, so one of the two offsets is right.
        let hour_later = from.checked_add(SignedDuration::from_hours(1)).ok()?;
        let before = next_shown(zone, from, from, minutes);
        let after = next_shown(zone, hour_later, from, minutes);
        let next = before.into_iter().chain(after).min();
        if let Some(next) = next.filter(|next| days.contains(zone.local(*next).weekday())) {
            return Some(next);
        }
        from = next.unwrap_or(hour_later);
    }
    None
}

/// The first instant after `from` with these minutes, if the UTC offset until then is the one at `sample`.
fn next_shown(zone: &Zone, sample: Timestamp, from: Timestamp, minutes: u32) -> Option<Timestamp> {
    let offset = zone.offset(sample);
    let local = from.as_second().checked_add(offset)?;
    let wait = (i64::from(minutes) * 60 - local - 1).rem_euclid(3600) + 1;
    let next = Timestamp::from_second(from.as_second() + wait).ok()?;
    (zone.offset(next) == offset).then_some(next)
}

/// The day of the month, or the month's last day.
fn day_of(month: Date, day: i8) -> Option<Date> {
    month.with().day(day.min(month.days_in_month())).build().ok()
}

impl TryFrom<Value> for Recurrence {
    type Error = Invalid;

    /// Reads a recurrence.
    ///
    /// # Errors
    /// [`Invalid`] for the first fault: an unknown key, word, day or time, a missing or disallowed key, or minutes
    /// that are not a multiple of [`MINUTES_STEP`].
    fn try_from(written: Value) -> Result<Recurrence, Invalid> {
        read(&written, "")
    }
}

/// Reads a recurrence at the location `at` of a larger value.
pub(crate) fn read(written: &Value, at: &str) -> Result<Recurrence, Invalid> {
    let members = Members::read(written, at, &KEYS)?;
    let (every, place) = members.need("every", WANTED_EVERY)?;
    let rhythm = match text(every, &place, WANTED_EVERY)? {
        "hourly" => {
            refuse(&members, "hourly", &["at", "hours", "day_of_month"])?;
            Rhythm::Hourly { minutes: time(&members)?.minutes(), days: days(&members)?.unwrap_or(Days::ALL) }
        }
        "daily" => {
            refuse(&members, "daily", &["day_of_month"])?;
            Rhythm::Daily { at: time(&members)?, days: days(&members)?.unwrap_or(Days::ALL) }
        }
        "weekly" => {
            refuse(&members, "weekly", &["day_of_month"])?;
            members.need("days", "the days of the week, such as [mon]")?;
            Rhythm::Weekly { at: time(&members)?, days: days(&members)?.unwrap_or(Days::ALL) }
        }
        "monthly" => {
            refuse(&members, "monthly", &["days"])?;
            members.need("day_of_month", "1 to 31; 31 is the last day of every month")?;
            let day = members.number("day_of_month", 1, 31)?.and_then(|number| i8::try_from(number).ok());
            Rhythm::Monthly { at: time(&members)?, day: day.unwrap_or(1) }
        }
        _ => return Err(Invalid::value(&place, every, WANTED_EVERY)),
    };
    Ok(Recurrence(rhythm))
}

fn refuse(members: &Members<'_>, every: &str, keys: &[&str]) -> Result<(), Invalid> {
    for key in keys {
        if let Some((value, location)) = members.find(key) {
            return Err(Invalid::value(&location, value, format!("no `{key}` with {every}")));
        }
    }
    Ok(())
}

fn days(members: &Members<'_>) -> Result<Option<Days>, Invalid> {
    members.find("days").map(|(value, location)| Days::read(value, &location)).transpose()
}

/// Reads `at`, or `hours` and `minutes`.
fn time(members: &Members<'_>) -> Result<DayTime, Invalid> {
    let hours = members.number("hours", 0, 23)?;
    let minutes = members.number("minutes", 0, 59)?;
    let small = |number: Option<i64>| u32::try_from(number.unwrap_or(0)).unwrap_or(0);
    let (time, place) = match members.find("at") {
        None => (DayTime::of(small(hours), small(minutes)), members.place("minutes")),
        Some((value, place)) if hours.or(minutes).is_some() => {
            return Err(Invalid::value(&place, value, "either `at`, or `hours` and `minutes`"));
        }
        Some((value, place)) => {
            let time = DayTime::read(value, &place)?;
            if time == DayTime::END {
                return Err(Invalid::value(
                    &place,
                    value,
                    "a time before 24:00; 00:00 is the start of a day",
                ));
            }
            (time, place)
        }
    };
    if !time.minutes().is_multiple_of(MINUTES_STEP) || time.seconds() > 0 {
        let wanted = format!("minutes that are a multiple of {MINUTES_STEP}, without seconds");
        return Err(Invalid::new(&place, format!("{time}"), wanted));
    }
    Ok(time)
}

impl From<Recurrence> for Value {
    fn from(recurrence: Recurrence) -> Value {
        let mut members = Map::new();
        let mut add = |key: &str, value: Value| members.insert(key.to_owned(), value);
        match recurrence.0 {
            Rhythm::Hourly { minutes, days } => {
                add("every", "hourly".into());
                add("minutes", minutes.into());
                (days != Days::ALL).then(|| add("days", days.written()));
            }
            Rhythm::Daily { at, days } => {
                add("every", "daily".into());
                add("at", at.to_string().into());
                (days != Days::ALL).then(|| add("days", days.written()));
            }
            Rhythm::Weekly { at, days } => {
                add("every", "weekly".into());
                add("at", at.to_string().into());
                add("days", days.written());
            }
            Rhythm::Monthly { at, day } => {
                add("every", "monthly".into());
                add("at", at.to_string().into());
                add("day_of_month", day.into());
            }
        }
        Value::Object(members)
    }
}

#[cfg(test)]
mod tests;
