//! The policy's `aliases`: event names of producers, and the event types behind them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_reserved_type;
use crate::event::{Event, Extension};

pub use carillon_event::EVENT_NAME;

/// Event names, each with the type that rules, templates and the audit use instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Aliases(BTreeMap<String, String>);

impl Aliases {
    #[must_use]
    pub fn new(names: BTreeMap<String, String>) -> Aliases {
        Aliases(names)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The type behind an event name, or the name itself if it has no alias. Reserved types neither have aliases nor
    /// are aliases.
    #[must_use]
    pub fn kind_of<'a>(&'a self, name: &'a str) -> &'a str {
        let kind = self.0.get(name).map(String::as_str);
        kind.filter(|kind| !is_reserved_type(name) && !is_reserved_type(kind)).unwrap_or(name)
    }

    /// The event with the type behind its name. The name stays readable as [`EVENT_NAME`].
    #[must_use]
    pub fn apply(&self, event: Event) -> Event {
        let kind = self.kind_of(&event.kind);
        if kind == event.kind {
            return event;
        }
        let kind = kind.to_owned();
        let mut extensions = event.extensions;
        extensions.insert(EVENT_NAME.to_owned(), Extension::Text(event.kind));
        Event { kind, extensions, ..event }
    }
}
