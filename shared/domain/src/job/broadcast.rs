//! The content of a job for a broadcast.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Job, SocketTarget};
use crate::key::hash_of;
use crate::rule::Record;

/// An event for open sockets. There are no rendered words in it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Broadcast {
    pub to: SocketTarget,
    /// What the rule exposes of the event, as JSON.
    pub data: Box<RawValue>,
    /// Users whose sockets do not get the event although they are in the room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    #[serde(default, skip_serializing_if = "Record::is_default")]
    pub record: Record,
}

impl Job {
    /// Whether the ledger has a row for it. A job without a row is not claimed, and no outcome is written.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        match &self.content {
            super::Content::Broadcast(broadcast) => broadcast.record == Record::Targets,
            super::Content::Email(_)
            | super::Content::Push(_)
            | super::Content::Sms(_)
            | super::Content::Whatsapp(_)
            | super::Content::Message(_)
            | super::Content::Socket(_)
            | super::Content::Webhook(_) => true,
        }
    }

    /// The id of the frame that a broadcast sends: the same for every target of the rule, so that a client that is
    /// reached as a user and in a room shows the event once. A replay has an id of its own.
    #[must_use]
    pub fn broadcast_id(&self) -> String {
        let replay = self.event.replay.as_deref().unwrap_or_default();
        hash_of(&["broadcast", &self.event.source, &self.event.id, &self.rule, replay])
    }
}
