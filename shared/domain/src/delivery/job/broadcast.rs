//! The content of a broadcast's job.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Job, SocketTarget};
use crate::base::sensitive::{self, Sensitive};
use crate::catalog::rule::Record;
use crate::event::key::hash_of;

/// An event for open sockets, without rendered text.
#[derive(Clone, Serialize, Deserialize)]
pub struct Broadcast {
    pub to: SocketTarget,
    /// The data that the rule exposes of the event, as JSON.
    #[serde(serialize_with = "sensitive::stored")]
    pub data: Sensitive<Box<RawValue>>,
    /// Users who are in the room but whose sockets do not receive the event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    #[serde(default, skip_serializing_if = "Record::is_default")]
    pub record: Record,
}

impl Job {
    /// Whether the ledger has a row for the job. A job without a row is not claimed and has no outcome.
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

    /// The id of the broadcast's frame. All targets of a rule get the same id, so that a client which is reached as a
    /// user and in a room shows the event once. Each replay has ids of its own.
    #[must_use]
    pub fn broadcast_id(&self) -> String {
        let replay = self.event.replay.as_deref().unwrap_or_default();
        hash_of(&["broadcast", &self.event.source, &self.event.id, &self.rule, replay])
    }
}
