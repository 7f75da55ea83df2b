//! Reads the two forms of a week and converts them to the open ranges of each day.

use std::fmt;

use jiff::civil::Weekday;
use serde_json::Value;

use super::{MAX_ROWS, Range};
use crate::base::config_error::{Invalid, Members, text};
use crate::time::time_of_day::{self, DayTime, Days};

const WANTED: &str = "a map with `quiet`, or a list of rows with `day`, `type`, `from` and `until`";
const WANTED_TYPE: &str = "`send` or `do_not_send`";
const WANTED_START: &str = "a start before 24:00, which is the end of a day";
const WANTED_QUIET: &str = "a `start` and an `end` that differ; a whole day is from 00:00 to 24:00";
const WANTED_ROW: &str =
    "a `from` that is before `until`; past midnight, write a row for each of the two days";

/// A part of one day, from a row or a quiet range.
struct Row {
    day: Weekday,
    send: bool,
    range: Range,
    at: String,
}

pub(super) fn read(written: &Value) -> Result<[Vec<Range>; 7], Invalid> {
    let rows = match written {
        Value::Array(rows) => within_limit(rows, "")?
            .iter()
            .enumerate()
            .map(|(index, value)| row(value, format!("[{index}]")))
            .collect::<Result<Vec<Row>, Invalid>>()?,
        Value::Object(_) => quiet(written)?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(Invalid::value("", written, WANTED));
        }
    };
    let mut open: [Vec<Range>; 7] = std::array::from_fn(|_| Vec::new());
    for day in Days::ALL.iter() {
        let mut of_day: Vec<&Row> = rows.iter().filter(|row| row.day == day).collect();
        of_day.sort_by_key(|row| row.range.from);
        for pair in of_day.windows(2) {
            check_disjoint(pair[0], pair[1])?;
        }
        open[time_of_day::index(day)] = open_on(&of_day);
    }
    Ok(open)
}

fn within_limit<'v>(list: &'v [Value], at: &str) -> Result<&'v [Value], Invalid> {
    if list.len() <= MAX_ROWS {
        return Ok(list);
    }
    Err(Invalid::new(at, format!("{} of them", list.len()), format!("at most {MAX_ROWS}")))
}

fn row(value: &Value, at: String) -> Result<Row, Invalid> {
    let members = Members::read(value, &at, &["day", "type", "from", "until"])?;
    let (day, location) = members.need("day", "a day such as mon")?;
    let day = time_of_day::weekday(day, &location)?;
    let (kind, location) = members.need("type", WANTED_TYPE)?;
    let send = match text(kind, &location, WANTED_TYPE)? {
        "send" => true,
        "do_not_send" => false,
        _ => return Err(Invalid::value(&location, kind, WANTED_TYPE)),
    };
    let from = members
        .find("from")
        .map_or(Ok(DayTime::START), |(value, location)| DayTime::read(value, &location))?;
    let until = members
        .find("until")
        .map_or(Ok(DayTime::END), |(value, location)| DayTime::read(value, &location))?;
    if from >= until {
        return Err(Invalid::new(&at, Range { from, until }.to_string(), WANTED_ROW));
    }
    Ok(Row { day, send, range: Range { from, until }, at })
}

fn quiet(written: &Value) -> Result<Vec<Row>, Invalid> {
    let members = Members::read(written, "", &["quiet"])
        .map_err(|error| Invalid { wanted: WANTED.to_owned(), ..error })?;
    let (ranges, at) = members.need("quiet", "a map with `start` and `end`, or a list of these")?;
    let mut rows = Vec::new();
    let Some(list) = ranges.as_array() else {
        add_quiet_range(ranges, &at, &mut rows)?;
        return Ok(rows);
    };
    for (index, range) in within_limit(list, &at)?.iter().enumerate() {
        add_quiet_range(range, &format!("{at}[{index}]"), &mut rows)?;
    }
    Ok(rows)
}

/// Converts one quiet range to rows: one for each of its days, and past midnight one for each following day.
fn add_quiet_range(value: &Value, at: &str, rows: &mut Vec<Row>) -> Result<(), Invalid> {
    let members = Members::read(value, at, &["start", "end", "days"])?;
    let (start, location) = members.need("start", "a time such as \"22:00\"")?;
    let from = DayTime::read(start, &location)?;
    if from == DayTime::END {
        return Err(Invalid::value(&location, start, WANTED_START));
    }
    let (end, location) = members.need("end", "a time such as \"07:00\"")?;
    let until = DayTime::read(end, &location)?;
    if from == until {
        return Err(Invalid::new(at, Range { from, until }.to_string(), WANTED_QUIET));
    }
    let days =
        members.find("days").map_or(Ok(Days::ALL), |(value, location)| Days::read(value, &location))?;
    let mut add = |day, from, until| {
        rows.push(Row { day, send: false, range: Range { from, until }, at: at.to_owned() });
    };
    for day in days.iter() {
        if from < until {
            add(day, from, until);
            continue;
        }
        add(day, from, DayTime::END);
        if until > DayTime::START {
            add(day.next(), DayTime::START, until);
        }
    }
    Ok(())
}

/// Checks that two rows of one day do not overlap. `first` starts first.
fn check_disjoint(first: &Row, second: &Row) -> Result<(), Invalid> {
    if first.range.until <= second.range.from {
        return Ok(());
    }
    let day = time_of_day::name(first.day);
    let found = format!("{day} {}, which overlaps {day} {} of {}", second.range, first.range, first.at);
    Err(Invalid::new(&second.at, found, "ranges of one day that do not overlap"))
}

/// The open ranges of one day. Its rows are sorted and do not overlap.
fn open_on(rows: &[&Row]) -> Vec<Range> {
    let mut open: Vec<Range> = Vec::new();
    if rows.iter().any(|row| row.send) {
        for row in rows.iter().filter(|row| row.send) {
            match open.last_mut() {
                Some(last) if last.until == row.range.from => last.until = row.range.until,
                Some(_) | None => open.push(row.range),
            }
        }
        return open;
    }
    let mut from = DayTime::START;
    for row in rows {
        if from < row.range.from {
            open.push(Range { from, until: row.range.from });
        }
        from = row.range.until;
    }
    if from < DayTime::END {
        open.push(Range { from, until: DayTime::END });
    }
    open
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}–{}", self.from, self.until)
    }
}
