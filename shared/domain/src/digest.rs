//! Collecting: many events become one message. What a window is, when it opens and closes, and what a template gets.
//! It knows no table and no timer; how long a window is, the caller works out.
//!
//! Events meet under a [`key`](Group::key). For each key the store keeps one [`Header`], and beside it a **marker** for
//! every event that came to that key, and an [`Item`] for every event in a window. The shell reads the header, asks
//! [`join`] or [`due`], and writes the answer in one transaction: the header if its `version` is still the one that was
//! read, and for a join also the marker if it does not exist, the item, and the timer that [`Join::timer`] asks for. If
//! the version is another one, it reads again; if the marker exists, the event came before and nothing changes.
//!
//! The marker belongs to the key, not to the window: an event that comes again after its window closed must not get
//! into the next. It holds what [`Join::window_id`] says, so that an event that went straight through is sent again
//! (the ledger lets one through) and one that joined is not.
//!
//! A window is worked through from its items, after it has closed and never before, so nothing is added later. Its
//! header may belong to the next window by then. That is why every window has a timer of its own, made in the
//! transaction that made the window, and why [`Due::AlreadyClosed`] says nothing about whose header it saw.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::hash_of;

mod collected;
mod item;
mod join;
mod policy;
mod summary;

pub use collected::{Collected, Window};
pub use item::{Item, event_key};
pub use join::{Arrival, Join, join, leave};
pub use policy::{BadPolicy, DigestPolicy, Keep};
pub use summary::summary;

/// The most events that one window takes, whatever its policy.
pub const MAX_ITEMS: u32 = 1000;

/// What events have in common that are collected together.
#[derive(Clone, Copy)]
pub struct Group<'a> {
    pub tenant: Option<&'a str>,
    /// As [`crate::plan::Audience::name`] writes it.
    pub recipient: &'a str,
    pub rule: &'a str,
    pub step: u32,
    /// What the rule groups by beside these, rendered; empty when by nothing.
    pub batch: &'a str,
}

impl Group<'_> {
    /// 27 characters that name the group and say nothing about the recipient.
    #[must_use]
    pub fn key(&self) -> String {
        let step = self.step.to_string();
        hash_of(&["digest", self.tenant.unwrap_or_default(), self.recipient, self.rule, &step, self.batch])
    }
}

/// Names the window that this event opens: the same whoever asks, and however often. 27 characters.
#[must_use]
pub fn window_id(key: &str, opener_event_key: &str) -> String {
    hash_of(&["window", key, opener_event_key])
}

/// The window of a key, or the last one it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub window_id: String,
    pub state: State,
    pub opened_at: Timestamp,
    /// When it closes; once it is closed, when it did.
    pub closes_at: Timestamp,
    /// What a sliding window never goes beyond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_close_at: Option<Timestamp>,
    /// How many items it has.
    pub n: u32,
    /// Raised by every change, from 1: what a conditional write compares.
    pub version: u64,
}

/// Whether a window takes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Closed,
}

impl Header {
    /// Whether an event may still join. A window that is over takes none, even before its timer has fired.
    #[must_use]
    pub fn takes_events(&self, now: Timestamp) -> bool {
        self.state == State::Open && now < self.closes_at
    }
}

/// What a timer finds when it fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Write this header if the version is still the one that was read; then work through the items.
    Close { next: Header },
    /// The window slid on since the timer was made: make another one.
    NotYet(Timestamp),
    /// The window was closed before, and another may have been opened since. Whoever closed it may have died before
    /// the work was done, so work through its items, if any: done twice it sends nothing twice.
    AlreadyClosed,
}

/// What is to be done when the timer of `fired_window_id` fires.
///
/// A key has another window only after the one before was closed or over, and a header is missing only after it was
/// deleted. Both count as closed.
#[must_use]
pub fn due(header: Option<&Header>, fired_window_id: &str, now: Timestamp) -> Due {
    let Some(header) = header.filter(|header| header.window_id == fired_window_id) else {
        return Due::AlreadyClosed;
    };
    match header.state {
        State::Closed => Due::AlreadyClosed,
        State::Open if now < header.closes_at => Due::NotYet(header.closes_at),
        State::Open => Due::Close {
            next: Header {
                state: State::Closed,
                version: header.version.saturating_add(1),
                ..header.clone()
            },
        },
    }
}

#[cfg(test)]
mod tests;
