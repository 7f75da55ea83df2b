//! The event behind a notification.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Event;

/// The event behind a job: the facts for the ledger, the provider's tags and every log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The id of the replay that sent the event again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}

impl Origin {
    /// Completes `event`, which this event caused, with this event's tenant, correlation, cause and trace.
    #[must_use]
    pub fn leads_to(&self, event: Event) -> Event {
        Event {
            tenant: self.tenant.clone(),
            correlation_id: self.correlation_id.clone(),
            causation_id: Some(self.id.clone()),
            traceparent: self.traceparent.clone(),
            ..event
        }
    }

    #[must_use]
    pub fn of(event: &Event) -> Origin {
        Origin {
            id: event.id.clone(),
            source: event.source.clone(),
            kind: event.kind.clone(),
            time: event.time,
            subject: event.subject.clone(),
            tenant: event.tenant.clone(),
            correlation_id: event.correlation_id.clone(),
            causation_id: event.causation_id.clone(),
            actor: event.actor.clone(),
            traceparent: event.traceparent.clone(),
            replay: event.replay_id().map(str::to_owned),
        }
    }
}
