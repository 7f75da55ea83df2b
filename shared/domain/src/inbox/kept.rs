//! What an inbox keeps of a live message.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::Priority;
use crate::job::{Content, Job, SocketTarget};
use crate::key::Key;

/// The most that an entry takes as JSON. Two of them fit one frame of a WebSocket, so a page always has room for one.
pub const MAX_ENTRY_BYTES: usize = 12 * 1024;

/// The most that a title takes of it, as JSON.
const MAX_TITLE_BYTES: usize = 1024;

/// The most that any other name takes of it.
const MAX_NAME_BYTES: usize = 1024;

/// What stands at the end of a text that was cut.
const CUT: char = '…';

/// What was said, and of what. No `Debug`: it holds what somebody was told.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The notification's key: what a live frame calls `id`.
    pub id: Key,
    pub event: Happened,
    pub rule: String,
    #[serde(default)]
    pub category: String,
    pub priority: Priority,
    pub title: String,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// When a run that waited went on, where that is later than its event: the entry lies at this time in its inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// It was longer than an entry may be: the data is not there, or the end of the text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// The event behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Kept {
    /// What is kept of a job, and in whose inbox. `None` for what is not: it is for a room, which is whoever is there at
    /// the moment and nobody afterwards; it is ephemeral; or it is no live message.
    #[must_use]
    pub fn of(job: &Job) -> Option<(&str, Kept)> {
        let Content::Socket(socket) = &job.content else { return None };
        let SocketTarget::User(user) = &socket.to else { return None };
        if socket.ephemeral {
            return None;
        }
        let event = Happened {
            id: job.event.id.clone(),
            source: job.event.source.clone(),
            kind: job.event.kind.clone(),
            time: job.event.time,
            subject: job.event.subject.as_deref().map(|subject| cut(subject, MAX_NAME_BYTES)),
        };
        let kept = Kept {
            id: job.key.clone(),
            event,
            rule: job.rule.clone(),
            category: cut(&socket.category, MAX_NAME_BYTES),
            priority: job.priority,
            title: socket.title.clone(),
            body: socket.body.clone(),
            data: Some(socket.data.clone()),
            due: job.due.filter(|due| *due > job.event.time),
            truncated: false,
        };
        Some((user, kept.bounded()))
    }

    /// The time by which the entry is ordered in its inbox: when its event happened, or when a run that waited went on.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.due.map_or(self.event.time, |due| due.max(self.event.time))
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry is strings and JSON text")
    }

    /// The same, no longer than it may be: first without the data, then with less of the text.
    fn bounded(mut self) -> Kept {
        if self.to_json().len() <= MAX_ENTRY_BYTES {
            return self;
        }
        (self.data, self.truncated) = (None, true);
        if self.to_json().len() <= MAX_ENTRY_BYTES {
            return self;
        }
        self.title = cut(&self.title, MAX_TITLE_BYTES);
        let body = std::mem::take(&mut self.body);
        self.body = cut(&body, MAX_ENTRY_BYTES.saturating_sub(self.to_json().len()));
        self
    }
}

/// The beginning of a text that takes at most so many bytes as JSON, its quotes not counted.
fn cut(text: &str, most: usize) -> String {
    let mut taken = 0;
    let mut end = 0;
    for (at, it) in text.char_indices() {
        if taken + CUT.len_utf8() <= most {
            end = at;
        }
        taken += as_json(it);
        if taken > most {
            return format!("{}{CUT}", &text[..end]);
        }
    }
    text.to_owned()
}

/// How many bytes a character takes as JSON.
fn as_json(it: char) -> usize {
    match it {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        it => it.len_utf8(),
    }
}
