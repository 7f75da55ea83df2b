//! The stored content of an inbox entry.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::sensitive::{self, Sensitive};
use crate::delivery::job::{Content, Job, SocketTarget};
use crate::event::Priority;
use crate::event::key::Key;

/// The largest entry, in bytes of JSON. Two of them fit one WebSocket frame, so a page always has room for one.
pub const MAX_ENTRY_BYTES: usize = 12 * 1024;

/// The longest title of an oversized entry, in bytes of JSON.
const MAX_TITLE_BYTES: usize = 1024;

/// The longest subject and category, in bytes of JSON.
const MAX_NAME_BYTES: usize = 1024;

/// The end of a truncated text.
const CUT: char = '…';

/// The content of an in-app message with its event.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The notification's key; `id` in a WebSocket frame.
    pub id: Key,
    pub event: EntryEvent,
    pub rule: String,
    #[serde(default)]
    pub category: String,
    pub priority: Priority,
    #[serde(serialize_with = "sensitive::stored")]
    pub title: Sensitive<String>,
    #[serde(serialize_with = "sensitive::stored")]
    pub body: Sensitive<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub data: Option<Sensitive<Box<RawValue>>>,
    /// The time at which a waiting run continued, if later than its event. It determines the entry's position in the
    /// inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The entry was too large: its data is missing or its text is truncated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// The event of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryEvent {
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Kept {
    /// The inbox entry of a job and its user. `None` if the job gets no entry: it is for a room, ephemeral, or not an
    /// in-app message.
    #[must_use]
    pub fn of(job: &Job) -> Option<(&str, Kept)> {
        let Content::Socket(socket) = &job.content else { return None };
        let SocketTarget::User(user) = &socket.to else { return None };
        if socket.ephemeral {
            return None;
        }
        let event = EntryEvent {
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

    /// The time that orders the inbox: the event time, or the time at which a waiting run continued.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.due.map_or(self.event.time, |due| due.max(self.event.time))
    }

    /// The entry as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry is strings and JSON text")
    }

    /// Limits the size: first drops the data, then truncates the text.
    fn bounded(mut self) -> Kept {
        if self.to_json().len() <= MAX_ENTRY_BYTES {
            return self;
        }
        (self.data, self.truncated) = (None, true);
        if self.to_json().len() <= MAX_ENTRY_BYTES {
            return self;
        }
        self.title = self.title.map(|title| cut(&title, MAX_TITLE_BYTES));
        let body = std::mem::take(&mut self.body);
        let most = MAX_ENTRY_BYTES.saturating_sub(self.to_json().len());
        self.body = body.map(|body| cut(&body, most));
        self
    }
}

/// Truncates a text to `most` bytes of JSON, without its quotes.
fn cut(text: &str, most: usize) -> String {
    let mut taken = 0;
    let mut end = 0;
    for (index, c) in text.char_indices() {
        if taken + CUT.len_utf8() <= most {
            end = index;
        }
        taken += json_length(c);
        if taken > most {
            return format!("{}{CUT}", &text[..end]);
        }
    }
    text.to_owned()
}

/// The length of a character in JSON, in bytes.
fn json_length(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}
