//! Escalation: steps with `unless`.

use serde_json::{Value, json};

use super::engine::{at, world_with, world_with_people};
use super::world::World;
use crate::catalog::rule::Unless;

#[test]
fn seen_notification_ends_the_escalation() {
    check("seen", Some(Unless::Seen), &["12:00 1 email"], &["12:30 sms seen"]);
    check("seen", Some(Unless::Acknowledged), &["12:00 1 email"], &["12:30 sms acknowledged"]);
    check("acknowledged", Some(Unless::Acknowledged), &["12:00 1 email"], &["12:30 sms acknowledged"]);
}

#[test]
fn insufficient_engagement_continues_the_escalation() {
    let all = ["12:00 1 email", "12:30 1 sms", "13:00 1 whatsapp"];
    check("seen", None, &all, &[]);
    check("acknowledged", Some(Unless::Seen), &all, &[]);
}

#[test]
fn engagement_ends_all_later_steps() {
    let mut world = escalating("seen", json!({}));
    world.order("1");
    world.until("12:45");
    world.notice_last(Unless::Seen);
    world.until("20:00");
    assert_eq!(world.sends(), ["12:00 1 email", "12:30 1 sms"]);
    assert!(world.continuations.is_empty());
}

#[test]
fn push_seen_on_one_device_ends_the_escalation() {
    let devices = json!([
        { "id": "phone", "platform": "fcm", "endpoint": "arn:phone" },
        { "id": "tablet", "platform": "apns", "endpoint": "arn:tablet" },
    ]);
    let ann = json!([{ "id": "ann", "devices": devices, "phone": "+4915112345678" }]);
    let unless = json!({ "send": { "channels": ["sms"], "unless": "seen" } });
    let steps = json!([super::send(json!(["push"])), { "wait": { "for": "PT30M" } }, unless]);
    let mut world = world_with_people(json!({ "steps": steps }), json!({}), ann);
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 push tablet"]);
    world.notice_last(Unless::Seen);
    world.until("20:00");
    assert_eq!(world.refusals(), ["12:30 sms seen"]);
}

#[test]
fn engagement_counts_for_its_own_event_only() {
    let mut world = escalating("seen", json!({}));
    world.order("1");
    world.notice_last(Unless::Seen);
    world.order("2");
    world.until("12:30");
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email", "12:30 2 sms"]);
}

#[test]
fn acknowledged_critical_notification_ends_the_escalation() {
    let mut world = escalating("acknowledged", json!({ "priority": "critical" }));
    world.order("1");
    world.notice_last(Unless::Acknowledged);
    world.until("20:00");
    assert_eq!(world.sends(), ["12:00 1 email"]);
}

#[test]
fn deferred_step_is_suppressed_if_seen_meanwhile() {
    for outside in ["defer", "digest"] {
        let mut world = escalating("seen", json!({ "outside": outside }));
        world.now = at("21:45");
        world.order("1");
        world.until("23:00");
        world.notice_last(Unless::Seen);
        world.until("2026-11-21T20:00:00Z");
        assert_eq!(world.sends(), ["21:45 1 email"], "{outside}");
    }
}

/// E-mail, SMS half an hour later, WhatsApp half an hour after that, with quiet hours at night.
fn escalating(unless: &str, others: Value) -> World {
    let again = |channel: &str| json!({ "send": { "channels": [channel], "unless": unless } });
    let wait = json!({ "wait": { "for": "PT30M" } });
    let mut rule =
        json!({ "steps": [super::send(json!(["email"])), wait, again("sms"), wait, again("whatsapp")] });
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    world_with(rule, json!({ "quiet": { "quiet": { "start": "22:00", "end": "07:00" } } }))
}

/// The recipient engages with the first message at once, or never.
#[track_caller]
fn check(unless: &str, noticed: Option<Unless>, sends: &[&str], refusals: &[&str]) {
    let mut world = escalating(unless, json!({}));
    world.order("1");
    if let Some(how) = noticed {
        world.notice_last(how);
    }
    world.until("20:00");
    assert_eq!(world.sends(), sends, "{unless} {noticed:?}");
    assert_eq!(world.refusals(), refusals, "{unless} {noticed:?}");
}
