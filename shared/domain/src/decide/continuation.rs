//! Continuations: messages of dispatch to itself, to continue a run, close a digest, or notify the next members of an
//! audience.
//!
//! A continuation carries the event, so no other state is needed. It carries no decision, because dispatch decides
//! again. A duplicate does no harm, because its notifications have the same keys.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::base::sensitive::{self, Sensitive};
use crate::decide::plan::Audience;
use crate::event::key::{Key, hash_of};
use crate::event::layout::{Layout, NotRead, Upgrade};
use crate::event::{Event, Refusal};
use crate::recipient::Group;

/// The version of [`Continuation`]'s layout. Older versions are read through [`UPGRADES`]. A message of a newer version
/// returns to its queue. Raise the version only for a change that an older reader would misread. Then also add the
/// upgrade step for the previous version, and its golden files.
pub const WAKE_VERSION: u32 = 1;

/// One upgrade step for each version before [`WAKE_VERSION`]. The array's length makes the compiler check this.
const UPGRADES: [Upgrade; (WAKE_VERSION - 1) as usize] = [];

const LAYOUT: Layout = Layout { member: "carillon_wake", oldest: 1, upgrades: &UPGRADES };

/// Reads the continuation inside a job, of this or an older version.
pub(crate) fn nested<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Continuation, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    LAYOUT.read(text.get()).map_err(serde::de::Error::custom)
}

/// A continuation.
#[derive(Clone, Serialize, Deserialize)]
pub struct Continuation {
    /// Distinguishes a continuation from an event of the bus, which has no such member.
    pub carillon_wake: u32,
    /// The event's envelope.
    #[serde(serialize_with = "sensitive::stored")]
    event: Sensitive<Box<RawValue>>,
    pub rule: String,
    pub task: Task,
}

/// The task of a continuation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Continues a rule's steps for one recipient.
    Run { audience: Audience, start: Start },
    /// Closes a digest window.
    Close {
        audience: Audience,
        step: u32,
        only: Option<Channel>,
        window: String,
        window_id: String,
        /// The position at which a partly deferred digest continues after its window was closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<Start>,
    },
    /// Continues a fan-out with the members after `cursor`.
    FanOut { cursor: Cursor },
}

/// The position in a rule at which a run starts.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub step: u32,
    /// Restricts the run to this channel of the step, which was deferred while the others continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Channel>,
    /// Number of earlier runs of a recurring rule.
    #[serde(default)]
    pub occurrence: u32,
    /// The due time of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Restricts the run to this device. The other devices have been handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The throttles before this step have admitted the run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub counted: u32,
    /// The nonce of a requested second send, which distinguishes its keys from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
    /// The failed channel of the step that this run replaces. `only` is the first fallback channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<FailoverOrigin>,
}

/// The channel that a fallback notification replaces, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverOrigin {
    pub channel: Channel,
    /// The reason of the failure.
    pub why: Reason,
}

impl fmt::Display for FailoverOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fallback for {}: {}", self.channel.name(), self.why.meaning())
    }
}

impl Start {
    /// The nonce that distinguishes the keys of this run from others of the same rule, recipient, channel and step.
    #[must_use]
    pub fn nonce(&self, part: String) -> String {
        match &self.again {
            Some(again) => format!("again {again} {part}"),
            None => part,
        }
    }

    /// The position after the digest window that `step` opened. This is the next step. For a single channel that was
    /// collected over quiet hours, it is the same step.
    #[must_use]
    pub fn after_digest(step: u32, only: Option<Channel>) -> Start {
        let step = if only.is_some() { step } else { step.saturating_add(1) };
        Start { step, only, ..Start::default() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The progress of a fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cursor {
    /// This number of recipients that the event names have been handled.
    Named(usize),
    /// The members of a group up to this one have been handled.
    Member { group: Group, after: String },
}

impl Continuation {
    #[must_use]
    pub fn new(event: &Event, rule: &str, task: Task) -> Continuation {
        let event = RawValue::from_string(event.to_json()).expect("an event writes itself as JSON");
        Continuation { carillon_wake: WAKE_VERSION, event: event.into(), rule: rule.to_owned(), task }
    }

    /// Adds the reason of the failure to the run of a fallback channel.
    #[must_use]
    pub fn because(mut self, why: Reason) -> Continuation {
        let start = match &mut self.task {
            Task::Run { start, .. } => Some(start),
            Task::Close { resume, .. } => resume.as_mut(),
            Task::FanOut { .. } => None,
        };
        if let Some(instead_of) = start.and_then(|start| start.instead_of.as_mut()) {
            instead_of.why = why;
        }
        self
    }

    /// Reads a continuation of this or an older version, as a queue or a schedule carries it. `None` if the text is
    /// an event.
    ///
    /// # Errors
    /// [`NotRead`] tells a continuation of a newer release from one that no release can read.
    #[must_use]
    pub fn read(text: &str) -> Option<Result<Continuation, NotRead>> {
        // Cheaper than parsing every event twice. A continuation writes this member first.
        text.starts_with("{\"carillon_wake\":").then(|| LAYOUT.read(text))
    }

    /// The event of the continuation.
    ///
    /// # Errors
    /// [`Refusal`] if the text was changed in transit.
    pub fn event(&self) -> Result<Event, Refusal> {
        Event::stored(self.event.expose().get())
    }

    /// The name of the schedule for which `key` waits until `at`: 27 characters. The same wait has the same name, and
    /// another time has another name.
    #[must_use]
    pub fn name(key: &Key, at: Timestamp) -> String {
        hash_of(&[key.as_str(), &at.to_string()])
    }

    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and JSON text always serialize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requested_second_sends_have_keys_of_their_own() {
        let nonce = |again: Option<&str>| {
            let start = Start { again: again.map(str::to_owned), ..Start::default() };
            start.nonce("device d".to_owned())
        };
        assert_eq!(nonce(None), "device d");
        assert_ne!(nonce(Some("x")), nonce(None));
        assert_ne!(nonce(Some("x")), nonce(Some("y")));
    }

    #[test]
    fn continuation_round_trips_and_events_are_not_read() {
        let event = Event::parse(
            r#"{"specversion":"1.0","id":"e-1","source":"/a","type":"t","time":"2026-11-20T12:00:00Z","tenant":"c","data":{"x":1.50}}"#,
        )
        .unwrap();
        let start = Start { step: 2, occurrence: 3, ..Start::default() };
        let task = Task::Run { audience: Audience::User("ann".into()), start };
        let text = Continuation::new(&event, "reminder", task.clone()).to_json();
        let read = Continuation::read(&text).unwrap().unwrap();
        assert_eq!(read.task, task);
        assert_eq!(read.event().unwrap(), event);
        assert!(Continuation::read(&event.to_json()).is_none());
        for (wrong, is_newer) in [("1", false), ("0", false), ("\"1\"", false), ("2,\"news\":[]", true)] {
            let read = Continuation::read(&format!("{{\"carillon_wake\":{wrong}}}")).unwrap();
            assert_eq!(matches!(read.err(), Some(NotRead::Newer { .. })), is_newer, "{wrong}");
        }
    }
}
