//! The policy's `aliases`: names under which producers publish events, and the types that these names stand for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_reserved_type;
use crate::event::{Event, Extension};

/// The extension that holds the name under which an event came, where an alias gave the event another type.
pub const EVENT_NAME: &str = "eventname";

/// Event names, each with the type that rules, templates and the audit see in its place.
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

    /// The type that an event name stands for: the name itself where there is no alias. Reserved types neither have an
    /// alias nor are one.
    #[must_use]
    pub fn kind_of<'a>(&'a self, name: &'a str) -> &'a str {
        let kind = self.0.get(name).map(String::as_str);
        kind.filter(|kind| !is_reserved_type(name) && !is_reserved_type(kind)).unwrap_or(name)
    }

    /// The event under the type that its name stands for. The name stays readable as [`EVENT_NAME`].
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

impl Event {
    /// The name under which the event came, where an alias gave it another type.
    #[must_use]
    pub fn original_name(&self) -> Option<&str> {
        match self.extensions.get(EVENT_NAME) {
            Some(Extension::Text(name)) => Some(name),
            Some(Extension::Bool(_) | Extension::Integer(_)) | None => None,
        }
    }

    /// Whether the event's type, or the name under which it came, is the wanted one. `*` at the end stands for any end.
    #[must_use]
    pub fn is_called(&self, wanted: &str) -> bool {
        std::iter::once(self.kind.as_str())
            .chain(self.original_name())
            .any(|name| super::covers(wanted, name))
    }
}
