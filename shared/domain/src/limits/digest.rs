//! Digests: several events become one notification. This module defines windows, their opening and closing, and the
//! template summary. It accesses no table and no timer; the caller computes the length of a window.
//!
//! Events are grouped by a [`key`](Group::key). The store keeps one [`Header`] for each key, a **marker** for each
//! event of that key, and an [`Item`] for each event in a window. The caller reads the header, calls [`join`] or
//! [`due`], and writes the result in one transaction. The transaction writes the header on the condition that its
//! `version` is unchanged. For a join it also writes the marker on the condition that it does not exist, the item, and
//! the timer that [`Join::timer`] requests. If the version has changed, the caller reads again. If the marker exists,
//! the event is a duplicate and nothing changes.
//!
//! The marker belongs to the key and not to the window. So an event that is redelivered after its window closed does
//! not join the next window. The marker holds [`Join::window_id`]. An event that passed through is sent again, and the
//! ledger deduplicates it. An event that joined is not sent again.
//!
//! The items of a window are processed only after it has closed, so no item is added later. By then the header may
//! belong to the next window. Therefore every window has its own timer, made in the transaction that opened the
//! window, and [`Due::AlreadyClosed`] does not depend on the header's window.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::key::hash_of;

mod collected;
mod item;
mod join;
mod policy;
mod summary;

pub use collected::{Collected, Window};
pub use item::{Item, event_key};
pub use join::{Arrival, Join, join, leave};
pub use policy::{DigestPolicy, InvalidDigestPolicy, Keep};
pub use summary::summary;

/// The highest number of events in one window, for every policy.
pub const MAX_ITEMS: u32 = 1000;

/// The grouping of events that are collected together.
#[derive(Clone, Copy)]
pub struct Group<'a> {
    pub tenant: Option<&'a str>,
    /// The name that [`crate::decide::plan::Audience::name`] returns.
    pub recipient: &'a str,
    pub rule: &'a str,
    pub step: u32,
    /// The rendered grouping value of the rule; empty without one.
    pub batch: &'a str,
}

impl Group<'_> {
    /// The key of the group: a hash of 27 characters that does not reveal the recipient.
    #[must_use]
    pub fn key(&self) -> String {
        let step = self.step.to_string();
        hash_of(&["digest", self.tenant.unwrap_or_default(), self.recipient, self.rule, &step, self.batch])
    }
}

/// The id of the window that this event opens, 27 characters. It is deterministic.
#[must_use]
pub fn window_id(key: &str, opener_event_key: &str) -> String {
    hash_of(&["window", key, opener_event_key])
}

/// The current or last window of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub window_id: String,
    pub state: State,
    pub opened_at: Timestamp,
    /// The closing time; for a closed window the actual one.
    pub closes_at: Timestamp,
    /// The latest closing time of a sliding window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_close_at: Option<Timestamp>,
    /// The number of items.
    pub n: u32,
    /// The version for conditional writes. It starts at 1 and grows with every change.
    pub version: u64,
}

/// Whether a window accepts events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Closed,
}

impl Header {
    /// Whether an event may still join. A window past its closing time accepts none, even before its timer fires.
    #[must_use]
    pub fn takes_events(&self, now: Timestamp) -> bool {
        self.state == State::Open && now < self.closes_at
    }
}

/// The result of a fired timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Write this header if the version is unchanged, then process the items.
    Close { next: Header },
    /// The window was extended after the timer was made. Make another timer for this time.
    NotYet(Timestamp),
    /// The window is closed already, and another may be open. The process that closed it may have crashed, so process
    /// its items, if any. Processing them twice sends no duplicates.
    AlreadyClosed,
}

/// Evaluates the timer of the window `fired_window_id`.
///
/// A key gets another window only after the previous one was closed or is past its closing time. A missing header was
/// deleted, which also happens only after closing. Both count as closed.
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
