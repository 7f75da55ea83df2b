//! Refusals of invalid input. The types exclude values: the found value is a kind, a count or a fixed text. A name
//! that the sender chose is replaced by its length.

use std::fmt;

/// The reason why a text is not an event: the attribute, the found value and the expected value.
///
/// A refusal goes into logs, records and message attributes, so it quotes no part of a payload or attribute value.
/// [`Found`] and [`Attribute`] enforce that. [`Refusal::for_author`] is only for the CLI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{attribute}: found {found}, wanted {wanted}")]
// Prevents other crates from building a refusal from arbitrary text.
#[non_exhaustive]
pub struct Refusal {
    /// The name of the attribute, or `body` for the whole text.
    pub attribute: String,
    /// The kind of the found value.
    pub found: String,
    /// The expected value.
    pub wanted: String,
    /// The class, for causes of dead letters and for audit records.
    pub class: RefusalClass,
}

/// The class of a [`Refusal`]. Its name is stable and machine-readable.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum RefusalClass {
    /// The text violates its format.
    #[default]
    Malformed,
    /// The envelope names another source or type than the bus.
    IdentityMismatch,
    /// The policy does not allow the source to publish the event.
    ProducerNotAllowed,
}

impl RefusalClass {
    /// The name in dead letters and audit records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RefusalClass::Malformed => "refused",
            RefusalClass::IdentityMismatch => "identity_mismatch",
            RefusalClass::ProducerNotAllowed => "producer_not_allowed",
        }
    }
}

/// A description of the found value that contains no part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found(String);

/// The place of the fault. Names chosen by the sender are replaced by their length, as in `data.<9 characters>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute(String);

impl Refusal {
    /// A refusal of an attribute's value.
    pub fn new(
        attribute: impl Into<Attribute>,
        found: impl Into<Found>,
        wanted: impl fmt::Display,
    ) -> Refusal {
        let (Attribute(attribute), Found(found)) = (attribute.into(), found.into());
        Refusal { attribute, found, wanted: wanted.to_string(), class: RefusalClass::Malformed }
    }

    /// The same refusal with another class.
    #[must_use]
    pub fn of(self, class: RefusalClass) -> Refusal {
        Refusal { class, ..self }
    }

    /// A refusal of text that is not JSON, with the position of the fault.
    pub fn not_json(error: &serde_json::Error) -> Refusal {
        Refusal::new("body", Found::position("text that is not JSON", error), "one JSON object")
    }

    /// A refusal about a file on the author's own machine, which may quote the file. No function calls this.
    #[must_use]
    pub fn for_author(attribute: &str, found: &str, wanted: &str) -> Refusal {
        Refusal {
            attribute: attribute.to_owned(),
            found: found.to_owned(),
            wanted: wanted.to_owned(),
            class: RefusalClass::Malformed,
        }
    }
}

impl Found {
    /// A count, such as `12 bytes`.
    pub fn count(found: usize, unit: &'static str) -> Found {
        Found(format!("{found} {unit}"))
    }

    /// The length of a text, such as `a text of 12 characters`.
    pub fn text(value: &str) -> Found {
        Found(match value.chars().count() {
            0 => "an empty text".to_owned(),
            1 => "a text of 1 character".to_owned(),
            length => format!("a text of {length} characters"),
        })
    }

    /// The length with a reason, such as `a text of 12 characters (there is no @ in it)`.
    pub fn text_because(value: &str, why: &'static str) -> Found {
        let Found(text) = Found::text(value);
        Found(if value.is_empty() { text } else { format!("{text} ({why})") })
    }

    /// A position, such as `text that is not JSON (line 1, column 7)`.
    pub fn position(what: &'static str, error: &serde_json::Error) -> Found {
        Found(format!("{what} (line {}, column {})", error.line(), error.column()))
    }

    /// A position, such as `a number that cannot be held (line 1, column 7)`. `offset` is a byte offset in `json`.
    pub fn place(what: &'static str, json: &str, offset: usize) -> Found {
        let before = json.get(..offset).unwrap_or(json);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
        Found(format!("{what} (line {line}, column {column})"))
    }

    /// The kind of a JSON value, with the length of a text.
    pub fn value(value: &serde_json::Value) -> Found {
        match value {
            serde_json::Value::String(text) => Found::text(text),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => super::fields::kind_of(&value.to_string()).into(),
        }
    }

    /// A version, such as `version 7`.
    pub fn version(found: u32) -> Found {
        Found(format!("version {found}"))
    }
}

