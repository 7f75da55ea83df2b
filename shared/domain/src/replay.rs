//! Events that an operator sends on their way again: what marks them, and when a second telling has keys of its own.
//!
//! A replayed event is the same event: source, id and all it says stay. Two extensions tell it apart: `replayid` names
//! the replay, `renotify` says that people are to be told once more. Every publisher can write them, so they count only
//! where an operator wrote them ([`received`]).

use std::collections::BTreeMap;

use crate::bus::BusEvent;
use crate::event::{Event, Extension};
use crate::json::without_members;

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

/// The resource that a replayed event has in a queue which it did not reach by the bus.
#[must_use]
pub fn resource(replay: &str) -> String {
    format!("carillon:replay/{replay}")
}

/// An event as it counts. No `Debug`: it holds an event.
pub struct Received {
    /// The event, without marks that do not count.
    pub event: Event,
    /// The event came with marks of a replay that do not count.
    pub ignores_marks: bool,
}

/// Takes the marks of a replay off an event unless an operator wrote them.
///
/// Two ways are an operator's. A message that was put into the queue itself, and names the replay among its resources,
/// was sent by an IAM identity with `sqs:SendMessage`: `carillon replay` does so. On the bus, `may_replay` knows the
/// sources that operators publish with.
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

/// The text of an event without the marks of a replay; every other byte stays. The same event, published with and
/// without marks that do not count, has one text.
#[must_use]
pub fn unmarked_text(detail: &str) -> String {
    without_members(detail, is_mark)
}

/// CloudEvents' names are read in any case.
fn is_mark(name: &str) -> bool {
    [REPLAY_ID, RENOTIFY].iter().any(|it| name.eq_ignore_ascii_case(it))
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
    use crate::producers::REPLAY_SOURCE;

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

    #[test]
    fn marks_count_only_where_an_operator_wrote_them() {
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
    fn text_without_marks_is_that_of_the_event_that_never_had_them() {
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
