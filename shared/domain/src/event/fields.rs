//! The members of a JSON object, each value still as text: reading the few that matter costs little, and `data` is
//! carried without being taken apart.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{MAX_DEPTH, MAX_EVENT_BYTES, Refusal};

/// The members of one JSON object in the order in which they came.
pub(crate) struct Fields<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// # Errors
    /// The text is too large, nests too deep, is not JSON, is no object, or names a member twice.
    pub(crate) fn of(text: &'a str) -> Result<Fields<'a>, Refusal> {
        if text.len() > MAX_EVENT_BYTES {
            let wanted =
                format!("at most {MAX_EVENT_BYTES} bytes; put large content in S3 and send a reference");
            return Err(Refusal::new("body", format_args!("{} bytes", text.len()), wanted));
        }
        if nests_deeper_than(text, MAX_DEPTH) {
            let found = format!("JSON that nests deeper than {MAX_DEPTH} levels");
            return Err(Refusal::new("body", found, format_args!("at most {MAX_DEPTH} levels")));
        }
        let fields: Fields<'a> = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Refusal::new("body", kind_of(text), "one JSON object"),
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => Refusal::not_json(&error),
        })?;
        fields.refuse_duplicates()?;
        Ok(fields)
    }

    fn refuse_duplicates(&self) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for (name, _) in &self.members {
            if !seen.insert(name) {
                return Err(Refusal::new(name.as_ref(), "the name twice", "each attribute once"));
            }
        }
        Ok(())
    }

    /// The value of `name` as JSON text. A JSON `null` counts as absent, as CloudEvents asks.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.members.iter().find(|(it, _)| it == name)?;
        (value.get() != "null").then_some(*value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The value of `name` when it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).and_then(as_text)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

/// A JSON string's content.
pub(crate) fn as_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|it| it.0)
}

/// What kind of JSON value a text is, in words for a refusal.
pub(crate) fn kind_of(json: &str) -> &'static str {
    match json.trim_start().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        Some(_) => "something that is not JSON",
        None => "nothing",
    }
}

/// Counts brackets outside strings, so that no parser has to recurse to find out.
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

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields<'de>, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                #[derive(Deserialize)]
                struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
                let mut members = Vec::with_capacity(16);
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, value));
                }
                Ok(Fields { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}
