//! Critical rules: quiet hours, digests, throttles, caps, preferences and an initial wait do not apply.

use serde_json::{Value, json};

use super::engine::{at, world_with, world_with_people};
use super::world::World;
use crate::catalog::rule::Unless;
use crate::decide::Note;

/// The channels of the critical rule, and the expected sends at 02:10.
const CHANNELS: [&str; 4] = ["socket", "push", "sms", "email"];
const AT_ONCE: [&str; 4] = ["02:10 1 socket", "02:10 1 push phone", "02:10 1 sms", "02:10 1 email"];

#[test]
fn critical_rule_sends_on_all_channels_at_night() {
    for outside in ["defer", "drop", "digest"] {
        let mut world = night(json!({ "outside": outside }), json!({}));
        world.order("1");
        assert_eq!(world.sends(), AT_ONCE, "{outside}");
        assert!(world.refusals().is_empty() && world.continuations.is_empty(), "{outside}");
    }
}

#[test]
fn steps_before_the_first_send_do_not_delay_a_critical_rule() {
    let before = [
        json!({ "wait": { "for": "PT10M" } }),
        json!({ "digest": { "span": "10m", "policy": {} } }),
        json!({ "throttle": { "most": 1, "per": "1h" } }),
    ];
    for step in before {
        let mut world = night(json!({ "steps": [step.clone(), super::send(json!(CHANNELS))] }), json!({}));
        world.orders(&["1", "2", "3"]);
        assert_eq!(world.sends().len(), 3 * CHANNELS.len(), "{step}");
        assert!(world.refusals().is_empty() && world.continuations.is_empty(), "{step}");
    }
}

#[test]
fn preferences_do_not_apply_to_a_critical_rule() {
    let refused = json!({ "workflows": { "paid": false }, "categories": { "c": false } });
    let mut people = super::engine::people();
    people[0]["preferences"] = refused;
    let mut world =
        world_with_people(json!({ "channels": CHANNELS, "priority": "critical" }), quiet(json!([])), people);
    world.now = at("02:10");
    world.order("1");
    assert_eq!(world.sends(), AT_ONCE);
}

#[test]
fn critical_notification_exceeds_a_full_cap_with_a_note() {
    for others in [
        json!({}),
        json!({ "critical": true }),
        json!({ "critical": true, "channel": "sms" }),
        json!({ "critical": true, "category": "c" }),
        json!({ "critical": true, "per": "environment" }),
    ] {
        let mut cap = json!({
            "limit": { "name": "all", "most": 1, "period": { "rolling": "24h" } }, "per": "recipient",
        });
        cap.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        let mut world = night(json!({}), json!([cap]));
        world.orders(&["1", "2", "3"]);
        assert_eq!(world.sends().len(), 3 * CHANNELS.len(), "{others}");
        assert!(world.refusals().is_empty(), "{others}");
        let raises_alarm = world
            .log
            .iter()
            .any(|entry| entry.notes.iter().any(|note| matches!(note, Note::Exceeded { .. })));
        assert_eq!(raises_alarm, others["critical"] == true, "{others}");
    }
}

#[test]
fn redelivered_critical_event_is_sent_once_at_a_full_cap() {
    let cap = json!({
        "limit": { "name": "all", "most": 1, "period": { "rolling": "24h" } }, "per": "recipient", "critical": true,
    });
    let mut world = night(json!({}), json!([cap]));
    let event = world.order("1");
    (0..3).for_each(|_| world.deliver(&event));
    assert_eq!(world.sends(), AT_ONCE);
}

#[test]
fn unacknowledged_critical_notification_escalates() {
    let mut world = escalating();
    world.order("1");
    assert_eq!(world.sends(), ["02:10 1 socket", "02:10 1 push phone"]);
    world.notice_last(Unless::Seen);
    world.until("02:20");
    assert_eq!(world.sends()[2..], ["02:15 1 sms", "02:15 1 email"], "seen is not acknowledged");
}

#[test]
fn acknowledged_critical_notification_does_not_escalate() {
    let mut world = escalating();
    world.order("1");
    world.notice_last(Unless::Acknowledged);
    world.until("20:00");
    assert_eq!(world.sends(), ["02:10 1 socket", "02:10 1 push phone"]);
    assert_eq!(world.refusals(), ["02:15 sms acknowledged", "02:15 email acknowledged"]);
}

/// Socket and push at once; SMS and e-mail five minutes later unless the recipient acknowledged.
fn escalating() -> World {
    let again = json!({ "send": { "channels": ["sms", "email"], "unless": "acknowledged" } });
    let steps = json!([super::send(json!(["socket", "push"])), { "wait": { "for": "PT5M" } }, again]);
    night(json!({ "steps": steps }), json!([]))
}

/// A critical rule at 02:10, during the policy's quiet hours.
fn night(others: Value, caps: Value) -> World {
    let mut rule = json!({ "channels": CHANNELS, "priority": "critical" });
    if others.get("steps").is_some() {
        rule.as_object_mut().unwrap().remove("channels");
    }
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    let mut world = world_with(rule, quiet(if caps.is_array() { caps } else { json!([]) }));
    world.now = at("02:10");
    world
}

fn quiet(caps: Value) -> Value {
    json!({ "quiet": { "quiet": { "start": "22:00", "end": "07:00" } }, "caps": caps })
}
