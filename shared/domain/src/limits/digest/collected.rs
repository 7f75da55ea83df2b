//! A closed window with its items.

use jiff::Timestamp;
use serde_json::Value;

use super::{DigestPolicy, Item, summary};
use crate::base::channel::Channel;

/// A digest that is sent. The id of its event is the id of its window.
#[derive(Clone)]
pub struct Collected {
    /// The template summary of all items ([`summary`]).
    pub summary: Value,
    /// The events of the window, oldest first.
    pub items: Vec<Item>,
    /// The key of the window, and the step that opened it.
    pub window: String,
    pub step: u32,
    /// The channel, if the window collected over quiet hours.
    pub only: Option<Channel>,
    policy: DigestPolicy,
    opened_at: Timestamp,
    closed_at: Timestamp,
}

/// The window of a digest.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    pub name: &'a str,
    pub step: u32,
    pub only: Option<Channel>,
    pub opened_at: Timestamp,
    pub closed_at: Timestamp,
}

impl Collected {
    /// Builds a digest from the items of a window.
    #[must_use]
    pub fn of(items: Vec<Item>, policy: DigestPolicy, window: &Window<'_>) -> Collected {
        let Window { name, step, only, opened_at, closed_at } = *window;
        let summary = summary(&items, &policy, opened_at, closed_at);
        Collected { summary, items, window: name.to_owned(), step, only, policy, opened_at, closed_at }
    }

    /// The template summary of a subset of the items.
    #[must_use]
    pub fn summary_of(&self, items: &[Item]) -> Value {
        summary(items, &self.policy, self.opened_at, self.closed_at)
    }
}
