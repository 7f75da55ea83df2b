//! Times of day and days of the week in configuration.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Weekday};
use serde_json::Value;

use crate::base::config_error::{Invalid, text};

/// The day names, Monday first.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const WANTED_DAY: &str = "one of mon, tue, wed, thu, fri, sat, sun";
const WANTED_DAYS: &str = "a list of days such as [mon, tue], `weekdays` or `weekends`";
const WANTED_TIME: &str = "a time from \"00:00\" to \"24:00\" such as \"08:30\", in quotes";

/// A local time of day in whole seconds, from 00:00 to 24:00. 24:00 is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DayTime(u32);

impl DayTime {
    pub(crate) const START: DayTime = DayTime(0);
    pub(crate) const END: DayTime = DayTime(24 * 60 * 60);

    /// Reads `HH:MM` or `HH:MM:SS`.
    pub(crate) fn read(value: &Value, path: &str) -> Result<DayTime, Invalid> {
        let written = text(value, path, WANTED_TIME)?;
        DayTime::parse(written).ok_or_else(|| Invalid::value(path, value, WANTED_TIME))
    }

    fn parse(written: &str) -> Option<DayTime> {
        let two = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u32>().ok()).flatten()
        };
        let mut parts = written.split(':');
        let hours = two(parts.next()?)?;
        let minutes = two(parts.next()?)?;
        let seconds = parts.next().map_or(Some(0), two)?;
        let time = DayTime(hours * 3600 + minutes * 60 + seconds);
        (parts.next().is_none() && minutes < 60 && seconds < 60 && time <= DayTime::END).then_some(time)
    }

    /// Hours from 0 to 23 and minutes from 0 to 59; no seconds.
    pub(crate) fn of(hours: u32, minutes: u32) -> DayTime {
        DayTime(hours * 3600 + minutes * 60)
    }

    pub(crate) fn minutes(self) -> u32 {
        self.0 / 60 % 60
    }

    pub(crate) fn seconds(self) -> u32 {
        self.0 % 60
    }

    /// The local date and time of this time of day on `date`; `None` beyond the end of the calendar.
    pub(crate) fn on(self, date: Date) -> Option<DateTime> {
        date.at(0, 0, 0, 0).checked_add(SignedDuration::from_secs(i64::from(self.0))).ok()
    }
}

/// `08:30`, with seconds only if they are not zero.
impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 3600, self.minutes())?;
        if self.seconds() > 0 { write!(f, ":{:02}", self.seconds()) } else { Ok(()) }
    }
}

/// A set of days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days([bool; 7]);

impl Days {
    /// Monday to Sunday.
    pub(crate) const ALL: Days = Days([true; 7]);
    /// Monday to Friday.
    pub(crate) const WEEKDAYS: Days = Days([true, true, true, true, true, false, false]);
    /// Saturday and Sunday.
    pub(crate) const WEEKENDS: Days = Days([false, false, false, false, false, true, true]);

    /// The set with one day.
    pub(crate) fn only(day: Weekday) -> Days {
        let mut days = Days([false; 7]);
        days.0[index(day)] = true;
        days
    }

    pub(crate) fn contains(self, day: Weekday) -> bool {
        self.0[index(day)]
    }

    /// The days from Monday on.
    pub(crate) fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::Monday.cycle_forward().take(7).filter(move |day| self.contains(*day))
    }

    /// Reads `weekdays`, `weekends` or a list of days.
    pub(crate) fn read(value: &Value, path: &str) -> Result<Days, Invalid> {
        match value {
            Value::String(word) if word == "weekdays" => Ok(Days::WEEKDAYS),
            Value::String(word) if word == "weekends" => Ok(Days::WEEKENDS),
            Value::Array(names) if !names.is_empty() => {
                let mut days = Days([false; 7]);
                for (position, name) in names.iter().enumerate() {
                    let path = format!("{path}[{position}]");
                    let day = &mut days.0[index(weekday(name, &path)?)];
                    if *day {
                        return Err(Invalid::value(&path, name, "each day once"));
                    }
                    *day = true;
                }
                Ok(days)
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => Err(Invalid::value(path, value, WANTED_DAYS)),
        }
    }

    /// The shortest form that [`Days::read`] accepts.
    pub(crate) fn written(self) -> Value {
        match self {
            Days::WEEKDAYS => "weekdays".into(),
            Days::WEEKENDS => "weekends".into(),
            Days(_) => self.iter().map(name).collect(),
        }
    }
}

/// Reads `mon` to `sun`.
pub(crate) fn weekday(value: &Value, path: &str) -> Result<Weekday, Invalid> {
    let written = text(value, path, WANTED_DAY)?;
    let found = Weekday::Monday.cycle_forward().take(7).find(|day| name(*day) == written);
    found.ok_or_else(|| Invalid::value(path, value, WANTED_DAY))
}

/// `mon` to `sun`.
pub(crate) fn name(day: Weekday) -> &'static str {
    NAMES[index(day)]
}

/// From 0 for Monday to 6 for Sunday.
pub(crate) fn index(day: Weekday) -> usize {
    match day {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}
