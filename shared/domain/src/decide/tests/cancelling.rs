//! Taking back what has not been sent yet.

use serde_json::{Value, json};

use super::engine::stage;
use super::world::World;

#[test]
fn what_waits_is_taken_back_by_a_later_event_about_the_same_thing() {
    let mut world = reminding(json!({}));
    tell(&mut world, "order.paid", "1", "x");
    world.minutes(30);
    tell(&mut world, "order.lost", "2", "x");
    world.minutes(60);
    assert!(world.sends().is_empty());
    assert_eq!(world.refusals(), ["13:00 email cancelled"]);
    assert!(world.log.iter().any(|it| it.text == "cancels"));
}

#[test]
fn another_thing_another_tenant_and_an_earlier_event_take_nothing_back() {
    let mut world = reminding(json!({}));
    tell(&mut world, "order.paid", "1", "x");
    tell(&mut world, "order.lost", "2", "y");
    let data = json!({ "user": "ann", "order": "x" });
    let elsewhere = json!({ "type": "order.lost", "id": "3", "tenant": "north", "time": "2026-11-20T12:30:00Z", "data": data });
    world.deliver(&super::paid("ann", elsewhere));
    let before = json!({ "type": "order.lost", "id": "4", "time": "2026-11-20T11:59:59Z", "data": data });
    world.deliver(&super::paid("ann", before));
    world.minutes(60);
    assert_eq!(world.sends(), ["13:00 1 email"]);
}

#[test]
fn what_happened_before_it_was_taken_back_is_not_told_if_it_comes_late() {
    let mut world = reminding(json!({}));
    world.minutes(10);
    tell(&mut world, "order.lost", "2", "x");
    let data = json!({ "user": "ann", "order": "x" });
    world.deliver(&super::paid("ann", json!({ "time": "2026-11-20T12:05:00Z", "data": data })));
    assert_eq!(world.refusals(), ["12:10 email cancelled"]);
    assert!(world.wakes.is_empty());
}

#[test]
fn an_event_that_takes_back_the_earlier_ones_and_is_told_itself_stands() {
    // An appointment that is moved: the old reminder goes, the new one comes.
    let moved = json!({ "detail-type": ["order.paid", "order.moved"] });
    let cancel = json!({ "key": ["$.data.order"], "when": { "detail-type": ["order.moved"] } });
    let mut world = reminding(json!({ "when": moved, "cancel": cancel }));
    tell(&mut world, "order.paid", "1", "x");
    world.minutes(30);
    tell(&mut world, "order.moved", "2", "x");
    world.minutes(90);
    assert_eq!(world.sends(), ["13:30 2 email"]);
    assert_eq!(world.refusals(), ["13:00 email cancelled"]);
}

#[test]
fn an_event_without_all_of_the_key_can_neither_take_back_nor_be_taken_back() {
    let mut world = reminding(json!({}));
    world.deliver(&super::paid("ann", json!({})));
    world.deliver(&super::paid("ann", json!({ "type": "order.lost", "id": "2" })));
    world.minutes(60);
    assert_eq!(world.sends(), ["13:00 1 email"]);
}

#[test]
fn what_a_window_collected_is_told_without_what_was_taken_back() {
    let digest = json!({ "digest": { "span": "10m", "policy": {} } });
    let mut world = reminding(json!({ "steps": [digest, super::send(json!(["email"]))] }));
    tell(&mut world, "order.paid", "1", "x");
    tell(&mut world, "order.paid", "2", "y");
    tell(&mut world, "order.lost", "3", "x");
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 1 together email"]);
    // And nothing at all where all of it was.
    tell(&mut world, "order.paid", "4", "z");
    tell(&mut world, "order.lost", "5", "z");
    world.minutes(30);
    assert_eq!(world.sends().len(), 1);
}

#[test]
fn what_waits_for_the_morning_is_taken_back_too() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = stage(cancellable(json!({ "steps": [super::send(json!(["email"]))] })), quiet);
    tell(&mut world, "order.paid", "1", "x");
    tell(&mut world, "order.lost", "2", "x");
    world.minutes(90);
    assert!(world.sends().is_empty());
}

#[test]
fn an_emergency_can_be_taken_back() {
    let steps =
        json!([super::send(json!(["email"])), { "wait": { "for": "PT1H" } }, super::send(json!(["sms"]))]);
    let mut world = reminding(json!({ "steps": steps, "priority": "critical" }));
    tell(&mut world, "order.paid", "1", "x");
    tell(&mut world, "order.lost", "2", "x");
    world.minutes(90);
    assert_eq!(world.sends(), ["12:00 1 email"]);
}

fn tell(world: &mut World, kind: &str, id: &str, order: &str) {
    let data = json!({ "user": "ann", "order": order });
    let event = json!({ "type": kind, "id": id, "time": world.now.to_string(), "data": data });
    world.deliver(&super::paid("ann", event));
}

/// An email an hour after an order was paid, unless the order is lost before.
fn reminding(others: Value) -> World {
    let steps = json!([{ "wait": { "for": "PT1H" } }, super::send(json!(["email"]))]);
    let mut rule = cancellable(json!({ "steps": steps }));
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    stage(rule, json!({}))
}

fn cancellable(mut rule: Value) -> Value {
    rule["cancel"] = json!({ "key": ["$.data.order"], "when": { "detail-type": ["order.lost"] } });
    rule
}
