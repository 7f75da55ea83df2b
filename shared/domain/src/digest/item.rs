//! An event as a window keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::Event;
use crate::key::hash_of;

/// An event in a window: what templates may want of it. No `Debug`: it holds a payload.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// As [`event_key`] writes it: what makes it one item.
    pub event_key: String,
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The user or service that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Names an event within a key: 27 characters of its source and id, because an id is unique only within a source.
#[must_use]
pub fn event_key(event: &Event) -> String {
    hash_of(&["event", &event.source, &event.id])
}

impl Item {
    #[must_use]
    pub fn of(event: &Event) -> Item {
        let data = event.data.as_ref().map(|it| {
            serde_json::from_str(it.text()).expect("depth and values were checked when the event was read")
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

    /// The event as templates and paths see it: the envelope's own names, `null` for what it does not have.
    pub(super) fn activity(&self) -> Value {
        json!({
            "id": self.id,
            "source": self.source,
            "type": self.kind,
            "time": self.time.to_string(),
            "subject": self.subject,
            "actor": self.actor,
            "data": self.data,
        })
    }
}
