//! The members of a JSON object, with each value as text. Only the needed members are parsed, and `data` is carried
//! unparsed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Found, MAX_DEPTH, MAX_EVENT_BYTES, Refusal};
use crate::json::{Raw, Scanner};

/// The members of one JSON object in their original order.
pub struct Fields<'a> {
    members: Vec<(Cow<'a, str>, Raw<'a>)>,
}

/// Up to this number of members, duplicates are found by comparison; above it, with a set.
const FEW: usize = 64;

impl<'a> Fields<'a> {
    /// Scans an object.
    ///
    /// # Errors
    /// [`Refusal`] if the text is too large, nests too deep, is not a JSON object, or names a member twice.
    pub fn of(text: &'a str) -> Result<Fields<'a>, Refusal> {
        if text.len() > MAX_EVENT_BYTES {
            let wanted =
                format!("at most {MAX_EVENT_BYTES} bytes; put large content in S3 and send a reference");
            return Err(Refusal::new("body", Found::count(text.len(), "bytes"), wanted));
        }
        let fields = Fields::scan(text).ok_or_else(|| diagnose(text))?;
        match fields.duplicate() {
            Some(name) => Err(Refusal::new(name.to_owned(), "the name twice", "each attribute once")),
            None => Ok(fields),
        }
    }

    fn scan(text: &'a str) -> Option<Fields<'a>> {
        let mut members = Vec::with_capacity(16);
        let mut scanner = Scanner::new(text);
        scanner.members(|object, name| {
            members.push((name.text()?, object.value()?));
            Some(())
        })?;
        // The object itself is the first level.
        let is_flat = (scanner.deepest() as usize) < MAX_DEPTH;
        (is_flat && scanner.is_at_end()).then_some(Fields { members })
    }

    /// A duplicate name.
    fn duplicate(&self) -> Option<&str> {
        if self.members.len() > FEW {
            let mut seen = BTreeSet::new();
            return self.iter().map(|member| member.0).find(|name| !seen.insert(*name));
        }
        // Equal names have the same length and first byte. A bit set of both skips most comparisons.
        let mut seen = 0_u64;
        for (index, (name, _)) in self.members.iter().enumerate() {
            let bit = 1 << ((name.len() * 5 + usize::from(name.bytes().next().unwrap_or(0))) % 64);
            if seen & bit != 0 && self.members[..index].iter().any(|member| member.0 == *name) {
                return Some(name);
            }
            seen |= bit;
        }
        None
    }

    /// The value of `name` as JSON text. A JSON `null` counts as absent, as CloudEvents requires.
    pub fn raw(&self, name: &str) -> Option<Raw<'a>> {
        let (_, value) = self.members.iter().find(|(member, _)| member == name)?;
        (value.get() != "null").then_some(*value)
    }

    /// Whether the object has the member, with another value than `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The value of the attribute `name` in any letter case. A JSON `null` counts as absent.
    pub fn raw_in_any_case(&self, name: &str) -> Option<Raw<'a>> {
        let found = self.members.iter().filter(|(member, _)| member.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value).find(|value| value.get() != "null")
    }

    /// The value of `name` if it is a string.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name)?.text()
    }

    /// All members in their original order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

/// The nesting depth of a JSON text: 0 for a scalar. `None` if the text is not one JSON value.
pub(super) fn json_depth(text: &str) -> Option<usize> {
    let mut scanner = Scanner::new(text);
    scanner.value()?;
    scanner.is_at_end().then(|| scanner.deepest() as usize)
}

/// The reason why a text could not be scanned as an object.
fn diagnose(text: &str) -> Refusal {
    if nests_deeper_than(text, MAX_DEPTH) {
        let found = "JSON that nests deeper than 100 levels";
        const { assert!(MAX_DEPTH == 100, "the refusal names the depth") };
        return Refusal::new("body", found, format_args!("at most {MAX_DEPTH} levels"));
    }
    match serde_json::from_str::<AnObject>(text) {
        Err(error) if error.is_data() => Refusal::new("body", kind_of(text), "one JSON object"),
        Err(error) => Refusal::not_json(&error),
        Ok(AnObject) => Refusal::new("body", "JSON that cannot be read", "one JSON object"),
    }
}

/// The kind of a JSON value, as a phrase for refusals.
pub fn kind_of(json: &str) -> &'static str {
    match json.trim_start().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        Some(_) => "text that is not JSON",
        None => "nothing",
    }
}

/// Counts brackets outside strings, so that the check needs no recursion.
fn nests_deeper_than(json: &str, limit: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Any JSON object with Unicode names.
struct AnObject;

impl<'de> Deserialize<'de> for AnObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AnObject, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = AnObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnObject, A::Error> {
                while map.next_entry::<String, IgnoredAny>()?.is_some() {}
                Ok(AnObject)
            }
        }
        deserializer.deserialize_map(Members)
    }
}
