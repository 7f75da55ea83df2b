//! What dispatch tells its later self: go on with somebody, close a digest, tell the next hundred members.
//!
//! A wake carries the event, so that nothing has to be kept for it, and no decision: who wakes decides anew. Sent twice
//! it does no harm, because what comes of it has the same keys.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::channel::Channel;
use crate::event::{Event, Refusal};
use crate::key::{Key, hash_of};
use crate::layout::{Layout, NotRead, Upgrade};
use crate::outcome::Reason;
use crate::plan::Audience;
use crate::recipient::Group;

/// The layout of [`Wake`]. An older one is read through [`UPGRADES`]; a message of a newer one goes back to its queue.
/// Raise it only for a change that an older reader would misread, and add the step that reads the version before, and its
/// golden files.
pub const WAKE_VERSION: u32 = 1;

/// One step for each version before [`WAKE_VERSION`]: without it this does not compile.
const UPGRADES: [Upgrade; (WAKE_VERSION - 1) as usize] = [];

const LAYOUT: Layout = Layout { member: "carillon_wake", oldest: 1, upgrades: &UPGRADES };

/// Reads the wake that a job carries, of this version or an older one.
pub(crate) fn nested<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Wake, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    LAYOUT.read(text.get()).map_err(serde::de::Error::custom)
}

/// One thing that is to be gone on with. No `Debug`: it holds an event.
#[derive(Clone, Serialize, Deserialize)]
pub struct Wake {
    /// Tells a wake from an event of the bus: there is no such member there.
    pub carillon_wake: u32,
    /// The event's envelope.
    event: Box<RawValue>,
    pub rule: String,
    pub task: Task,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Go on with a rule's steps for one recipient.
    Run { audience: Audience, start: Start },
    /// The window of a digest is over.
    Close {
        audience: Audience,
        step: u32,
        only: Option<Channel>,
        window: String,
        window_id: String,
        /// It was over before, and a part of it had to wait: it is gone on with here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<Start>,
    },
    /// Tell those who come after `cursor`.
    FanOut { cursor: Cursor },
}

/// Where in a rule a run begins.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub step: u32,
    /// Only this channel of the step, and nothing after it: it was held back while the others went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Channel>,
    /// How often a recurring rule has run before.
    #[serde(default)]
    pub occurrence: u32,
    /// When it was to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Only this device of it: the others have been told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The throttles before this step have let the run through.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub counted: u32,
    /// Somebody asked for a second send on purpose: the nonce that keeps its keys apart from those of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
    /// It takes the place of a channel of the step that failed: `only` is the first that may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<InsteadOf>,
}

/// The channel that a notification takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsteadOf {
    pub channel: Channel,
    /// Why it did not go there.
    pub why: Reason,
}

impl fmt::Display for InsteadOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it takes the place of {}: {}", self.channel.name(), self.why.meaning())
    }
}

impl Start {
    /// What keeps the keys of this run apart from others of the same rule, recipient, channel and step.
    #[must_use]
    pub fn nonce(&self, what: String) -> String {
        match &self.again {
            Some(again) => format!("again {again} {what}"),
            None => what,
        }
    }

    /// Where a run goes on when the window is over that `step` opened: behind it, or, where one channel was collected
    /// over quiet hours, in that very step.
    #[must_use]
    pub fn after_digest(step: u32, only: Option<Channel>) -> Start {
        let step = if only.is_some() { step } else { step.saturating_add(1) };
        Start { step, only, ..Start::default() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(it: &u32) -> bool {
    *it == 0
}

/// How far a fan-out has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cursor {
    /// So many of those whom the event itself names are told.
    Named(usize),
    /// The members of a group up to this one are told.
    Member { group: Group, after: String },
}

impl Wake {
    #[must_use]
    pub fn new(event: &Event, rule: &str, task: Task) -> Wake {
        let event = RawValue::from_string(event.to_json()).expect("an event writes itself as JSON");
        Wake { carillon_wake: WAKE_VERSION, event, rule: rule.to_owned(), task }
    }

    /// The same, now that it is known why a channel failed whose place is taken.
    #[must_use]
    pub fn because(mut self, why: Reason) -> Wake {
        let start = match &mut self.task {
            Task::Run { start, .. } => Some(start),
            Task::Close { resume, .. } => resume.as_mut(),
            Task::FanOut { .. } => None,
        };
        if let Some(it) = start.and_then(|start| start.instead_of.as_mut()) {
            it.why = why;
        }
        self
    }

    /// Reads a wake as its queue or its schedule carries it, of this version or an older one. `None` when the text is
    /// something else: an event.
    ///
    /// # Errors
    /// [`NotRead`] tells a wake of a newer release from one that no release reads.
    #[must_use]
    pub fn read(text: &str) -> Option<Result<Wake, NotRead>> {
        // Cheaper than reading every event twice: the member is the first that a wake writes.
        text.starts_with("{\"carillon_wake\":").then(|| LAYOUT.read(text))
    }

    /// The event behind it.
    ///
    /// # Errors
    /// [`Refusal`] when the text was changed on its way.
    pub fn event(&self) -> Result<Event, Refusal> {
        Event::stored(self.event.get())
    }

    /// Names what `key` waits for until `at`: 27 characters. The same wait has the same name, another time another one.
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
    fn a_second_send_on_purpose_has_keys_of_its_own_each_time() {
        let nonce = |again: Option<&str>| {
            let start = Start { again: again.map(str::to_owned), ..Start::default() };
            start.nonce("device d".to_owned())
        };
        assert_eq!(nonce(None), "device d");
        assert_ne!(nonce(Some("x")), nonce(None));
        assert_ne!(nonce(Some("x")), nonce(Some("y")));
    }

    #[test]
    fn a_wake_comes_back_as_it_went_and_an_event_is_none() {
        let event = Event::parse(
            r#"{"specversion":"1.0","id":"e-1","source":"/a","type":"t","time":"2026-11-20T12:00:00Z","tenant":"c","data":{"x":1.50}}"#,
        )
        .unwrap();
        let start = Start { step: 2, occurrence: 3, ..Start::default() };
        let task = Task::Run { audience: Audience::User("ann".into()), start };
        let text = Wake::new(&event, "reminder", task.clone()).to_json();
        let read = Wake::read(&text).unwrap().unwrap();
        assert_eq!(read.task, task);
        assert_eq!(read.event().unwrap(), event);
        assert!(Wake::read(&event.to_json()).is_none());
        for (wrong, is_newer) in [("1", false), ("0", false), ("\"1\"", false), ("2,\"news\":[]", true)] {
            let read = Wake::read(&format!("{{\"carillon_wake\":{wrong}}}")).unwrap();
            assert_eq!(matches!(read.err(), Some(NotRead::Newer { .. })), is_newer, "{wrong}");
        }
    }
}
