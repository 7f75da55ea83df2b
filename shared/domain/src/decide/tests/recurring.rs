//! Recurring rules.

use serde_json::{Value, json};

use super::engine::{world_with, world_with_people};
use super::world::World;

#[test]
fn rule_repeats_the_configured_number_of_times() {
    let mut world = repeating(json!({ "times": 3 }), json!({}));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:00 1 email", "21. 08:00 1 email", "22. 08:00 1 email"]);
    assert!(world.continuations.is_empty());
}

#[test]
fn repetition_uses_the_recipients_zone() {
    let ann = json!([{ "id": "ann", "email": "ann@example.com", "zone": "America/New_York" }]);
    let repeat = json!({ "repeat": { "every": { "every": "daily", "at": "08:00" }, "times": 2 } });
    let mut world = world_with_people(repeat, json!({}), ann);
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:00 1 email", "13:00 1 email"]);
}

#[test]
fn repetition_ends_at_the_time_in_the_event() {
    let mut world = repeating(json!({ "until": "$.data.until" }), json!({}));
    let data = json!({ "user": "ann", "until": "2026-11-22T08:00:00Z" });
    world.deliver(&super::paid("ann", json!({ "data": data })));
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 3);
}

#[test]
fn repetition_ends_at_the_expiry() {
    let mut world = repeating(json!({}), json!({ "expires": "PT36H" }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 2);
}

#[test]
fn repetition_ends_when_cancelled() {
    let cancel = json!({ "key": ["$.data.user"], "when": { "detail-type": ["order.lost"] } });
    let mut world = repeating(json!({}), json!({ "cancel": cancel }));
    world.order("1");
    world.until("2026-11-22T12:00:00Z");
    let lost = json!({ "id": "2", "type": "order.lost", "time": "2026-11-22T12:00:00Z" });
    world.deliver(&super::paid("ann", lost));
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 3);
    assert!(world.continuations.is_empty());
}

#[test]
fn each_occurrence_is_sent_once() {
    let mut world = repeating(json!({ "times": 4 }), json!({}));
    let event = world.order("1");
    world.minutes(5);
    world.deliver(&event);
    for _ in 0..4 {
        let continuations = world.continuations.clone();
        world.minutes(24 * 60);
        continuations.iter().for_each(|(_, text)| world.continuation(text));
    }
    world.minutes(5 * 24 * 60);
    assert_eq!(world.sends().len(), 4);
}

#[test]
fn each_occurrence_runs_all_steps_and_schedules_one_next() {
    let steps =
        json!([super::send(json!(["email"])), { "wait": { "for": "PT1H" } }, super::send(json!(["sms"]))]);
    let mut world = repeating(json!({ "times": 2 }), json!({ "steps": steps }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:00 1 email", "13:00 1 sms", "21. 08:00 1 email", "21. 09:00 1 sms"]);
}

#[test]
fn wait_that_ends_at_the_next_occurrence_is_distinct() {
    let steps = json!([{ "wait": { "for": "PT20H" } }, super::send(json!(["email"]))]);
    let mut world = repeating(json!({ "times": 2 }), json!({ "steps": steps }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["21. 08:00 1 email", "22. 04:00 1 email"]);
}

#[test]
fn each_occurrence_is_collected() {
    let steps = json!([{ "digest": { "span": "10m", "policy": {} } }, super::send(json!(["email"]))]);
    let mut world = repeating(json!({ "times": 2 }), json!({ "steps": steps }));
    world.order("1");
    world.order("2");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends(), ["12:10 2 together email", "21. 08:10 2 together email"]);
    assert!(world.continuations.is_empty());
}

#[test]
fn occurrence_deferred_by_quiet_hours_does_not_delay_the_next() {
    let quiet = json!({ "quiet": { "quiet": { "start": "07:00", "end": "09:00" } } });
    let repeat = json!({ "repeat": { "every": { "every": "daily", "at": "08:00" }, "times": 3 } });
    let mut world = world_with(repeat, quiet);
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    let days: Vec<String> = world.sends().iter().map(|send| send[..6].to_owned()).collect();
    assert_eq!(days, ["12:00 ", "21. 09", "22. 09"]);
}

/// An e-mail at once, and every morning at eight.
fn repeating(others: Value, rule: Value) -> World {
    let mut repeat = json!({ "every": { "every": "daily", "at": "08:00" } });
    repeat.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    let mut all = json!({ "repeat": repeat });
    all.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    world_with(all, json!({}))
}
