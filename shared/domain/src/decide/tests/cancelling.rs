//! Cancellation.

use serde_json::{Value, json};

use super::engine::world_with;
use super::world::World;

#[test]
fn later_event_cancels_pending_notifications() {
    let mut world = reminding(json!({}));
    deliver(&mut world, "order.paid", "1", "x");
    world.minutes(30);
    deliver(&mut world, "order.lost", "2", "x");
    world.minutes(60);
    assert!(world.sends().is_empty());
    assert_eq!(world.refusals(), ["13:00 email cancelled"]);
    assert!(world.log.iter().any(|entry| entry.text == "cancels"));
}

#[test]
fn cancellation_needs_the_same_subject_and_tenant_and_a_later_time() {
    let mut world = reminding(json!({}));
    deliver(&mut world, "order.paid", "1", "x");
    deliver(&mut world, "order.lost", "2", "y");
    let data = json!({ "user": "ann", "order": "x" });
    let elsewhere = json!({ "type": "order.lost", "id": "3", "tenant": "north", "time": "2026-11-20T12:30:00Z", "data": data });
    world.deliver(&super::paid("ann", elsewhere));
    let before = json!({ "type": "order.lost", "id": "4", "time": "2026-11-20T11:59:59Z", "data": data });
    world.deliver(&super::paid("ann", before));
    world.minutes(60);
    assert_eq!(world.sends(), ["13:00 1 email"]);
}

#[test]
fn late_event_is_cancelled_too() {
    let mut world = reminding(json!({}));
    world.minutes(10);
    deliver(&mut world, "order.lost", "2", "x");
    let data = json!({ "user": "ann", "order": "x" });
    world.deliver(&super::paid("ann", json!({ "time": "2026-11-20T12:05:00Z", "data": data })));
    assert_eq!(world.refusals(), ["12:10 email cancelled"]);
    assert!(world.continuations.is_empty());
}

#[test]
fn event_cancels_earlier_notifications_but_not_its_own() {
    // A moved appointment cancels the old reminder and starts a new one.
    let moved = json!({ "detail-type": ["order.paid", "order.moved"] });
    let cancel = json!({ "key": ["$.data.order"], "when": { "detail-type": ["order.moved"] } });
    let mut world = reminding(json!({ "when": moved, "cancel": cancel }));
    deliver(&mut world, "order.paid", "1", "x");
    world.minutes(30);
    deliver(&mut world, "order.moved", "2", "x");
    world.minutes(90);
    assert_eq!(world.sends(), ["13:30 2 email"]);
    assert_eq!(world.refusals(), ["13:00 email cancelled"]);
}

#[test]
fn event_with_an_incomplete_key_neither_cancels_nor_is_cancelled() {
    let mut world = reminding(json!({}));
    world.deliver(&super::paid("ann", json!({})));
    world.deliver(&super::paid("ann", json!({ "type": "order.lost", "id": "2" })));
    world.minutes(60);
    assert_eq!(world.sends(), ["13:00 1 email"]);
}

#[test]
fn digest_whose_opener_crashed_and_was_cancelled_closes_for_its_other_events() {
    let digest = json!([{ "digest": { "span": "10m", "policy": {} } }, super::send(json!(["email"]))]);
    let mut world = world_with(cancellable(json!({ "steps": digest })), json!({}));
    deliver(&mut world, "order.paid", "1", "x");
    // The first delivery of the opener crashed after it joined and before it made the timer.
    world.continuations.clear();
    world.minutes(1);
    deliver(&mut world, "order.paid", "2", "y");
    deliver(&mut world, "order.lost", "3", "x");
    let data = json!({ "user": "ann", "order": "x" });
    let opener = json!({ "type": "order.paid", "id": "1", "time": "2026-11-20T12:00:00Z", "data": data });
    world.deliver(&super::paid("ann", opener));
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 1 together email"]);
}

#[test]
fn digest_omits_cancelled_events() {
    let digest = json!({ "digest": { "span": "10m", "policy": {} } });
    let mut world = reminding(json!({ "steps": [digest, super::send(json!(["email"]))] }));
    deliver(&mut world, "order.paid", "1", "x");
    deliver(&mut world, "order.paid", "2", "y");
    deliver(&mut world, "order.lost", "3", "x");
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 1 together email"]);
    // A digest without remaining events is not sent.
    deliver(&mut world, "order.paid", "4", "z");
    deliver(&mut world, "order.lost", "5", "z");
    world.minutes(30);
    assert_eq!(world.sends().len(), 1);
}

#[test]
fn deferred_notification_can_be_cancelled() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = world_with(cancellable(json!({ "steps": [super::send(json!(["email"]))] })), quiet);
    deliver(&mut world, "order.paid", "1", "x");
    deliver(&mut world, "order.lost", "2", "x");
    world.minutes(90);
    assert!(world.sends().is_empty());
}

#[test]
fn critical_notification_can_be_cancelled() {
    let steps =
        json!([super::send(json!(["email"])), { "wait": { "for": "PT1H" } }, super::send(json!(["sms"]))]);
    let mut world = reminding(json!({ "steps": steps, "priority": "critical" }));
    deliver(&mut world, "order.paid", "1", "x");
    deliver(&mut world, "order.lost", "2", "x");
    world.minutes(90);
    assert_eq!(world.sends(), ["12:00 1 email"]);
}

fn deliver(world: &mut World, kind: &str, id: &str, order: &str) {
    let data = json!({ "user": "ann", "order": order });
    let event = json!({ "type": kind, "id": id, "time": world.now.to_string(), "data": data });
    world.deliver(&super::paid("ann", event));
}

/// An e-mail one hour after an order was paid, unless the order is lost before.
fn reminding(others: Value) -> World {
    let steps = json!([{ "wait": { "for": "PT1H" } }, super::send(json!(["email"]))]);
    let mut rule = cancellable(json!({ "steps": steps }));
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    world_with(rule, json!({}))
}

fn cancellable(mut rule: Value) -> Value {
    rule["cancel"] = json!({ "key": ["$.data.order"], "when": { "detail-type": ["order.lost"] } });
    rule
}
