//! The events that Carillon publishes on the bus: types, sources, members and an example of each.
//!
//! `docs/reference/events.md` prints this table. The unit tests of each function that publishes an event compare a real
//! event with it ([`difference`]).

mod table;

use serde_json::{Map, Value, json};

pub use table::EMITTED;

use crate::event::Event;

/// An event type, or several types with the same members.
pub struct Emitted {
    /// The types. `<status>` stands for the name of a final status.
    pub types: &'static [&'static str],
    pub sources: &'static [&'static str],
    /// The occasion, as a clause in Markdown.
    pub when: &'static str,
    /// The subject of the envelope.
    pub subject: &'static str,
    pub members: &'static [Member],
}

/// A member of an event's data.
pub struct Member {
    pub name: &'static str,
    /// Whether the member can be absent.
    pub is_optional: bool,
    /// An example of its value, as JSON.
    pub example: &'static str,
    /// The content, in Markdown.
    pub meaning: &'static str,
}

impl Emitted {
    /// Whether this row describes the type.
    #[must_use]
    pub fn has(&self, kind: &str) -> bool {
        self.types.iter().any(|name| match name.split_once('<') {
            Some((prefix, _)) => kind.starts_with(prefix),
            None => *name == kind,
        })
    }

    /// An example of the event's data, with all members.
    #[must_use]
    pub fn example(&self) -> Value {
        let members = self.members.iter().map(|member| {
            let value = serde_json::from_str(member.example).unwrap_or_else(|_| json!(member.example));
            (member.name.to_owned(), value)
        });
        Value::Object(members.collect::<Map<String, Value>>())
    }
}

/// The first difference between an event and the table: an unknown type, another source, a missing or undocumented
/// member. `None` without a difference.
#[must_use]
pub fn difference(event: &Event) -> Option<String> {
    let kind = &event.kind;
    let Some(row) = EMITTED.iter().find(|row| row.has(kind)) else {
        return Some(format!("{kind}: found no row in `EMITTED`"));
    };
    if !row.sources.contains(&event.source.as_str()) {
        return Some(format!("{kind}: found source {}, wanted one of {:?}", event.source, row.sources));
    }
    let data: Map<String, Value> =
        event.data.as_ref().and_then(|data| serde_json::from_str(data.text()).ok()).unwrap_or_default();
    let missing = row.members.iter().find(|member| !member.is_optional && !data.contains_key(member.name));
    if let Some(member) = missing {
        return Some(format!("{kind}: found no member {}", member.name));
    }
    let undocumented = data.keys().find(|name| row.members.iter().all(|member| member.name != **name));
    undocumented.map(|name| format!("{kind}: found member {name}, which `EMITTED` does not list"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::base::outcome::Status;
    use crate::event::producers::{RESERVED_TYPES, is_own_program, own_types};

    #[test]
    fn examples_are_events_of_their_row() {
        for row in &EMITTED {
            for source in row.sources {
                for kind in row.types {
                    let kind = kind.replace("<status>", Status::Failed.name());
                    let event =
                        Event::new(source, &kind, "e-1".into(), Timestamp::UNIX_EPOCH, &row.example());
                    assert_eq!(difference(&event), None);
                    assert_eq!(Event::parse(&event.to_json()).unwrap(), event);
                    let may_publish = own_types(source).iter().any(|own| matches(own, &kind));
                    assert!(may_publish, "{source} may publish {kind}");
                }
            }
            for member in row.members {
                assert!(serde_json::from_str::<Value>(member.example).is_ok(), "{}", member.name);
            }
        }
    }

    #[test]
    fn every_reserved_type_and_every_own_source_has_a_row() {
        let types: BTreeSet<&str> = EMITTED.iter().flat_map(|row| row.types).copied().collect();
        assert!(RESERVED_TYPES.iter().all(|kind| types.contains(kind)));
        for source in EMITTED.iter().flat_map(|row| row.sources) {
            assert!(is_own_program(source), "{source}");
            for own in own_types(source) {
                assert!(types.iter().any(|kind| matches(own, kind)), "{source}: {own}");
            }
        }
    }

    #[test]
    fn undocumented_and_missing_members_are_named() {
        let event = |data| {
            Event::new(
                "carillon/push",
                "carillon.device.unregistered",
                "e-1".into(),
                Timestamp::UNIX_EPOCH,
                &data,
            )
        };
        let extra = difference(&event(json!({ "recipient": "ann", "device": "d", "token": "t" })));
        assert!(extra.unwrap().contains("member token"));
        assert!(difference(&event(json!({ "recipient": "ann" }))).unwrap().contains("no member device"));
    }

    fn matches(pattern: &str, kind: &str) -> bool {
        pattern.strip_suffix('*').map_or(pattern == kind, |prefix| kind.starts_with(prefix))
    }
}
