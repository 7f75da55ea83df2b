//! Parsing and serialization of periods and limits.

use jiff::civil::Weekday;
use serde_json::{Value, json};

use super::{CalendarPeriod, Limit, MAX_MOST, MAX_NAME_BYTES, MAX_ROLLING, Period};
use crate::base::config_error::{Invalid, Members, text};
use crate::time::span;
use crate::time::time_of_day;

const WANTED_PERIOD: &str = "a map with one of `fixed`, `rolling` and `calendar`";
const WANTED_CALENDAR: &str = "one of hour, day, week, month";

impl Limit {
    /// Builds a limit.
    ///
    /// # Errors
    /// [`Invalid`] if the name is empty or longer than [`MAX_NAME_BYTES`], or `most` is 0, above [`MAX_MOST`], or
    /// above [`MAX_ROLLING`] for a rolling period.
    pub fn new(name: &str, most: u64, period: Period, blocks: bool) -> Result<Limit, Invalid> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            let wanted = format!("1 to {MAX_NAME_BYTES} bytes");
            return Err(Invalid::value("name", &name.into(), wanted));
        }
        let highest = match period {
            Period::Fixed(_) | Period::Calendar(_) => MAX_MOST,
            Period::Rolling(_) => u64::from(MAX_ROLLING),
        };
        if most == 0 || most > highest {
            return Err(Invalid::value("most", &most.into(), format!("a whole number from 1 to {highest}")));
        }
        Ok(Limit { name: name.to_owned(), most, period, blocks })
    }
}

impl TryFrom<Value> for Limit {
    type Error = Invalid;

    /// # Errors
    /// [`Invalid`] for the first fault, as in [`Limit::new`] and the parser of [`Period`].
    fn try_from(written: Value) -> Result<Limit, Invalid> {
        let members = Members::read(&written, "", &["name", "most", "period", "blocks"])?;
        let (name, path) = members.need("name", "a name")?;
        let name = text(name, &path, "a name")?;
        members.need("most", "how many may pass in a period")?;
        let most = members.number("most", 1, i64::try_from(MAX_MOST).unwrap_or(i64::MAX))?;
        let most = most.and_then(|most| u64::try_from(most).ok()).unwrap_or(1);
        let (written_period, path) = members.need("period", WANTED_PERIOD)?;
        let period = period(written_period, &path)?;
        let blocks = match members.find("blocks") {
            None => true,
            Some((value, path)) => {
                value.as_bool().ok_or_else(|| Invalid::value(&path, value, "true or false"))?
            }
        };
        Limit::new(name, most, period, blocks)
    }
}

impl From<Limit> for Value {
    fn from(limit: Limit) -> Value {
        let period = Value::from(limit.period);
        json!({ "name": limit.name, "most": limit.most, "period": period, "blocks": limit.blocks })
    }
}

impl TryFrom<Value> for Period {
    type Error = Invalid;

    /// # Errors
    /// [`Invalid`] unless exactly one of the three kinds is given with a valid length or word.
    fn try_from(written: Value) -> Result<Period, Invalid> {
        period(&written, "")
    }
}

fn period(written: &Value, path: &str) -> Result<Period, Invalid> {
    let members = Members::read(written, path, &["fixed", "rolling", "calendar", "week_starts"])?;
    let starts = members.find("week_starts");
    let kinds = ["fixed", "rolling", "calendar"].map(|kind| members.find(kind));
    let period = match &kinds {
        [Some((value, path)), None, None] => Period::Fixed(span::read(value, path)?),
        [None, Some((value, path)), None] => Period::Rolling(span::length(value, path)?),
        [None, None, Some((value, path))] => {
            let starts =
                starts.as_ref().map(|(start, path)| time_of_day::weekday(start, path)).transpose()?;
            Period::Calendar(calendar(value, path, starts.unwrap_or(Weekday::Monday))?)
        }
        _ => {
            return Err(Invalid::value(path, written, WANTED_PERIOD));
        }
    };
    match (period, starts) {
        (Period::Calendar(CalendarPeriod::Week { .. }), _) | (_, None) => Ok(period),
        (_, Some((value, path))) => {
            Err(Invalid::value(&path, value, "no `week_starts`: only a calendar week takes it"))
        }
    }
}

fn calendar(value: &Value, path: &str, starts: Weekday) -> Result<CalendarPeriod, Invalid> {
    match text(value, path, WANTED_CALENDAR)? {
        "hour" => Ok(CalendarPeriod::Hour),
        "day" => Ok(CalendarPeriod::Day),
        "week" => Ok(CalendarPeriod::Week { starts }),
        "month" => Ok(CalendarPeriod::Month),
        _ => Err(Invalid::value(path, value, WANTED_CALENDAR)),
    }
}

impl From<Period> for Value {
    fn from(period: Period) -> Value {
        match period {
            Period::Fixed(span) => json!({ "fixed": Value::from(span) }),
            Period::Rolling(length) => json!({ "rolling": format!("{length:#}") }),
            Period::Calendar(CalendarPeriod::Hour) => json!({ "calendar": "hour" }),
            Period::Calendar(CalendarPeriod::Day) => json!({ "calendar": "day" }),
            Period::Calendar(CalendarPeriod::Month) => json!({ "calendar": "month" }),
            Period::Calendar(CalendarPeriod::Week { starts }) => {
                json!({ "calendar": "week", "week_starts": time_of_day::name(starts) })
            }
        }
    }
}
