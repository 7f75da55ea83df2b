//! Reading what people wrote in a configuration or a profile, with refusals that say where, what and what instead.

use serde_json::{Map, Value};

use crate::pattern::{quoted, shown};

/// Why something written was refused: where, what was found there, and what is wanted instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: found {found}, wanted {wanted}")]
pub struct Invalid {
    /// A path within what was read, such as `quiet[1].start` or `[3].day`; `at the top` for the whole.
    pub at: String,
    /// The offending value or name, shortened.
    pub found: String,
    /// What stands there when it is right.
    pub wanted: String,
}

impl Invalid {
    pub(crate) fn new(at: &str, found: impl Into<String>, wanted: impl Into<String>) -> Invalid {
        let at = if at.is_empty() { "at the top" } else { at };
        Invalid { at: at.to_owned(), found: found.into(), wanted: wanted.into() }
    }

    /// A refusal that shows the value it is about, in a few words.
    pub(crate) fn value(at: &str, found: &Value, wanted: impl Into<String>) -> Invalid {
        Invalid::new(at, shown(found), wanted)
    }
}

/// An object of which every key is known, and where it stands.
pub(crate) struct Members<'v> {
    at: &'v str,
    map: &'v Map<String, Value>,
}

impl<'v> Members<'v> {
    /// # Errors
    /// [`Invalid`] when `value` is no object, or has a key that is not among `known`.
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

    /// A member and its place; `None` when it is missing or null.
    pub(crate) fn find(&self, key: &str) -> Option<(&'v Value, String)> {
        let value = self.map.get(key).filter(|it| !it.is_null())?;
        Some((value, self.place(key)))
    }

    /// # Errors
    /// [`Invalid`] when the member is missing; `wanted` says what it should be.
    pub(crate) fn need(&self, key: &str, wanted: &str) -> Result<(&'v Value, String), Invalid> {
        self.find(key).ok_or_else(|| Invalid::new(&self.place(key), "nothing", wanted))
    }

    /// A whole number from `least` to `most`; `None` when it is missing.
    pub(crate) fn number(&self, key: &str, least: i64, most: i64) -> Result<Option<i64>, Invalid> {
        let Some((value, at)) = self.find(key) else { return Ok(None) };
        match value.as_i64() {
            Some(it) if (least..=most).contains(&it) => Ok(Some(it)),
            Some(_) | None => {
                Err(Invalid::value(&at, value, format!("a whole number from {least} to {most}")))
            }
        }
    }
}

pub(crate) fn joined(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// Text, or a refusal that says what was wanted.
pub(crate) fn text<'v>(value: &'v Value, at: &str, wanted: &str) -> Result<&'v str, Invalid> {
    value.as_str().ok_or_else(|| Invalid::value(at, value, wanted))
}
