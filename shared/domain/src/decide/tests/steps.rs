//! Sends and waits, one after the other.

use serde_json::{Value, json};

use super::engine::{at, order, stage};
use crate::wake::Start;

#[test]
fn a_step_after_a_wait_comes_when_the_wait_is_over_and_not_before() {
    let mut world = stage(email_wait_sms(&json!({ "for": "PT30M" })), json!({}));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 email"]);
    world.minutes(29);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    world.minutes(1);
    assert_eq!(world.sends(), ["12:00 1 email", "12:30 1 sms"]);
}

#[test]
fn a_wait_ends_at_an_instant_or_where_the_event_says() {
    check_wait(json!({ "until": "2026-11-20T15:00:00Z" }), "15:00");
    check_wait(json!({ "event": { "path": "$.data.at", "shift": "PT0S" } }), "18:00");
    check_wait(json!({ "event": { "path": "$.data.at", "shift": "-PT2H" } }), "16:00");
    check_wait(json!({ "event": { "path": "$.data.in", "shift": "PT5M" } }), "12:50");
}

#[test]
fn a_time_that_is_over_is_not_waited_for() {
    check_wait(json!({ "until": "2026-11-20T12:00:00Z" }), "12:00");
    check_wait(json!({ "event": { "path": "$.data.at", "shift": "-PT6H" } }), "12:00");
}

#[test]
fn what_wakes_is_decided_anew() {
    let mut world = stage(email_wait_sms(&json!({ "for": "PT30M" })), json!({}));
    world.order("1");
    let mut setting = super::engine::setting(
        &[super::rule("paid", email_wait_sms(&json!({ "for": "PT30M" })))],
        &json!({}),
        &json!([{ "id": "ann", "suppressed": [{ "channel": "sms", "why": "opted_out" }], "phone": "+4915112345678" }]),
        &json!({}),
    );
    std::mem::swap(std::rc::Rc::get_mut(&mut world.setting).unwrap(), &mut setting);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    assert_eq!(world.refusals(), ["12:30 sms opted_out"]);
}

#[test]
fn what_would_come_too_late_is_not_waited_for_and_takes_nothing_of_what_was_sent_before() {
    let mut late = email_wait_sms(&json!({ "for": "PT30M" }));
    late["expires"] = json!("PT20M");
    let mut world = stage(late, json!({}));
    world.order("1");
    world.minutes(60);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    assert_eq!(world.refusals(), ["12:00 sms expired"]);
}

#[test]
fn a_wake_that_comes_too_late_tells_nothing() {
    let mut late = email_wait_sms(&json!({ "for": "PT30M" }));
    late["expires"] = json!("PT1H");
    let mut world = stage(late, json!({}));
    world.order("1");
    world.now = at("13:01");
    world.minutes(1);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    assert_eq!(world.refusals(), ["13:01 sms expired"]);
}

#[test]
fn an_event_or_a_wake_that_comes_again_sends_nothing_again() {
    let mut world = stage(email_wait_sms(&json!({ "for": "PT30M" })), json!({}));
    let event = world.order("1");
    let wakes = world.wakes.clone();
    world.minutes(10);
    world.deliver(&event);
    world.minutes(60);
    wakes.iter().for_each(|(_, text)| world.wake(text));
    assert_eq!(world.sends(), ["12:00 1 email", "12:30 1 sms"]);
}

#[test]
fn an_emergency_does_not_wait_for_its_first_word_but_between_two() {
    let wait = json!({ "wait": { "for": "PT30M" } });
    let steps = json!([wait, super::send(json!(["email"])), wait, super::send(json!(["sms"]))]);
    let mut critical = stage(json!({ "steps": steps, "priority": "critical" }), json!({}));
    critical.order("1");
    critical.minutes(90);
    assert_eq!(critical.sends(), ["12:00 1 email", "12:30 1 sms"]);
    let mut normal = stage(json!({ "steps": steps }), json!({}));
    normal.order("1");
    normal.minutes(90);
    assert_eq!(normal.sends(), ["12:30 1 email", "13:00 1 sms"]);
}

#[test]
fn only_the_rule_and_not_the_event_makes_an_emergency() {
    let wait = json!({ "wait": { "for": "PT30M" } });
    let mut world = stage(json!({ "steps": [wait, super::send(json!(["email"]))] }), json!({}));
    world.deliver(&super::paid("ann", json!({ "priority": "critical" })));
    assert!(world.sends().is_empty());
}

#[test]
fn a_rule_without_steps_or_without_a_send_says_nothing() {
    for steps in [
        json!([]),
        json!([{ "wait": { "for": "PT1H" } }]),
        json!([{ "throttle": { "most": 1, "per": "1h" } }]),
    ] {
        let mut world = stage(json!({ "steps": steps }), json!({}));
        world.order("1");
        world.minutes(120);
        assert!(world.sends().is_empty() && world.wakes.is_empty());
    }
}

#[test]
fn a_run_that_is_told_to_begin_behind_its_last_step_is_over() {
    let world = stage(json!({}), json!({}));
    let event = order(&world, "1");
    let setting = std::rc::Rc::clone(&world.setting);
    for step in [1, 50, u32::MAX] {
        let rule = setting.catalog.rule("paid").unwrap();
        let audience = vec![crate::plan::Audience::User("ann".into())];
        let start = Start { step, ..Start::default() };
        let matched = crate::plan::Match { rule, audience, groups: Vec::new(), start };
        let plan = crate::plan::Plan::woken(&event, &setting.catalog, Some(matched), None);
        assert!(super::decided(&plan, &setting.recipients, at("12:00")).is_empty());
    }
}

fn email_wait_sms(wait: &Value) -> Value {
    json!({ "steps": [super::send(json!(["email"])), { "wait": wait }, super::send(json!(["sms"]))] })
}

/// When the step after the wait is reached.
#[track_caller]
fn check_wait(wait: Value, expected: &str) {
    let mut world = stage(email_wait_sms(&wait), json!({}));
    let data = json!({ "user": "ann", "at": "2026-11-20T18:00:00Z", "in": "PT45M" });
    world.deliver(&super::paid("ann", json!({ "data": data })));
    world.minutes(600);
    assert_eq!(world.sends()[1..], [format!("{expected} 1 sms")], "{wait}");
}
