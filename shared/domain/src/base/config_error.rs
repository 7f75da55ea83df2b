//! Reading of values in configurations and profiles. Refusals state the location, the found and the wanted value.

use serde_json::{Map, Value};

/// The reason why a value was refused: the location, the found value and the wanted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: found {found}, wanted {wanted}")]
pub struct Invalid {
    /// A path within the value, such as `quiet[1].start` or `[3].day`, or `at the top` for the whole value.
    pub at: String,
    /// The invalid value or name, shortened.
    pub found: String,
    /// The form that is valid at this location.
    pub wanted: String,
}

impl Invalid {
    pub(crate) fn new(at: &str, found: impl Into<String>, wanted: impl Into<String>) -> Invalid {
        let at = if at.is_empty() { "at the top" } else { at };
        Invalid { at: at.to_owned(), found: found.into(), wanted: wanted.into() }
    }

    /// A refusal that shows the found value in shortened form.
    pub(crate) fn value(at: &str, found: &Value, wanted: impl Into<String>) -> Invalid {
        Invalid::new(at, shown(found), wanted)
    }
}

/// An object whose keys are all known, with its location.
pub(crate) struct Members<'v> {
    at: &'v str,
    map: &'v Map<String, Value>,
}

impl<'v> Members<'v> {
    /// Reads an object.
    ///
    /// # Errors
    /// [`Invalid`] if `value` is not an object, or has a key that is not in `known`.
    pub(crate) fn read(value: &'v Value, at: &'v str, known: &[&str]) -> Result<Members<'v>, Invalid> {
        let wanted = || format!("a map with keys among {}", known.join(", "));
        let map = value.as_object().ok_or_else(|| Invalid::value(at, value, wanted()))?;
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Invalid::new(at, format!("the key {}", quoted(key)), wanted())),
            None => Ok(Members { at, map }),
        }
    }

    pub(crate) fn place(&self, key: &str) -> String {
        joined(self.at, key)
    }

    /// A member and its location. `None` if it is missing or null.
    pub(crate) fn find(&self, key: &str) -> Option<(&'v Value, String)> {
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        Some((value, self.place(key)))
    }

    /// A required member and its location.
    ///
    /// # Errors
    /// [`Invalid`] if the member is missing. `wanted` describes it.
    pub(crate) fn need(&self, key: &str, wanted: &str) -> Result<(&'v Value, String), Invalid> {
        self.find(key).ok_or_else(|| Invalid::new(&self.place(key), "nothing", wanted))
    }

    /// An integer from `least` to `most`. `None` if it is missing.
    pub(crate) fn number(&self, key: &str, least: i64, most: i64) -> Result<Option<i64>, Invalid> {
        let Some((value, at)) = self.find(key) else { return Ok(None) };
        match value.as_i64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            Some(_) | None => {
                Err(Invalid::value(&at, value, format!("a whole number from {least} to {most}")))
            }
        }
    }
}

pub(crate) fn joined(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// Returns the text, or a refusal with the wanted value.
pub(crate) fn text<'v>(value: &'v Value, at: &str, wanted: &str) -> Result<&'v str, Invalid> {
    value.as_str().ok_or_else(|| Invalid::value(at, value, wanted))
}

/// A value in shortened form, with bounded length.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(array) if array.is_empty() => "an empty array".to_owned(),
        Value::Array(array) => format!("an array of length {}", array.len()),
        Value::Object(object) if object.is_empty() => "an empty object".to_owned(),
        Value::Object(object) => {
            let keys: Vec<String> = object.keys().take(3).map(|key| quoted(key)).collect();
            let more = if object.len() > 3 { ", …" } else { "" };
            format!("an object with {}{more}", keys.join(", "))
        }
    }
}

/// A string in quotes, cut after 40 characters.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
