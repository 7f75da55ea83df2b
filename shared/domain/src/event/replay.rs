//! Replayed events: their marks, and the keys of a forced replay.
//!
//! A replayed event is the same event, with the same source, id and content. Two extensions mark it. `replayid` names
//! the replay, and `renotify` requests that recipients are notified again. Any publisher can write these extensions,
//! so they take effect only if an operator wrote them ([`received`]).

use std::collections::BTreeMap;

pub use carillon_event::{RENOTIFY, REPLAY_ID};

use crate::base::json::without_members;
use crate::event::bus::BusEvent;
use crate::event::{Event, Extension};

/// The types of events about replays: their start with operator and reason, and their end. Their source is
/// [`CLI_SOURCE`](crate::event::own_events::CLI_SOURCE).
pub const STARTED: &str = "carillon.replay.started";
pub const FINISHED: &str = "carillon.replay.finished";

/// The mark of all events of one replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The replay's name: 1 to 64 letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// Whether the resulting notifications have keys of their own, so that earlier notifications do not prevent them.
    pub renotify: bool,
}

impl Mark {
    /// The event with this mark instead of any other.
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

/// The resource of a replayed event in a queue that it did not reach through the bus.
#[must_use]
pub fn resource(replay: &str) -> String {
    format!("carillon:replay/{replay}")
}

/// An event after the check of its marks.
pub struct Received {
    /// The event without marks that do not take effect.
    pub event: Event,
    /// Whether the event had marks of a replay that do not take effect.
    pub ignores_marks: bool,
}

/// Removes the marks of a replay from an event unless an operator wrote them.
///
/// Operators have two ways to replay an event. `carillon replay` sends a message directly to the queue, with the
/// replay among its resources, which requires `sqs:SendMessage`. On the bus, `may_replay` knows the sources with
/// which operators publish.
#[must_use]
pub fn received(event: Event, bus: &BusEvent<'_>, may_replay: impl FnOnce(&str) -> bool) -> Received {
    let Some(replay) = event.replay_id() else { return Received { event, ignores_marks: false } };
    let is_handed_over = bus.is_direct() && bus.has_resource(&resource(replay));
    if is_handed_over || may_replay(&bus.source) {
        return Received { event, ignores_marks: false };
    }
    let mut extensions = event.extensions;
    extensions.retain(|name, _| !is_mark(name));
    Received { event: Event { extensions, ..event }, ignores_marks: true }
}

/// The text of an event without the marks of a replay, with all other bytes unchanged. An event with ineffective
/// marks has the same text as one without marks.
#[must_use]
pub fn unmarked_text(detail: &str) -> String {
    without_members(detail, is_mark)
}

/// Names of CloudEvents attributes are read in any letter case.
fn is_mark(name: &str) -> bool {
    [REPLAY_ID, RENOTIFY].iter().any(|mark| name.eq_ignore_ascii_case(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::channel::Channel;
    use crate::event::key::Key;
    use crate::event::own_events::REPLAY_SOURCE;

    #[test]
    fn mark_changes_only_the_extensions() {
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
    fn replay_keeps_the_keys_unless_it_renotifies() {
        let key = |event: &Event| Key::of(event, "paid", "ann", Some(Channel::Email), 0, "");
        let event = event("");
        let first = key(&event);
        assert_eq!(key(&mark("r-1", false).put_on(event.clone())), first);
        let [one, other] = ["r-1", "r-2"].map(|replay| key(&mark(replay, true).put_on(event.clone())));
        assert!(one != first && other != first && one != other);
        assert_eq!(one.parts().0, first.parts().0, "adjacent in the ledger");
        assert_eq!(one, key(&mark("r-1", true).put_on(event)), "a repeated replay notifies once");
    }

    #[test]
    fn invalid_replay_name_is_ignored() {
        let long = format!(r#","replayid":"{}","renotify":true"#, "x".repeat(65));
        for extensions in ["", r#","replayid":7"#, r#","replayid":"a#b","renotify":true"#, &long] {
            let event = event(extensions);
            assert_eq!((event.replay_id(), event.nonce()), (None, None), "{extensions}");
        }
        assert_eq!(event(r#","replayid":"a","renotify":"true""#).nonce(), None, "a text is no yes");
    }

    #[test]
    fn marks_take_effect_only_from_operators() {
        let direct = r#""account":"","resources":["carillon:replay/r-1"]"#;
        for (came, counts) in [
            (direct, true),
            (r#""resources":["carillon:replay/r-1"]"#, true),
            (r#""account":"","resources":["carillon:replay/r-2"]"#, false),
            (r#""account":"","resources":[]"#, false),
            (r#""account":"123456789012","resources":["carillon:replay/r-1"]"#, false),
            (r#""account":"123456789012","resources":[]"#, false),
        ] {
            let received = receive("shop", came, r#","replayid":"r-1","renotify":true,"other":"x""#);
            assert_eq!(received.ignores_marks, !counts, "{came}");
            assert_eq!(received.event.nonce(), counts.then_some("r-1"), "{came}");
            assert_eq!(received.event.extensions.len(), if counts { 3 } else { 1 }, "{came}");
        }
        let on_the_bus = r#""account":"123456789012""#;
        assert!(!receive(REPLAY_SOURCE, on_the_bus, r#","replayid":"r-1""#).ignores_marks);
        assert!(
            !receive("shop", direct, r#","renotify":true"#).ignores_marks,
            "a mark without a name marks nothing"
        );
    }

    #[test]
    fn unmarked_text_equals_the_original_text() {
        let plain = r#"{"id": "1", "data": {"replayid": "x", "n": 1.50}}"#;
        let marked =
            r#"{"id": "1", "ReplayId": "r", "renotify": true, "data": {"replayid": "x", "n": 1.50}}"#;
        assert_eq!(unmarked_text(marked), plain);
        assert_eq!(unmarked_text(plain), plain);
    }

    /// An event with these extensions, in a message with these members.
    fn receive(source: &str, came: &str, extensions: &str) -> Received {
        let detail = event(extensions).to_json();
        let text = format!(
            r#"{{"id":"b-1","detail-type":"order.paid","source":"{source}","time":"2026-11-20T12:00:00Z",{came},"detail":{detail}}}"#
        );
        let bus = BusEvent::parse(&text).unwrap();
        received(bus.unverified_event().unwrap(), &bus, |source| source == REPLAY_SOURCE)
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
