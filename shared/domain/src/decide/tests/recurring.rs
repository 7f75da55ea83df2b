//! What comes round.

use serde_json::{Value, json};

use super::engine::{stage, staged};
use super::world::World;

#[test]
fn a_rule_comes_round_as_often_as_it_says_the_first_time_included() {
    let mut world = repeating(json!({ "times": 3 }), json!({}));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:00 1 email", "21. 08:00 1 email", "22. 08:00 1 email"]);
    assert!(world.wakes.is_empty());
}

#[test]
fn it_comes_round_by_the_recipients_own_clock() {
    let ann = json!([{ "id": "ann", "email": "ann@example.com", "zone": "America/New_York" }]);
    let repeat = json!({ "repeat": { "every": { "every": "daily", "at": "08:00" }, "times": 2 } });
    let mut world = staged(repeat, json!({}), ann);
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:00 1 email", "13:00 1 email"]);
}

#[test]
fn it_ends_with_the_instant_that_the_event_names() {
    let mut world = repeating(json!({ "until": "$.data.until" }), json!({}));
    let data = json!({ "user": "ann", "until": "2026-11-22T08:00:00Z" });
    world.deliver(&super::paid("ann", json!({ "data": data })));
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 3);
}

#[test]
fn it_ends_when_it_expires() {
    let mut world = repeating(json!({}), json!({ "expires": "PT36H" }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 2);
}

#[test]
fn it_ends_when_it_is_taken_back() {
    let cancel = json!({ "key": ["$.data.user"], "when": { "detail-type": ["order.lost"] } });
    let mut world = repeating(json!({}), json!({ "cancel": cancel }));
    world.order("1");
    world.until("2026-11-22T12:00:00Z");
    let lost = json!({ "id": "2", "type": "order.lost", "time": "2026-11-22T12:00:00Z" });
    world.deliver(&super::paid("ann", lost));
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 3);
    assert!(world.wakes.is_empty());
}

#[test]
fn each_time_is_a_message_of_its_own_and_comes_once() {
    let mut world = repeating(json!({ "times": 4 }), json!({}));
    let event = world.order("1");
    world.minutes(5);
    world.deliver(&event);
    for _ in 0..4 {
        let wakes = world.wakes.clone();
        world.minutes(24 * 60);
        wakes.iter().for_each(|(_, text)| world.wake(text));
    }
    world.minutes(5 * 24 * 60);
    assert_eq!(world.sends().len(), 4);
}

#[test]
fn the_steps_of_each_time_are_gone_through_and_only_the_first_makes_the_next() {
    let steps =
        json!([super::send(json!(["email"])), { "wait": { "for": "PT1H" } }, super::send(json!(["sms"]))]);
    let mut world = repeating(json!({ "times": 2 }), json!({ "steps": steps }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:00 1 email", "13:00 1 sms", "21. 08:00 1 email", "21. 09:00 1 sms"]);
}

#[test]
fn a_wait_that_ends_when_the_rule_comes_round_is_not_mistaken_for_it() {
    let steps = json!([{ "wait": { "for": "PT20H" } }, super::send(json!(["email"]))]);
    let mut world = repeating(json!({ "times": 2 }), json!({ "steps": steps }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["21. 08:00 1 email", "22. 04:00 1 email"]);
}

#[test]
fn what_is_collected_is_collected_each_time() {
    let steps = json!([{ "digest": { "span": "10m", "policy": {} } }, super::send(json!(["email"]))]);
    let mut world = repeating(json!({ "times": 2 }), json!({ "steps": steps }));
    world.order("1");
    world.order("2");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:10 2 together email", "21. 08:10 2 together email"]);
    assert!(world.wakes.is_empty());
}

#[test]
fn a_time_that_falls_into_the_night_is_held_back_and_the_next_is_not_put_off() {
    let quiet = json!({ "quiet": { "quiet": { "start": "07:00", "end": "09:00" } } });
    let repeat = json!({ "repeat": { "every": { "every": "daily", "at": "08:00" }, "times": 3 } });
    let mut world = stage(repeat, quiet);
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    let days: Vec<String> = world.sends().iter().map(|send| send[..6].to_owned()).collect();
    assert_eq!(days, ["12:00 ", "21. 09", "22. 09"]);
}

/// An email at once, and every morning at eight.
fn repeating(others: Value, rule: Value) -> World {
    let mut repeat = json!({ "every": { "every": "daily", "at": "08:00" } });
    repeat.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    let mut all = json!({ "repeat": repeat });
    all.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    stage(all, json!({}))
}
