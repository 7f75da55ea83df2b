//! What takes the place of a channel that failed, and how often.

use serde_json::{Value, json};

use super::engine::{people, stage, staged};
use super::world::World;
use crate::channel::Channel;
use crate::decide::Note;
use crate::outcome::Reason;
use crate::wake::InsteadOf;

#[test]
fn the_next_channel_takes_the_place_of_one_that_failed_and_says_so() {
    let mut world = stage(json!({ "steps": [step(&["push"], &["sms", "email"])] }), json!({}));
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 sms"]);
    let notes = &world.log.last().unwrap().notes;
    assert_eq!(notes[0], Note::FailedOver(InsteadOf { channel: Channel::Push, why: Reason::DeadToken }));
    assert!(notes[0].to_string().starts_with("fallback for push: the device token is invalid"));
    world.fail(Channel::Sms, "", Reason::RetriesExhausted);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 sms", "12:00 1 email"]);
    world.fail(Channel::Email, "", Reason::Rejected);
    assert_eq!(world.sends().len(), 3, "there is no other");
}

#[test]
fn a_channel_that_fails_twice_is_replaced_once() {
    let mut world = stage(json!({ "steps": [step(&["push", "email"], &["sms"])] }), json!({}));
    world.order("1");
    for _ in 0..3 {
        world.fail(Channel::Push, "phone", Reason::ProviderDown);
        world.fail(Channel::Email, "", Reason::Rejected);
    }
    assert_eq!(firsts(&world, Channel::Sms), 1, "however many ask for it, it has one key");
}

#[test]
fn a_rule_that_does_not_ask_for_it_does_not_fail_over() {
    let mut world = stage(json!({ "channels": ["push"] }), json!({}));
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone"]);
}

#[test]
fn while_another_device_was_told_nothing_takes_its_place() {
    let devices = json!([
        { "id": "phone", "platform": "fcm", "endpoint": "arn:phone" },
        { "id": "tablet", "platform": "apns", "endpoint": "arn:tablet" },
    ]);
    let ann = json!([{ "id": "ann", "devices": devices, "phone": "+4915112345678" }]);
    let mut world = staged(json!({ "steps": [step(&["push"], &["sms"])] }), json!({}), ann);
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 push tablet"]);
    assert!(world.refusals().is_empty(), "and nothing stands in its way later");
    world.fail(Channel::Push, "tablet", Reason::RetriesExhausted);
    assert_eq!(world.sends().last().unwrap(), "12:00 1 sms");
}

#[test]
fn what_may_not_be_used_is_passed_over_with_its_reason() {
    let mut ann = people();
    ann[0].as_object_mut().unwrap().remove("phone");
    let mut world =
        staged(json!({ "steps": [step(&["push"], &["sms", "email", "whatsapp"])] }), json!({}), ann);
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.refusals(), ["12:00 sms no_address"]);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 email"]);
}

#[test]
fn whoever_has_no_device_is_told_by_the_other_channel_at_once_and_once() {
    let ben = json!([{ "id": "ann", "phone": "+4915112345678", "email": "ann@example.com" }]);
    let rule = json!({ "steps": [step(&["push", "whatsapp"], &["sms", "email"])] });
    let mut world = staged(rule, json!({}), ben);
    world.order("1");
    assert_eq!(world.refusals(), ["12:00 push no_address", "12:00 whatsapp no_address"]);
    assert_eq!(world.sends(), ["12:00 1 sms"]);
    world.fail(Channel::Sms, "", Reason::Rejected);
    assert_eq!(world.sends(), ["12:00 1 sms", "12:00 1 email"], "and from there it goes on");
}

#[test]
fn whoever_has_no_device_and_sleeps_is_told_in_the_morning() {
    let ben = json!([{ "id": "ann", "phone": "+4915112345678" }]);
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "14:00" } } });
    let mut world = staged(json!({ "steps": [step(&["push"], &["sms"])] }), quiet, ben);
    world.order("1");
    assert!(world.sends().is_empty());
    world.until("15:00");
    assert!(world.sends()[0].ends_with("1 sms"), "{:?}", world.sends());
}

#[test]
fn whoever_wants_no_notes_is_told_no_other_way() {
    let mut ann = people();
    ann[0]["preferences"] = json!({ "channel_types": { "push": false } });
    let mut world = staged(json!({ "steps": [step(&["push"], &["sms"])] }), json!({}), ann);
    world.order("1");
    assert!(world.sends().is_empty());
    assert_eq!(world.refusals(), ["12:00 push preference"]);
}

#[test]
fn whoever_sleeps_is_told_by_the_other_channel_in_the_morning() {
    let quiet = json!({ "quiet": { "quiet": { "start": "12:05", "end": "14:00" } } });
    let mut world = stage(json!({ "steps": [step(&["push"], &["sms"])] }), quiet);
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
fn what_was_taken_back_meanwhile_is_not_told_another_way() {
    let cancel = json!({ "key": ["$.data.user"], "when": { "detail-type": ["order.refunded"] } });
    let rule = json!({ "steps": [step(&["push"], &["sms"])], "cancel": cancel });
    let mut world = stage(rule, json!({}));
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
fn a_throttle_counts_the_message_once_whichever_channel_tells_it() {
    let throttle = json!({ "throttle": { "most": 1, "per": "1h" } });
    let mut world = stage(json!({ "steps": [throttle, step(&["push"], &["sms"])] }), json!({}));
    world.order("1");
    world.fail(Channel::Push, "phone", Reason::DeadToken);
    assert_eq!(world.sends(), ["12:00 1 push phone", "12:00 1 sms"]);
}

#[test]
fn a_cap_of_the_other_channel_is_asked() {
    let cap = json!({ "limit": { "name": "texts", "most": 1, "period": { "calendar": "day" } }, "per": "recipient",
                      "channel": "sms" });
    let mut world = stage(json!({ "steps": [step(&["push"], &["sms"])] }), json!({ "caps": [cap] }));
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

/// How often a channel was really sent to.
fn firsts(world: &World, on: Channel) -> usize {
    use super::world::What;
    let is_first = |entry: &&super::world::Entry| {
        entry.channel == Some(on) && matches!(entry.what, What::Sent { first: true, .. })
    };
    world.log.iter().filter(is_first).count()
}
