//! Tests of aliases, and of tenants in payloads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{bus, producers};
use crate::event::Event;
use crate::event::bus::BusEvent;
use crate::event::key::Key;
use crate::event::producers::{Aliases, Producers};

#[test]
fn alias_changes_the_type() {
    let producers = Producers::default().with_aliases(aliases(&[("TaskCreatedEvent", "task.created")]));
    let event = read(&producers, "tasks", "TaskCreatedEvent", json!({ "taskId": "t-1" })).unwrap();
    assert_eq!((event.kind.as_str(), event.original_name()), ("task.created", Some("TaskCreatedEvent")));
    assert_eq!(event.document()["detail"]["eventname"], "TaskCreatedEvent");
    assert_eq!(event.document()["detail-type"], "task.created");
    for (wanted, expected) in [
        ("task.created", true),
        ("TaskCreatedEvent", true),
        ("Task*", true),
        ("task.*", true),
        ("Task", false),
    ] {
        assert_eq!(event.is_called(wanted), expected, "{wanted}");
    }
    let other = read(&producers, "tasks", "TaskDeletedEvent", json!({})).unwrap();
    assert_eq!((other.kind.as_str(), other.original_name()), ("TaskDeletedEvent", None));
}

#[test]
fn alias_does_not_change_notification_keys() {
    let producers = Producers::default().with_aliases(aliases(&[("A", "b")]));
    let [plain, aliased] = [&Producers::default(), &producers]
        .map(|producers| read(producers, "tasks", "A", json!({})).unwrap());
    let key = |event: &Event| Key::of(event, "rule", "ann", None, 0, "");
    assert_eq!(key(&plain), key(&aliased));
}

#[test]
fn producer_types_are_checked_after_aliases() {
    let entries = json!([{ "source": "tasks", "tenants": "all", "types": ["task.*"] }]);
    let producers = producers(entries)
        .with_aliases(aliases(&[("TaskCreatedEvent", "task.created"), ("X", "order.paid")]));
    assert!(read(&producers, "tasks", "TaskCreatedEvent", json!({})).is_ok());
    assert_eq!(read(&producers, "tasks", "X", json!({})).unwrap_err(), "producer_not_allowed");
}

#[test]
fn reserved_types_have_no_aliases() {
    let names = [("Evil", "carillon.recipient.updated"), ("communication.sent", "order.paid")];
    let producers = Producers::default().with_aliases(aliases(&names));
    assert_eq!(read(&producers, "tasks", "Evil", json!({})).unwrap().kind, "Evil");
    assert_eq!(
        read(&producers, "tasks", "communication.sent", json!({})).unwrap_err(),
        "producer_not_allowed"
    );
}

#[test]
fn identity_is_checked_before_the_alias() {
    let producers = Producers::default().with_aliases(aliases(&[("TaskCreatedEvent", "task.created")]));
    let cloud = |kind: &str| json!({ "specversion": "1.0", "id": "1", "source": "tasks", "type": kind });
    assert_eq!(
        read(&producers, "tasks", "TaskCreatedEvent", cloud("task.created")).unwrap_err(),
        "identity_mismatch"
    );
    assert!(read(&producers, "tasks", "TaskCreatedEvent", cloud("TaskCreatedEvent")).is_ok());
}

#[test]
fn tenant_is_read_from_the_payload_if_the_envelope_has_none() {
    let producers = with_tenant("$.data.clinicId | $.data.workspaceId", json!(["c-1", "w-1"]));
    let tenant =
        |detail: Value| read(&producers, "hub", "t", detail).map(|event| event.tenant.unwrap_or_default());
    assert_eq!(tenant(json!({ "clinicId": "c-1" })).as_deref(), Ok("c-1"));
    assert_eq!(tenant(json!({ "workspaceId": "w-1" })).as_deref(), Ok("w-1"));
    assert_eq!(tenant(json!({ "clinicId": ["c-1", "c-1"] })).as_deref(), Ok("c-1"));
    // The envelope's own tenant takes precedence, and the entry's list limits both.
    let envelope = |tenant: &str| json!({ "specversion": "1.0", "id": "1", "source": "hub", "type": "t", "tenant": tenant, "data": { "clinicId": "c-1" } });
    assert_eq!(tenant(envelope("w-1")).as_deref(), Ok("w-1"));
    assert_eq!(tenant(envelope("c-9")), Err("producer_not_allowed"));
    for detail in [json!({ "clinicId": "c-9" }), json!({}), json!({ "clinicId": ["c-1", "w-1"] })] {
        assert_eq!(tenant(detail), Err("producer_not_allowed"));
    }
    assert_eq!(tenant(json!({ "clinicId": "*" })), Err("refused"), "no event is of all tenants");
}

#[test]
fn number_is_a_valid_tenant() {
    let event = read(&with_tenant("$.data.clinicId", json!(["7"])), "hub", "t", json!({ "clinicId": 7 }));
    assert_eq!(event.unwrap().tenant.as_deref(), Some("7"));
}

#[test]
fn outbox_entry_keeps_its_tenant() {
    let producers = with_tenant("$.data.clinicId", json!("all"));
    let producers: Producers = serde_json::from_value(
        json!({ "entries": serde_json::to_value(&producers).unwrap(), "aliases": { "t": "u" } }),
    )
    .unwrap();
    let text = bus("hub", "t", &json!({ "clinicId": "c-1" }));
    let marked = text.replace(r#""resources":[]"#, r#""resources":["carillon:outbox"]"#);
    let read = |text: &str| BusEvent::parse(text).unwrap().event(&producers).unwrap();
    assert_eq!((read(&text).tenant.as_deref(), read(&marked).tenant.as_deref()), (Some("c-1"), None));
    assert_eq!((read(&text).kind, read(&marked).kind), ("u".to_owned(), "u".to_owned()));
}

#[test]
fn producers_are_a_list_unless_there_are_aliases() {
    let list = with_tenant("$.data.a | $.data.b", json!("none"));
    let written = serde_json::to_value(&list).unwrap();
    assert!(written.is_array(), "the last release reads it: {written}");
    assert_eq!(serde_json::from_value::<Producers>(written).unwrap(), list);
    for producers in [list, Producers::default()] {
        let aliased = producers.with_aliases(aliases(&[("A", "b")]));
        let written = serde_json::to_string(&aliased).unwrap();
        assert_eq!(serde_json::from_str::<Producers>(&written).unwrap(), aliased, "{written}");
        assert!(!aliased.is_empty());
    }
    assert_eq!(serde_json::from_str::<Producers>("null").unwrap(), Producers::default());
    assert!(serde_json::from_str::<Producers>("7").is_err());
}

fn with_tenant(path: &str, tenants: Value) -> Producers {
    let tenants = if tenants.is_array() { json!({ "listed": tenants }) } else { tenants };
    producers(json!([{ "source": "hub", "tenants": tenants, "tenant": path }]))
}

fn aliases(names: &[(&str, &str)]) -> Aliases {
    let names = names.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()));
    Aliases::new(names.collect::<BTreeMap<_, _>>())
}

#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn read(producers: &Producers, source: &str, kind: &str, detail: Value) -> Result<Event, &'static str> {
    let text = bus(source, kind, &detail);
    BusEvent::parse(&text).unwrap().event(producers).map_err(|refusal| refusal.class.name())
}
