//! The time formats that filters accept, which are also those of rules.

use domain::time::moment::Moment;
use minijinja::{Error, Value};

use super::given;
use crate::failure::reasoned;

pub(super) fn read(value: &Value) -> Result<Moment, Error> {
    let moment = match given(value)?.as_str() {
        Some(text) => Moment::parse(text),
        None if value.is_number() => value.as_i64().and_then(|whole| Moment::read(&whole.into())),
        None => None,
    };
    moment.ok_or_else(|| reasoned("the value is not a time, such as 2026-11-03T17:05:00Z"))
}

pub(super) fn with_time(moment: Moment) -> Result<Moment, Error> {
    match moment {
        Moment::Instant(_) | Moment::Local(_) => Ok(moment),
        Moment::Day(_) => Err(reasoned("the value is a date and has no time of day")),
    }
}