impl From<&'static str> for Found {
    fn from(words: &'static str) -> Found {
        Found(words.to_owned())
    }
}

impl From<&'static str> for Attribute {
    fn from(name: &'static str) -> Attribute {
        Attribute(name.to_owned())
    }
}

impl From<String> for Attribute {
    /// Keeps the known names, the numbers of list elements, and the punctuation between them.
    fn from(written: String) -> Attribute {
        let is_of_name = |c: char| !".[],() ".contains(c);
        let mut place = String::with_capacity(written.len());
        let mut rest = written.as_str();
        while let Some(next) = rest.chars().next() {
            if is_of_name(next) {
                let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                let (name, remainder) = rest.split_at(end);
                let is_number = name.len() <= 6 && name.bytes().all(|byte| byte.is_ascii_digit());
                if is_number || NAMES.contains(&name) {
                    place.push_str(name);
                } else {
                    place.push_str(&match name.chars().count() {
                        1 => "<1 character>".to_owned(),
                        length => format!("<{length} characters>"),
                    });
                }
                rest = remainder;
            } else {
                place.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        // A name of blanks and commas can make the place too long.
        if place.len() > MAX_PLACE_BYTES {
            place = "<a long name>".to_owned();
        }
        Attribute(place)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest place, in bytes. It must fit a message attribute and a log line.
const MAX_PLACE_BYTES: usize = 200;

/// The names of members and attributes that Carillon or another specification defines.
const NAMES: [&str; 111] = [
    // Envelopes.
    "actor",
    "aud",
    "authid",
    "body",
    "carillon_wake",
    "causationid",
    "correlationId",
    "correlationid",
    "data",
    "data_base64",
    "datacontenttype",
    "dataschema",
    "detail",
    "detail-type",
    "eventId",
    "eventType",
    "expirytime",
    "format",
    "id",
    "payload",
    "priority",
    "renotify",
    "replayid",
    "sequence",
    "source",
    "specversion",
    "subject",
    "tenant",
    "time",
    "timestamp",
    "traceparent",
    "type",
    "userId",
    "clinicId",
    "familyId",
    "causedBy",
    "causationId",
    "category",
    "version",
    // People and tenants.
    "address",
    "channel",
    "device",
    "devices",
    "email",
    "endpoint",
    "in",
    "in_tenants",
    "locale",
    "message",
    "name",
    "phone",
    "platform",
    "preferences",
    "quiet",
    "recipient",
    "role",
    "roles",
    "scope",
    "suppressed",
    "tenants",
    "topic",
    "topics",
    "topics_in",
    "unsubscribed",
    "until",
    "users",
    "whatsapp",
    "why",
    "zone",
    // Preferences.
    "categories",
    "channel_types",
    "channels",
    "commercial_subscribed",
    "conditions",
    "workflows",
    "__strategy__",
    "sms",
    "push",
    "socket",
    "webhook",
    // Quiet hours.
    "day",
    "start",
    "end",
    "days",
    "windows",
    "send",
    "do_not_send",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "at",
    "the",
    "top",
    "set",
    "of",
    // Webhook endpoints and patterns.
    "url",
    "description",
    "when",
    "disabled",
    "prefix",
    "suffix",
    "wildcard",
    "anything-but",
    "exists",
    "numeric",
    "$or",
    "cidr",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_replaced_by_their_length() {
        for (written, shown) in [
            ("data.email", "data.email"),
            ("data.diabetes", "data.<8 characters>"),
            ("in_tenants.clinic-7.zone", "in_tenants.<8 characters>.zone"),
            ("devices[12].id", "devices[12].id"),
            (
                "preferences.categories.hiv.channel_types.sms",
                "preferences.categories.<3 characters>.channel_types.sms",
            ),
            ("ann@example.com", "<11 characters>.<3 characters>"),
            ("a\nb", "<3 characters>"),
            ("", ""),
        ] {
            assert_eq!(Attribute::from(written.to_owned()).0, shown, "{written:?}");
        }
        assert_eq!(Attribute::from("x.".repeat(1_000)).0, "<a long name>");
    }

    #[test]
    fn text_is_described_by_its_length() {
        assert_eq!(Found::text("2026-11-20 12").to_string(), "a text of 13 characters");
        assert_eq!(Found::text("é").to_string(), "a text of 1 character");
        assert_eq!(Found::text("").to_string(), "an empty text");
        assert_eq!(Found::text_because("+1900", "why").to_string(), "a text of 5 characters (why)");
    }
}
