//! Send and wait steps.

use serde_json::{Value, json};

use super::engine::{at, order, world_with};
use crate::decide::continuation::Start;

#[test]
fn step_after_a_wait_runs_when_the_wait_ends() {
    let mut world = world_with(email_wait_sms(&json!({ "for": "PT30M" })), json!({}));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 email"]);
    world.minutes(29);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    world.minutes(1);
    assert_eq!(world.sends(), ["12:00 1 email", "12:30 1 sms"]);
}

#[test]
fn wait_ends_at_a_fixed_or_event_time() {
    check_wait(json!({ "until": "2026-11-20T15:00:00Z" }), "15:00");
    check_wait(json!({ "event": { "path": "$.data.at", "shift": "PT0S" } }), "18:00");
    check_wait(json!({ "event": { "path": "$.data.at", "shift": "-PT2H" } }), "16:00");
    check_wait(json!({ "event": { "path": "$.data.in", "shift": "PT5M" } }), "12:50");
}

#[test]
fn wait_for_a_past_time_is_skipped() {
    check_wait(json!({ "until": "2026-11-20T12:00:00Z" }), "12:00");
    check_wait(json!({ "event": { "path": "$.data.at", "shift": "-PT6H" } }), "12:00");
}

#[test]
fn continuation_is_decided_with_current_preferences() {
    let mut world = world_with(email_wait_sms(&json!({ "for": "PT30M" })), json!({}));
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
fn wait_beyond_the_expiry_is_suppressed() {
    let mut late = email_wait_sms(&json!({ "for": "PT30M" }));
    late["expires"] = json!("PT20M");
    let mut world = world_with(late, json!({}));
    world.order("1");
    world.minutes(60);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    assert_eq!(world.refusals(), ["12:00 sms expired"]);
}

#[test]
fn late_continuation_is_expired() {
    let mut late = email_wait_sms(&json!({ "for": "PT30M" }));
    late["expires"] = json!("PT1H");
    let mut world = world_with(late, json!({}));
    world.order("1");
    world.now = at("13:01");
    world.minutes(1);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    assert_eq!(world.refusals(), ["13:01 sms expired"]);
}

#[test]
fn redelivered_event_or_continuation_sends_once() {
    let mut world = world_with(email_wait_sms(&json!({ "for": "PT30M" })), json!({}));
    let event = world.order("1");
    let continuations = world.continuations.clone();
    world.minutes(10);
    world.deliver(&event);
    world.minutes(60);
    continuations.iter().for_each(|(_, text)| world.continuation(text));
    assert_eq!(world.sends(), ["12:00 1 email", "12:30 1 sms"]);
}

#[test]
fn critical_rule_skips_only_waits_before_the_first_send() {
    let wait = json!({ "wait": { "for": "PT30M" } });
    let steps = json!([wait, super::send(json!(["email"])), wait, super::send(json!(["sms"]))]);
    let mut critical = world_with(json!({ "steps": steps, "priority": "critical" }), json!({}));
    critical.order("1");
    critical.minutes(90);
    assert_eq!(critical.sends(), ["12:00 1 email", "12:30 1 sms"]);
    let mut normal = world_with(json!({ "steps": steps }), json!({}));
    normal.order("1");
    normal.minutes(90);
    assert_eq!(normal.sends(), ["12:30 1 email", "13:00 1 sms"]);
}

#[test]
fn only_the_rule_priority_makes_a_run_critical() {
    let wait = json!({ "wait": { "for": "PT30M" } });
    let mut world = world_with(json!({ "steps": [wait, super::send(json!(["email"]))] }), json!({}));
    world.deliver(&super::paid("ann", json!({ "priority": "critical" })));
    assert!(world.sends().is_empty());
}

#[test]
fn rule_without_a_send_decides_nothing() {
    for steps in [
        json!([]),
        json!([{ "wait": { "for": "PT1H" } }]),
        json!([{ "throttle": { "most": 1, "per": "1h" } }]),
    ] {
        let mut world = world_with(json!({ "steps": steps }), json!({}));
        world.order("1");
        world.minutes(120);
        assert!(world.sends().is_empty() && world.continuations.is_empty());
    }
}

#[test]
fn run_beyond_the_last_step_ends() {
    let world = world_with(json!({}), json!({}));
    let event = order(&world, "1");
    let setting = std::rc::Rc::clone(&world.setting);
    for step in [1, 50, u32::MAX] {
        let rule = setting.catalog.rule("paid").unwrap();
        let audience = vec![crate::decide::plan::Audience::User("ann".into())];
        let start = Start { step, ..Start::default() };
        let matched = crate::decide::plan::Match { rule, audience, groups: Vec::new(), start };
        let plan = crate::decide::plan::Plan::resumed(&event, &setting.catalog, Some(matched), None);
        assert!(super::decided(&plan, &setting.recipients, at("12:00")).is_empty());
    }
}

fn email_wait_sms(wait: &Value) -> Value {
    json!({ "steps": [super::send(json!(["email"])), { "wait": wait }, super::send(json!(["sms"]))] })
}

/// Checks when the step after the wait runs.
#[track_caller]
fn check_wait(wait: Value, expected: &str) {
    let mut world = world_with(email_wait_sms(&wait), json!({}));
    let data = json!({ "user": "ann", "at": "2026-11-20T18:00:00Z", "in": "PT45M" });
    world.deliver(&super::paid("ann", json!({ "data": data })));
    world.minutes(600);
    assert_eq!(world.sends()[1..], [format!("{expected} 1 sms")], "{wait}");
}
