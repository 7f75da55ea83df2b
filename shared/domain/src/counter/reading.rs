//! Periods and limits as they are written.

use jiff::civil::Weekday;
use serde_json::{Value, json};

use super::{CalendarPeriod, Limit, MAX_MOST, MAX_NAME_BYTES, MAX_ROLLING, Period};
use crate::daytime;
use crate::span;
use crate::written::{Invalid, Members, text};

const WANTED_PERIOD: &str = "a map with one of `fixed`, `rolling` and `calendar`";
const WANTED_CALENDAR: &str = "one of hour, day, week, month";

impl Limit {
    /// # Errors
    /// [`Invalid`] when nothing could pass or more than [`MAX_MOST`], the name is empty or longer than [`MAX_NAME_BYTES`], or more than
    /// [`MAX_ROLLING`] could pass in a period that rolls.
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
    /// [`Invalid`] for the first fault found, as [`Limit::new`] has them and as [`Period`] is read.
    fn try_from(written: Value) -> Result<Limit, Invalid> {
        let members = Members::read(&written, "", &["name", "most", "period", "blocks"])?;
        let (name, at) = members.need("name", "a name")?;
        let name = text(name, &at, "a name")?;
        members.need("most", "how many may pass in a period")?;
        let most = members.number("most", 1, i64::try_from(MAX_MOST).unwrap_or(i64::MAX))?;
        let most = most.and_then(|most| u64::try_from(most).ok()).unwrap_or(1);
        let (written_period, at) = members.need("period", WANTED_PERIOD)?;
        let period = period(written_period, &at)?;
        let blocks = match members.find("blocks") {
            None => true,
            Some((value, at)) => {
                value.as_bool().ok_or_else(|| Invalid::value(&at, value, "true or false"))?
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
    /// [`Invalid`] for anything but one of the three kinds, and for a length or a word that none of them takes.
    fn try_from(written: Value) -> Result<Period, Invalid> {
        period(&written, "")
    }
}

fn period(written: &Value, at: &str) -> Result<Period, Invalid> {
    let members = Members::read(written, at, &["fixed", "rolling", "calendar", "week_starts"])?;
    let starts = members.find("week_starts");
    let kinds = ["fixed", "rolling", "calendar"].map(|it| members.find(it));
    let period = match &kinds {
        [Some((value, at)), None, None] => Period::Fixed(span::read(value, at)?),
        [None, Some((value, at)), None] => Period::Rolling(span::length(value, at)?),
        [None, None, Some((value, at))] => {
            let starts = starts.as_ref().map(|(it, at)| daytime::weekday(it, at)).transpose()?;
            Period::Calendar(calendar(value, at, starts.unwrap_or(Weekday::Monday))?)
        }
        _ => {
            return Err(Invalid::value(at, written, WANTED_PERIOD));
        }
    };
    match (period, starts) {
        (Period::Calendar(CalendarPeriod::Week { .. }), _) | (_, None) => Ok(period),
        (_, Some((value, at))) => {
            Err(Invalid::value(&at, value, "no `week_starts`: only a calendar week takes it"))
        }
    }
}

fn calendar(value: &Value, at: &str, starts: Weekday) -> Result<CalendarPeriod, Invalid> {
    match text(value, at, WANTED_CALENDAR)? {
        "hour" => Ok(CalendarPeriod::Hour),
        "day" => Ok(CalendarPeriod::Day),
        "week" => Ok(CalendarPeriod::Week { starts }),
        "month" => Ok(CalendarPeriod::Month),
        _ => Err(Invalid::value(at, value, WANTED_CALENDAR)),
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
                json!({ "calendar": "week", "week_starts": daytime::name(starts) })
            }
        }
    }
}
