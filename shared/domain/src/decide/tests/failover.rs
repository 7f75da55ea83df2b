//! Failover.

use serde_json::{Value, json};

use super::engine::{people, world_with, world_with_people};
use super::world::World;
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::decide::Note;
use crate::decide::continuation::FailoverOrigin;

#[test]
fn next_channel_replaces_a_failed_one_with_a_note() {
    let mut world = world_with(json!({ "steps": [step(&["push"], &["sms", "email"])] }), json!({}));
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 sms"]);
    let notes = &world.log.last().unwrap().notes;
    assert_eq!(notes[0], Note::FailedOver(FailoverOrigin { channel: Channel::Push, why: Reason::DeadToken }));
    assert!(notes[0].to_string().starts_with("fallback for push: the device token is invalid"));
    world.fail(Channel::Sms, "", Reason::RetriesExhausted);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 sms", "12:00 1 email"]);
    world.fail(Channel::Email, "", Reason::Rejected);
    assert_eq!(world.sends().len(), 3, "no failover channel is left");
}

#[test]
fn channel_that_fails_twice_fails_over_once() {
    let mut world = world_with(json!({ "steps": [step(&["push", "email"], &["sms"])] }), json!({}));
    world.order("1");
    for _ in 0..3 {
        world.fail(Channel::Push, "phone", Reason::ProviderDown);
        world.fail(Channel::Email, "", Reason::Rejected);
    }
    assert_eq!(firsts(&world, Channel::Sms), 1, "repeated failovers have one key");
}

#[test]
fn rule_without_failover_does_not_fail_over() {
    let mut world = world_with(json!({ "channels": ["push"] }), json!({}));
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone"]);
}

#[test]
fn no_failover_while_another_device_was_reached() {
    let devices = json!([
        { "id": "phone", "platform": "fcm", "endpoint": "arn:phone" },
        { "id": "tablet", "platform": "apns", "endpoint": "arn:tablet" },
    ]);
    let ann = json!([{ "id": "ann", "devices": devices, "phone": "+4915112345678" }]);
    let mut world = world_with_people(json!({ "steps": [step(&["push"], &["sms"])] }), json!({}), ann);
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 push tablet"]);
    assert!(world.refusals().is_empty(), "a later failover is not blocked");
    world.fail(Channel::Push, "tablet", Reason::RetriesExhausted);
    assert_eq!(world.sends().last().unwrap(), "12:00 1 sms");
}

#[test]
fn unusable_failover_channel_is_skipped_with_its_reason() {
    let mut ann = people();
    ann[0].as_object_mut().unwrap().remove("phone");
    let mut world = world_with_people(
        json!({ "steps": [step(&["push"], &["sms", "email", "whatsapp"])] }),
        json!({}),
        ann,
    );
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.refusals(), ["12:00 sms no_address"]);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 email"]);
}

#[test]
fn recipient_without_a_device_fails_over_at_once() {
    let ben = json!([{ "id": "ann", "phone": "+4915112345678", "email": "ann@example.com" }]);
    let rule = json!({ "steps": [step(&["push", "whatsapp"], &["sms", "email"])] });
    let mut world = world_with_people(rule, json!({}), ben);
    world.order("1");
    assert_eq!(world.refusals(), ["12:00 push no_address", "12:00 whatsapp no_address"]);
    assert_eq!(world.sends(), ["12:00 1 sms"]);
    world.fail(Channel::Sms, "", Reason::Rejected);
    assert_eq!(world.sends(), ["12:00 1 sms", "12:00 1 email"], "the failover continues from there");
}

#[test]
fn failover_without_a_device_respects_quiet_hours() {
    let ben = json!([{ "id": "ann", "phone": "+4915112345678" }]);
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "14:00" } } });
    let mut world = world_with_people(json!({ "steps": [step(&["push"], &["sms"])] }), quiet, ben);
    world.order("1");
    assert!(world.sends().is_empty());
    world.until("15:00");
    assert!(world.sends()[0].ends_with("1 sms"), "{:?}", world.sends());
}

#[test]
fn unwanted_push_does_not_fail_over() {
    let mut ann = people();
    ann[0]["preferences"] = json!({ "channel_types": { "push": false } });
    let mut world = world_with_people(json!({ "steps": [step(&["push"], &["sms"])] }), json!({}), ann);
    world.order("1");
    assert!(world.sends().is_empty());
    assert_eq!(world.refusals(), ["12:00 push preference"]);
}

#[test]
fn failover_channel_is_deferred_by_quiet_hours() {
    let quiet = json!({ "quiet": { "quiet": { "start": "12:05", "end": "14:00" } } });
    let mut world = world_with(json!({ "steps": [step(&["push"], &["sms"])] }), quiet);
    world.order("1");
    world.until("13:00");
    world.fail(Channel::Push, "phone", Reason::RetriesExhausted);
    assert_eq!(world.sends(), ["12:00 1 push phone"]);
    world.until("15:00");
    let sends = world.sends();
    assert!(sends.len() == 2 && sends[1].ends_with("1 sms"), "{sends:?}");
    world.fail(Channel::Sms, "", Reason::Rejected);
    assert_eq!(world.sends().len(), 2);
}

#[test]
fn cancelled_notification_does_not_fail_over() {
    let cancel = json!({ "key": ["$.data.user"], "when": { "detail-type": ["order.refunded"] } });
    let rule = json!({ "steps": [step(&["push"], &["sms"])], "cancel": cancel });
    let mut world = world_with(rule, json!({}));
    let event = world.order("1");
    let mut refund = event.document()["detail"].clone();
    refund["type"] = "order.refunded".into();
    refund["id"] = "2".into();
    refund["time"] = "2026-11-20T12:00:01Z".into();
    world.deliver(&crate::event::Event::parse(&refund.to_string()).unwrap());
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone"]);
    assert_eq!(world.refusals(), ["12:00 sms cancelled"]);
}

#[test]
fn throttle_counts_a_failover_once() {
    let throttle = json!({ "throttle": { "most": 1, "per": "1h" } });
    let mut world = world_with(json!({ "steps": [throttle, step(&["push"], &["sms"])] }), json!({}));
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 sms"]);
}

#[test]
fn cap_of_the_failover_channel_applies() {
    let cap = json!({ "limit": { "name": "texts", "most": 1, "period": { "calendar": "day" } }, "per": "recipient",
                      "channel": "sms" });
    let mut world = world_with(json!({ "steps": [step(&["push"], &["sms"])] }), json!({ "caps": [cap] }));
    for id in ["1", "2"] {
        world.order(id);
        world.fail(Channel::Push, "phone", Reason::DeadToken);
    }
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 sms", "12:00 2 push phone"]);
    assert_eq!(world.refusals(), ["12:00 sms capped"]);
}

fn step(channels: &[&str], failover: &[&str]) -> Value {
    json!({ "send": { "channels": channels, "failover": failover } })
}

/// The number of first sends on a channel.
fn firsts(world: &World, on: Channel) -> usize {
    use super::world::LogResult;
    let is_first = |entry: &&super::world::Entry| {
        entry.channel == Some(on) && matches!(entry.result, LogResult::Sent { first: true, .. })
    };
    world.log.iter().filter(is_first).count()
}
