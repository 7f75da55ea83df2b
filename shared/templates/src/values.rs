//! Event values in templates. Numbers keep every digit that the producer wrote.

use std::fmt;
use std::sync::Arc;

use domain::as_double;
use minijinja::value::{Kwargs, Object, ObjectRepr};
use minijinja::{Error, State, Value, filters};
use serde_json::Number;

use crate::limits::{FREE_BYTES, MAX_ITEMS, too_many};

/// A number that the engine cannot represent: a fraction with more digits than a double, or an integer beyond 128
/// bits. Templates show its digits, and the number filters accept it. `float` converts it to the closest double.
/// Other arithmetic with it is an error.
#[derive(Debug)]
struct Exact(String);

impl Object for Exact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value of the event. `null` counts as missing, so that `default` applies and no message says "none". A list
/// that is too long fails the templates that use it.
pub(crate) fn value_of(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            Value::from_pairs(there.map(|(name, value)| (name.as_str(), value_of(value))))
        }
        serde_json::Value::Array(list) if list.len() > MAX_ITEMS => Value::from(too_many()),
        serde_json::Value::Array(list) => list.iter().map(value_of).collect(),
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(flag) => Value::from(*flag),
        serde_json::Value::Number(number) => value_of_number(number),
        serde_json::Value::String(text) => Value::from(text.as_str()),
    }
}

/// A number as templates see it: the engine's own type if it holds the same value.
fn value_of_number(number: &Number) -> Value {
    if let Some(whole) = number.as_i64() {
        return Value::from(whole);
    }
    if let Some(whole) = number.as_i128() {
        return Value::from(whole);
    }
    if let Some(whole) = number.as_u128() {
        return Value::from(whole);
    }
    let digits = number.to_string();
    let is_fraction = digits.contains(['.', 'e', 'E']);
    match as_double(number).filter(|_| is_fraction) {
        Some(double) => Value::from(double),
        // Filters have limits for text, so a long number becomes text.
        None if digits.len() > FREE_BYTES => Value::from(digits),
        None => Value::from_object(Exact(digits)),
    }
}

/// `n | float`: the closest double, also for a number with more digits than a double holds.
pub(crate) fn float(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    more: Kwargs,
) -> Result<Value, Error> {
    match is_exact(value) {
        true => Ok(value.to_string().parse::<f64>().map_or(Value::UNDEFINED, Value::from)),
        false => filters::float(state, value, default, more),
    }
}

/// Whether a value is a number that is kept as text.
pub(crate) fn is_exact(value: &Value) -> bool {
    value.downcast_object_ref::<Exact>().is_some()
}
