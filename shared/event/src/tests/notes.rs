//! Invalid optional attributes: the event is accepted, and a note reports each of them.

use super::{Event, accepted};

#[test]
fn invalid_third_party_attribute_does_not_refuse_the_event() {
    for (name, json) in [
        ("sequence", r#""a-0001""#),
        ("sequence", r#""0""#),
        ("priority", r#""p1""#),
        ("priority", "5"),
        ("mood", r#""""#),
        ("dataref", r#""https://example.com/1""#),
        ("traceparent", r#""none""#),
        ("subject", r#""""#),
        ("correlationid", r#""""#),
        ("severity", "3.5"),
        ("labels", r#"{"team":"a"}"#),
    ] {
        accepted(name, json);
    }
}

#[test]
fn note_quotes_no_value() {
    let event = accepted("priority", r#""secret-value""#);
    let note = event.notes().next().map(|(_, why)| why.to_string()).unwrap();
    assert_eq!(note, "priority: found a text of 12 characters, wanted low, normal, high or critical");
    assert!(!format!("{event:?}").contains("secret-value"));
}

#[test]
fn value_set_later_replaces_an_invalid_one() {
    let mut event = accepted("priority", r#""p1""#);
    event.priority = Some(crate::Priority::High);
    assert_eq!(event.to_json().matches("priority").count(), 1);
    assert_eq!(Event::parse(&event.to_json()).unwrap().priority, event.priority);
}
