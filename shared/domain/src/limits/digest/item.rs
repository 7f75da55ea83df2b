//! An event as an item of a window.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::sensitive::{self, Sensitive};
use crate::event::Event;
use crate::event::key::hash_of;

/// The longest payload that is stored whole, in bytes. A window holds up to 1,000 payloads, all in memory when it
/// closes.
const MAX_DATA_BYTES: usize = 16 * 1024;

/// The longest text in a shortened payload, in characters.
const MAX_TEXT_CHARS: usize = 256;

/// The highest number of members in a shortened payload.
const MAX_MEMBERS: usize = 40;

/// An event in a window: the fields that templates can use.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The key that [`event_key`] returns. It makes the item unique.
    pub event_key: String,
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The user or service that caused the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub data: Option<Sensitive<Value>>,
}

/// The key of an event within a group: a hash of 27 characters of its source and id. An id is unique only within a
/// source.
#[must_use]
pub fn event_key(event: &Event) -> String {
    hash_of(&["event", &event.source, &event.id])
}

impl Item {
    #[must_use]
    pub fn of(event: &Event) -> Item {
        let data = event.data.as_ref().map(|data| {
            let whole = serde_json::from_str(data.text())
                .expect("depth and values were checked when the event was read");
            Sensitive::new(if data.text().len() > MAX_DATA_BYTES { shortened(whole) } else { whole })
        });
        Item {
            event_key: event_key(event),
            id: event.id.clone(),
            source: event.source.clone(),
            kind: event.kind.clone(),
            time: event.time,
            subject: event.subject.clone(),
            actor: event.actor.clone(),
            data,
        }
    }

    /// The event in the form for templates and paths: envelope names, `null` for missing values.
    pub(super) fn activity(&self) -> Value {
        json!({
            "id": self.id,
            "source": self.source,
            "type": self.kind,
            "time": self.time.to_string(),
            "subject": self.subject,
            "actor": self.actor,
            "data": self.data.as_ref().map(Sensitive::expose),
        })
    }
}

/// Shortens a payload: keeps the first scalar members and truncates long texts.
fn shortened(data: Value) -> Value {
    let Value::Object(members) = data else { return Value::Null };
    let kept = members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, Value::String(text.chars().take(MAX_TEXT_CHARS).collect()))),
        Value::Number(_) | Value::Bool(_) => Some((name, value)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    kept.take(MAX_MEMBERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_payloads_are_shortened() {
        check(&json!({ "a": [1, 2], "b": { "c": null } }), &json!({ "a": [1, 2], "b": { "c": null } }));
        let long = "x".repeat(MAX_DATA_BYTES);
        let shortened = json!({ "n": 1, "text": "x".repeat(MAX_TEXT_CHARS), "yes": true });
        check(&json!({ "n": 1, "list": [1], "text": long, "yes": true }), &shortened);
        check(&json!([long]), &Value::Null);
    }

    #[track_caller]
    fn check(data: &Value, kept: &Value) {
        let event = json!({
            "specversion": "1.0", "id": "1", "source": "/a", "type": "t", "time": "2026-11-20T12:00:00Z", "data": data,
        });
        let item = Item::of(&Event::parse(&event.to_string()).unwrap());
        assert_eq!(item.data.as_ref().map(Sensitive::expose), Some(kept));
    }
}
