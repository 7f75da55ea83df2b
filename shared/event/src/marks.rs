//! Extensions that Carillon sets: the marks of a replay, and the name behind an alias.

use crate::{Event, Extension};

/// The extension with the name of a replay. Only an operator's replay sets it.
pub const REPLAY_ID: &str = "replayid";

/// The extension that requests a second notification. Only an operator's replay sets it.
pub const RENOTIFY: &str = "renotify";

/// The extension with the original name of an event whose type comes from an alias.
pub const EVENT_NAME: &str = "eventname";

/// The longest name of a replay.
const MAX_ID_CHARS: usize = 64;

/// Whether a pattern matches a name: the full name, or a prefix that ends in `*`.
#[must_use]
pub fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

impl Event {
    /// The name of the replay that sent the event. `None` for an event without a replay, and if the extension is not
    /// a valid name.
    #[must_use]
    pub fn replay_id(&self) -> Option<&str> {
        let Some(Extension::Text(id)) = self.extensions.get(REPLAY_ID) else { return None };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        ((1..=MAX_ID_CHARS).contains(&id.len()) && id.bytes().all(fits)).then_some(id.as_str())
    }

    /// The part of the keys that distinguishes a second notification from the first. `None` unless a replay requests
    /// one.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.replay_id().filter(|_| self.extensions.get(RENOTIFY) == Some(&Extension::Bool(true)))
    }

    /// The event's original name, if an alias gave it another type.
    #[must_use]
    pub fn original_name(&self) -> Option<&str> {
        match self.extensions.get(EVENT_NAME) {
            Some(Extension::Text(name)) => Some(name),
            Some(Extension::Bool(_) | Extension::Integer(_)) | None => None,
        }
    }

    /// Whether the event's type or original name is `wanted`. A trailing `*` matches any ending.
    #[must_use]
    pub fn is_called(&self, wanted: &str) -> bool {
        std::iter::once(self.kind.as_str()).chain(self.original_name()).any(|name| covers(wanted, name))
    }
}
