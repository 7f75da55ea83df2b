//! Many events as one message.

use serde_json::{Value, json};

use super::engine::{at, order, stage, staged};
use super::world::{What, World};

#[test]
fn what_comes_within_a_window_is_told_once_when_it_closes() {
    let mut world = collecting(json!({}), json!({}));
    world.order("1");
    world.minutes(4);
    world.order("2");
    world.minutes(5);
    world.order("3");
    assert!(world.sends().is_empty());
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 3 together email"]);
    assert!(world.wakes.is_empty());
}

#[test]
fn what_comes_after_a_window_opens_the_next() {
    let mut world = collecting(json!({}), json!({}));
    world.order("1");
    world.minutes(10);
    world.order("2");
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 1 together email", "12:20 1 together email"]);
}

#[test]
fn an_event_that_comes_again_is_in_one_window_only_once() {
    let mut world = collecting(json!({}), json!({}));
    let event = world.order("1");
    world.deliver(&event);
    world.minutes(30);
    world.deliver(&event);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 1 together email"]);
}

#[test]
fn people_and_keys_have_windows_of_their_own() {
    let mut world = collecting(json!({}), json!({ "key": "$.data.board" }));
    for (id, user, board) in [("1", "ann", "x"), ("2", "ann", "y"), ("3", "ben", "x"), ("4", "ann", "x")] {
        let data = json!({ "user": user, "board": board });
        world.deliver(&super::paid(user, json!({ "id": id, "data": data })));
    }
    world.minutes(60);
    let mut told: Vec<(String, Value)> = world
        .sent()
        .map(|sent| (sent.recipient.clone(), sent.digest.as_ref().unwrap()["total_activities"].clone()))
        .collect();
    told.sort_by_key(|it| (it.0.clone(), it.1.to_string()));
    assert_eq!(told, [("ann".into(), json!(1)), ("ann".into(), json!(2)), ("ben".into(), json!(1))]);
}

#[test]
fn the_first_may_go_straight_through() {
    let mut world = collecting(json!({}), json!({ "policy": { "flush_first": true } }));
    let first = world.order("1");
    world.order("2");
    world.order("3");
    world.deliver(&first);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:00 1 email", "12:10 2 together email"]);
}

#[test]
fn a_full_window_closes_at_once() {
    let mut world = collecting(json!({}), json!({ "policy": { "max_items": 2 } }));
    world.orders(&["1", "2", "3"]);
    world.minutes(0);
    assert_eq!(world.sends(), ["12:00 2 together email"]);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:00 2 together email", "12:10 1 together email"]);
}

#[test]
fn a_window_that_slides_closes_when_it_has_stopped() {
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
fn preferences_are_asked_when_the_window_closes() {
    let ann =
        json!([{ "id": "ann", "email": "ann@example.com", "preferences": { "categories": { "c": false } } }]);
    let mut world = staged(digest(&json!({})), json!({}), ann);
    world.order("1");
    world.minutes(60);
    assert_eq!(world.refusals(), ["12:10 email preference"]);
    assert!(world.sends().is_empty());
}

#[test]
fn an_emergency_and_a_room_do_not_collect() {
    let mut world = collecting(json!({ "priority": "critical" }), json!({}));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 email"]);
    let to = json!([super::room("shop", "$.data.user")]);
    let mut steps = digest(&json!({}));
    steps["steps"][1] = super::send(json!(["socket"]));
    steps["to"] = to;
    let mut world = stage(steps, json!({}));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 socket"]);
}

#[test]
fn a_window_that_cannot_have_an_end_is_none() {
    let mut world = collecting(json!({}), json!({ "span": "2026-11-20T11:00:00Z" }));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 email"]);
}

#[test]
fn a_window_that_closes_at_night_is_told_in_the_morning() {
    let quiet = json!({ "quiet": { "quiet": { "start": "22:00", "end": "07:00" } } });
    let mut world = stage(digest(&json!({})), quiet);
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
fn what_a_throttle_holds_back_is_not_collected() {
    let throttle = json!({ "throttle": { "most": 2, "per": "1h" } });
    let mut rule = digest(&json!({}));
    rule["steps"].as_array_mut().unwrap().insert(0, throttle);
    let mut world = stage(rule, json!({}));
    world.orders(&["1", "2", "3"]);
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 2 together email"]);
    assert_eq!(world.refusals(), ["12:00 email throttled"]);
}

#[test]
fn a_throttle_after_a_digest_counts_what_is_told_and_not_what_is_collected() {
    let mut rule = digest(&json!({}));
    rule["steps"].as_array_mut().unwrap().insert(1, json!({ "throttle": { "most": 1, "per": "1h" } }));
    let mut world = stage(rule, json!({}));
    world.orders(&["1", "2", "3"]);
    world.minutes(30);
    world.order("4");
    world.minutes(10);
    assert_eq!(world.sends(), ["12:10 3 together email"]);
    assert_eq!(world.refusals(), ["12:40 email throttled"]);
}

#[test]
fn a_timer_that_fires_twice_tells_nothing_twice() {
    let mut world = collecting(json!({}), json!({}));
    world.order("1");
    let timers = world.wakes.clone();
    world.minutes(11);
    world.order("2");
    timers.iter().for_each(|(_, text)| world.wake(text));
    assert_eq!(world.sends(), ["12:10 1 together email"]);
    world.minutes(20);
    assert_eq!(world.sends(), ["12:10 1 together email", "12:21 1 together email"]);
}

#[test]
fn only_one_of_a_window_sees_to_it_that_it_closes() {
    let mut world = collecting(json!({}), json!({}));
    world.orders(&["1", "2", "3"]);
    assert_eq!(world.wakes.len(), 1);
    let joined = world.log.iter().filter(|it| matches!(it.what, What::Merged));
    assert_eq!(joined.count(), 3);
}

#[test]
fn two_who_open_a_window_at_once_are_in_it_together() {
    let mut world = collecting(json!({}), json!({}));
    let (one, two) = (order(&world, "1"), order(&world, "2"));
    world.deliver(&two);
    world.deliver(&one);
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 2 together email"]);
}

/// A digest of ten minutes with members set, and then an email.
fn digest(step: &Value) -> Value {
    let mut digest = json!({ "span": "10m", "policy": {} });
    digest.as_object_mut().unwrap().extend(step.as_object().unwrap().clone());
    json!({ "steps": [{ "digest": digest }, super::send(json!(["email"]))] })
}

fn collecting(others: Value, step: Value) -> World {
    let mut rule = digest(&step);
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    stage(rule, json!({}))
}
