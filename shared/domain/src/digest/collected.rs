//! A closed window on its way to its recipient.

use jiff::Timestamp;
use serde_json::Value;

use super::{DigestPolicy, Item, summary};
use crate::channel::Channel;

/// A digest that is told. The id of its event is that of its window. No `Debug`: it holds payloads.
#[derive(Clone)]
pub struct Collected {
    /// For its template: [`summary`] of all items.
    pub summary: Value,
    /// The events that the window holds, oldest first.
    pub items: Vec<Item>,
    /// What its window was called, and the step that opened it.
    pub window: String,
    pub step: u32,
    /// The channel, where it was quiet hours that it was collected over.
    pub only: Option<Channel>,
    policy: DigestPolicy,
    opened_at: Timestamp,
    closed_at: Timestamp,
}

/// The window that a digest is made of.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    pub name: &'a str,
    pub step: u32,
    pub only: Option<Channel>,
    pub opened_at: Timestamp,
    pub closed_at: Timestamp,
}

impl Collected {
    /// Makes a digest of the events of a window.
    #[must_use]
    pub fn of(items: Vec<Item>, policy: DigestPolicy, window: &Window<'_>) -> Collected {
        let Window { name, step, only, opened_at, closed_at } = *window;
        let summary = summary(&items, &policy, opened_at, closed_at);
        Collected { summary, items, window: name.to_owned(), step, only, policy, opened_at, closed_at }
    }

    /// What the template gets of some of its events only.
    #[must_use]
    pub fn summary_of(&self, items: &[Item]) -> Value {
        summary(items, &self.policy, self.opened_at, self.closed_at)
    }
}
