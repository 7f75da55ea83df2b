//! Values of an event in templates. Numbers have every digit that the producer wrote.

use std::fmt;
use std::sync::Arc;

use domain::as_double;
use minijinja::value::{Kwargs, Object, ObjectRepr};
use minijinja::{Error, State, Value, filters};
use serde_json::Number;

use crate::limits::{FREE_BYTES, MAX_ITEMS, too_many};

/// A number that the engine cannot hold: a fraction of more digits than a double has, or a whole number beyond 128 bits.
/// A template shows its digits, and the filters for numbers read it. `float` gives the
/// closest double; calculating with it otherwise is an error.
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

/// A value of the event. A `null` is a value that is not there, so that `default` fills it and no letter says "none";
/// a list that is too long fails the template that names it.
pub(crate) fn value_of(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Object(members) => {
            let there = members.iter().filter(|(_, it)| !it.is_null());
            Value::from_pairs(there.map(|(name, it)| (name.as_str(), value_of(it))))
        }
        serde_json::Value::Array(list) if list.len() > MAX_ITEMS => Value::from(too_many()),
        serde_json::Value::Array(list) => list.iter().map(value_of).collect(),
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(it) => Value::from(*it),
        serde_json::Value::Number(number) => value_of_number(number),
        serde_json::Value::String(text) => Value::from(text.as_str()),
    }
}

/// A number as templates see it: one of the engine's, where that has the same value.
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
        // What filters may do with texts is bounded, so a long one is a text.
        None if digits.len() > FREE_BYTES => Value::from(digits),
        None => Value::from_object(Exact(digits)),
    }
}

/// `n | float`: the closest double, also of a number that only its text holds.
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

/// Whether a value is a number whose digits only its text has.
pub(crate) fn is_exact(value: &Value) -> bool {
    value.downcast_object_ref::<Exact>().is_some()
}
