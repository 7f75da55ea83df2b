//! Digests.

use serde_json::{Value, json};

use super::engine::{at, order, world_with, world_with_people};
use super::world::{LogResult, World};

#[test]
fn events_of_a_window_are_sent_once_when_it_closes() {
    let mut world = collecting(json!({}), json!({}));
    world.order("1");
    world.minutes(4);
    world.order("2");
    world.minutes(5);
    world.order("3");
    assert!(world.sends().is_empty());
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 3 together email"]);
    assert!(world.continuations.is_empty());
}

#[test]
fn event_after_the_window_opens_the_next() {
    let mut world = collecting(json!({}), json!({}));
    world.order("1");
    world.minutes(10);
    world.order("2");
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 1 together email", "12:20 1 together email"]);
}

#[test]
fn redelivered_event_is_collected_once() {
    let mut world = collecting(json!({}), json!({}));
    let event = world.order("1");
    world.deliver(&event);
    world.minutes(30);
    world.deliver(&event);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 1 together email"]);
}

#[test]
fn recipients_and_keys_have_separate_windows() {
    let mut world = collecting(json!({}), json!({ "key": "$.data.board" }));
    for (id, user, board) in [("1", "ann", "x"), ("2", "ann", "y"), ("3", "ben", "x"), ("4", "ann", "x")] {
        let data = json!({ "user": user, "board": board });
        world.deliver(&super::paid(user, json!({ "id": id, "data": data })));
    }
    world.minutes(60);
    let mut sent: Vec<(String, Value)> = world
        .sent()
        .map(|sent| (sent.recipient.clone(), sent.digest.as_ref().unwrap()["total_activities"].clone()))
        .collect();
    sent.sort_by_key(|sent| (sent.0.clone(), sent.1.to_string()));
    assert_eq!(sent, [("ann".into(), json!(1)), ("ann".into(), json!(2)), ("ben".into(), json!(1))]);
}

#[test]
fn flush_first_sends_the_first_event() {
    let mut world = collecting(json!({}), json!({ "policy": { "flush_first": true } }));
    let first = world.order("1");
    world.order("2");
    world.order("3");
    world.deliver(&first);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:00 1 email", "12:10 2 together email"]);
}

#[test]
fn full_window_closes_at_once() {
    let mut world = collecting(json!({}), json!({ "policy": { "max_items": 2 } }));
    world.orders(&["1", "2", "3"]);
    world.minutes(0);
    assert_eq!(world.sends(), ["12:00 2 together email"]);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:00 2 together email", "12:10 1 together email"]);
}

#[test]
fn sliding_window_closes_when_events_stop() {
    let mut world = collecting(json!({}), json!({ "policy": { "sliding": { "max": "PT15M" } } }));
    world.order("1");
    world.minutes(8);
    world.order("2");
    world.minutes(4);
    assert!(world.sends().is_empty());
    world.minutes(60);
    assert_eq!(world.sends(), ["12:15 2 together email"]);
}

#[test]
fn preferences_apply_when_the_window_closes() {
    let ann =
        json!([{ "id": "ann", "email": "ann@example.com", "preferences": { "categories": { "c": false } } }]);
    let mut world = world_with_people(digest(&json!({})), json!({}), ann);
    world.order("1");
    world.minutes(60);
    assert_eq!(world.refusals(), ["12:10 email preference"]);
    assert!(world.sends().is_empty());
}

#[test]
fn critical_rules_and_rooms_do_not_collect() {
    let mut world = collecting(json!({ "priority": "critical" }), json!({}));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 email"]);
    let to = json!([super::room("shop", "$.data.user")]);
    let mut steps = digest(&json!({}));
    steps["steps"][1] = super::send(json!(["socket"]));
    steps["to"] = to;
    let mut world = world_with(steps, json!({}));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 socket"]);
}

#[test]
fn window_without_an_end_does_not_open() {
    let mut world = collecting(json!({}), json!({ "span": "2026-11-20T11:00:00Z" }));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 email"]);
}

#[test]
fn window_that_closes_in_quiet_hours_is_sent_after_them() {
    let quiet = json!({ "quiet": { "quiet": { "start": "22:00", "end": "07:00" } } });
    let mut world = world_with(digest(&json!({})), quiet);
    world.now = at("21:55");
    world.order("1");
    world.minutes(1);
    world.order("2");
    world.until("2026-11-21T06:59:00Z");
    assert!(world.sends().is_empty());
    world.until("2026-11-21T07:10:00Z");
    assert_eq!(world.sends().len(), 1);
}

#[test]
fn throttled_event_is_not_collected() {
    let throttle = json!({ "throttle": { "most": 2, "per": "1h" } });
    let mut rule = digest(&json!({}));
    rule["steps"].as_array_mut().unwrap().insert(0, throttle);
    let mut world = world_with(rule, json!({}));
    world.orders(&["1", "2", "3"]);
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 2 together email"]);
    assert_eq!(world.refusals(), ["12:00 email throttled"]);
}

#[test]
fn throttle_after_a_digest_counts_digests() {
    let mut rule = digest(&json!({}));
    rule["steps"].as_array_mut().unwrap().insert(1, json!({ "throttle": { "most": 1, "per": "1h" } }));
    let mut world = world_with(rule, json!({}));
    world.orders(&["1", "2", "3"]);
    world.minutes(30);
    world.order("4");
    world.minutes(10);
    assert_eq!(world.sends(), ["12:10 3 together email"]);
    assert_eq!(world.refusals(), ["12:40 email throttled"]);
}

#[test]
fn timer_that_fires_twice_sends_once() {
    let mut world = collecting(json!({}), json!({}));
    world.order("1");
    let timers = world.continuations.clone();
    world.minutes(11);
    world.order("2");
    timers.iter().for_each(|(_, text)| world.continuation(text));
    assert_eq!(world.sends(), ["12:10 1 together email"]);
    world.minutes(20);
    assert_eq!(world.sends(), ["12:10 1 together email", "12:21 1 together email"]);
}

#[test]
fn only_one_event_of_a_window_makes_a_timer() {
    let mut world = collecting(json!({}), json!({}));
    world.orders(&["1", "2", "3"]);
    assert_eq!(world.continuations.len(), 1);
    let joined = world.log.iter().filter(|entry| matches!(entry.result, LogResult::Merged));
    assert_eq!(joined.count(), 3);
}

#[test]
fn concurrent_openers_share_one_window() {
    let mut world = collecting(json!({}), json!({}));
    let (one, two) = (order(&world, "1"), order(&world, "2"));
    world.deliver(&two);
    world.deliver(&one);
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 2 together email"]);
}

/// A digest of ten minutes with members set, followed by an e-mail.
fn digest(step: &Value) -> Value {
    let mut digest = json!({ "span": "10m", "policy": {} });
    digest.as_object_mut().unwrap().extend(step.as_object().unwrap().clone());
    json!({ "steps": [{ "digest": digest }, super::send(json!(["email"]))] })
}

fn collecting(others: Value, step: Value) -> World {
    let mut rule = digest(&step);
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    world_with(rule, json!({}))
}
