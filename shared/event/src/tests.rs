//! Parsing and refusal of events. Attributes, extensions, limits and serialization have a file each.

mod attributes;
mod extensions;
mod limits;
mod notes;
mod properties;
mod written;

use jiff::Timestamp;

use super::{Event, Fields, Refusal};

/// A minimal event with one member set to a JSON text.
fn with(name: &str, json: &str) -> String {
    let mut members: Vec<(&str, &str)> = SMALLEST.to_vec();
    members.retain(|(member, _)| *member != name);
    members.push((name, json));
    object(&members)
}

/// A minimal event without one of its members.
fn without(name: &str) -> String {
    let mut members: Vec<(&str, &str)> = SMALLEST.to_vec();
    members.retain(|(member, _)| *member != name);
    object(&members)
}

const SMALLEST: [(&str, &str); 5] = [
    ("specversion", r#""1.0""#),
    ("id", r#""1""#),
    ("source", r#""/shop""#),
    ("type", r#""order.paid""#),
    ("time", r#""2026-11-20T12:00:00Z""#),
];

fn object(members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, json)| format!("{name:?}:{json}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A JSON string of this many characters.
fn long(length: usize) -> String {
    format!("{:?}", "x".repeat(length))
}

#[track_caller]
fn accepted(name: &str, json: &str) -> Event {
    Event::parse(&with(name, json)).unwrap_or_else(|refusal| panic!("{name}: {json}: {refusal}"))
}

/// `found` is the complete found value of the refusal.
#[track_caller]
fn refused(name: &str, json: &str, found: &str) {
    refused_as(name, name, json, found);
}

/// The same check for a refusal that does not show the name.
#[track_caller]
fn refused_as(attribute: &str, name: &str, json: &str, found: &str) {
    check_refusal(&with(name, json), attribute, found);
}

#[track_caller]
fn check_refusal(text: &str, attribute: &str, found: &str) {
    let refusal = Event::parse(text).expect_err(text);
    assert_eq!((refusal.attribute.as_str(), refusal.found.as_str()), (attribute, found), "{text}");
    assert!(!refusal.wanted.is_empty(), "{text}");
}

/// The event is accepted and the value counts as absent. The value is passed on, and a note gives the reason.
#[track_caller]
fn unusable(name: &str, json: &str, found: &str) {
    let event = accepted(name, json);
    let notes: Vec<(&str, &str)> = event.notes().map(|(name, why)| (name, why.found.as_str())).collect();
    assert_eq!(notes, [(name, found)], "{name}: {json}");
    let written: serde_json::Value = serde_json::from_str(&event.to_json()).unwrap();
    assert_eq!(written[name], serde_json::from_str::<serde_json::Value>(json).unwrap(), "{name}: {json}");
    assert_eq!(Event::parse(&event.to_json()).unwrap(), event, "every reader gets the note");
}

/// The description of a JSON string in a refusal: its length.
fn told(json: &str) -> String {
    let text: String = serde_json::from_str(json).unwrap();
    match text.chars().count() {
        0 => "an empty text".to_owned(),
        1 => "a text of 1 character".to_owned(),
        length => format!("a text of {length} characters"),
    }
}

fn import(text: &str) -> Result<Event, Refusal> {
    Event::import(&Fields::of(text)?, received())
}

/// The time at which EventBridge received the event.
fn received() -> Timestamp {
    "2026-11-20T12:34:56Z".parse().unwrap()
}
