//! Events that an operator sends on their way again: what marks them, and when a second telling has keys of its own.
//!
//! A replayed event is the same event: source, id and all it says stay. Two extensions tell it apart: `replayid` names
//! the replay, `renotify` says that people are to be told once more.

use std::collections::BTreeMap;

use crate::event::{Event, Extension};

/// The extension that names the replay.
pub const REPLAY_ID: &str = "replayid";

/// The extension that asks for a second telling on purpose.
pub const RENOTIFY: &str = "renotify";

/// The types of events about replays: who began one and why, and how it ended. Their source is
/// [`CLI_SOURCE`](crate::producers::CLI_SOURCE).
pub const STARTED: &str = "carillon.replay.started";
pub const FINISHED: &str = "carillon.replay.finished";

/// How long a replay's name can be.
const MAX_ID_CHARS: usize = 64;

/// What all events of one replay carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Names the replay: 1 to 64 letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// Whether what comes of these events has keys of its own, so that nothing that was told before stands in its way.
    pub renotify: bool,
}

impl Mark {
    /// The same event with this mark, and no other.
    #[must_use]
    pub fn put_on(&self, event: Event) -> Event {
        let mut extensions: BTreeMap<String, Extension> = event.extensions;
        extensions.insert(REPLAY_ID.to_owned(), Extension::Text(self.id.clone()));
        match self.renotify {
            true => extensions.insert(RENOTIFY.to_owned(), Extension::Bool(true)),
            false => extensions.remove(RENOTIFY),
        };
        Event { extensions, ..event }
    }
}

impl Event {
    /// The replay that the event came with. `None` for an event that came by itself, and where the extension is no name
    /// of a replay.
    #[must_use]
    pub fn replay_id(&self) -> Option<&str> {
        let Some(Extension::Text(id)) = self.extensions.get(REPLAY_ID) else { return None };
        let fits = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
        ((1..=MAX_ID_CHARS).contains(&id.len()) && id.bytes().all(fits)).then_some(id.as_str())
    }

    /// What keeps the keys of this telling apart from those of the first: none, unless a replay asks for a second one.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.replay_id().filter(|_| self.extensions.get(RENOTIFY) == Some(&Extension::Bool(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Channel;
    use crate::key::Key;

    #[test]
    fn a_mark_is_seen_and_changes_nothing_else_of_the_event() {
        let event = event("");
        let marked = mark("r-1", false).put_on(event.clone());
        assert_eq!(marked.replay_id(), Some("r-1"));
        assert_eq!(marked.nonce(), None);
        let bare = Event { extensions: event.extensions.clone(), ..marked.clone() };
        assert_eq!(bare, event);
        let read = Event::stored(&marked.to_json()).unwrap();
        assert_eq!(read, marked);
        let again = mark("r-2", true).put_on(marked);
        assert_eq!(again.nonce(), Some("r-2"));
        assert_eq!(mark("r-3", false).put_on(again).nonce(), None, "the mark before is gone");
    }

    #[test]
    fn a_replay_has_the_keys_of_the_first_telling_unless_it_is_to_tell_again() {
        let key = |event: &Event| Key::of(event, "paid", "ann", Some(Channel::Email), 0, "");
        let event = event("");
        let first = key(&event);
        assert_eq!(key(&mark("r-1", false).put_on(event.clone())), first);
        let [one, other] = ["r-1", "r-2"].map(|it| key(&mark(it, true).put_on(event.clone())));
        assert!(one != first && other != first && one != other);
        assert_eq!(one.parts().0, first.parts().0, "they lie together in the ledger");
        assert_eq!(one, key(&mark("r-1", true).put_on(event)), "sent twice, it is told once");
    }

    #[test]
    fn what_is_no_name_of_a_replay_marks_nothing() {
        let long = format!(r#","replayid":"{}","renotify":true"#, "x".repeat(65));
        for extensions in ["", r#","replayid":7"#, r#","replayid":"a#b","renotify":true"#, &long] {
            let event = event(extensions);
            assert_eq!((event.replay_id(), event.nonce()), (None, None), "{extensions}");
        }
        assert_eq!(event(r#","replayid":"a","renotify":"true""#).nonce(), None, "a text is no yes");
    }

    fn mark(id: &str, renotify: bool) -> Mark {
        Mark { id: id.to_owned(), renotify }
    }

    fn event(extensions: &str) -> Event {
        Event::parse(&format!(
            r#"{{"specversion":"1.0","id":"1","source":"shop","type":"order.paid","time":"2026-11-20T12:00:00Z"{extensions}}}"#
        ))
        .unwrap()
    }
}
