//! Quiet hours.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::engine::{at, clock, world_with, world_with_people};
use super::world::World;
use crate::base::channel::Channel;

#[test]
fn quiet_hours_use_the_recipients_zone() {
    let mut world = with_quiet_hours(json!({ "zone": "Asia/Tokyo" }), json!({}));
    world.until("18:00");
    world.order("1");
    world.until("2026-11-21T12:00:00Z");
    // Seven o'clock in Tokyo.
    check_sent_at_opening(&world, "2026-11-20T22:00:00Z");
}

#[test]
fn channels_that_do_not_disturb_are_not_deferred() {
    let mut world = with_quiet_hours(json!({}), json!({ "channels": ["socket", "email"] }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.sends(), ["23:00 1 socket"]);
}

#[test]
fn critical_rule_ignores_quiet_hours() {
    let mut world = with_quiet_hours(json!({}), json!({ "priority": "critical" }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.sends(), ["23:00 1 email"]);
}

#[test]
fn rule_may_drop_notifications_in_quiet_hours() {
    let mut world = with_quiet_hours(json!({}), json!({ "outside": "drop" }));
    world.until("23:00");
    world.order("1");
    world.until("2026-11-21T12:00:00Z");
    assert_eq!((world.sends(), world.refusals()), (vec![], vec!["23:00 email quiet_hours".to_owned()]));
}

#[test]
fn rule_may_collect_notifications_over_quiet_hours() {
    let mut world = with_quiet_hours(json!({}), json!({ "outside": "digest" }));
    world.until("23:00");
    world.order("1");
    world.minutes(60);
    world.order("2");
    world.until("2026-11-21T06:59:00Z");
    assert!(world.sends().is_empty());
    world.minutes(2);
    assert_eq!(world.sends(), ["21. 07:00 2 together email"]);
}

#[test]
fn redelivered_event_stays_in_its_quiet_hours_digest() {
    let mut world = with_quiet_hours(json!({}), json!({ "outside": "digest" }));
    world.until("23:00");
    let event = world.order("1");
    world.until("2026-11-21T12:00:00Z");
    world.deliver(&event);
    world.until("2026-11-22T12:00:00Z");
    assert_eq!(world.sends().len(), 1, "{:?}", world.sends());
}

#[test]
fn notification_that_expires_in_quiet_hours_is_suppressed_at_once() {
    let mut world = with_quiet_hours(json!({}), json!({ "expires": "PT6H" }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.refusals(), ["23:00 email expired_in_quiet_hours"]);
    assert!(world.continuations.is_empty());
}

#[test]
fn quiet_hours_without_an_end_suppress_with_a_note() {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let rows: Vec<Value> = days.iter().map(|day| json!({ "day": day, "type": "do_not_send" })).collect();
    let mut world = with_quiet_hours(json!({ "quiet": rows }), json!({}));
    world.order("1");
    assert_eq!(world.refusals(), ["12:00 email quiet_hours"]);
}

#[test]
fn most_specific_quiet_hours_apply() {
    let noon = json!({ "quiet": { "start": "11:00", "end": "13:00" } });
    let open = json!([]);
    // The recipient's own hours within the tenant precede the recipient's hours, which precede the policy's.
    let held = json!({ "quiet": open, "in_tenants": { "north": { "quiet": noon } } });
    let free = json!({ "quiet": noon, "in_tenants": { "north": { "quiet": open } } });
    for (person, tenant, sent) in [(&held, true, 0), (&held, false, 1), (&free, true, 1), (&free, false, 0)] {
        let mut world = with_quiet_hours(person.clone(), json!({}));
        let tenant = if tenant { json!({ "tenant": "north" }) } else { json!({}) };
        world.deliver(&super::paid("ann", tenant));
        assert_eq!(world.sends().len(), sent, "{person}");
    }
}

#[test]
fn device_zone_precedes_event_zone_and_recipient_zone() {
    // At noon the time is 3:00 in Los Angeles and 21:00 in Tokyo.
    let far = "America/Los_Angeles";
    let device = |zone: Value| {
        let device = json!({ "id": "phone", "platform": "fcm", "endpoint": "arn:phone", "zone": zone });
        json!({ "devices": [device], "zone": far })
    };
    for (person, event, sent) in [
        (device(json!("Asia/Tokyo")), json!({}), 1),
        (device(json!(null)), json!({}), 0),
        (device(json!(null)), json!({ "zone": "Asia/Tokyo" }), 1),
        (device(json!(far)), json!({ "zone": "Asia/Tokyo" }), 0),
        (device(json!("Atlantis")), json!({ "zone": "Asia/Tokyo" }), 1),
    ] {
        let mut world = with_quiet_hours(person.clone(), json!({ "channels": ["push"] }));
        world.deliver(&super::paid("ann", event.clone()));
        assert_eq!(world.sends().len(), sent, "{person} {event}");
    }
}

#[test]
fn each_device_has_its_own_quiet_hours() {
    let device = |id: &str, zone: &str| json!({ "id": id, "platform": "fcm", "endpoint": id, "zone": zone });
    let devices = json!([device("tablet", "America/Los_Angeles"), device("phone", "Asia/Tokyo")]);
    let mut world = with_quiet_hours(json!({ "devices": devices }), json!({ "channels": ["push"] }));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 push phone"]);
    world.until("20:00");
    let sends: Vec<_> = world.sent().skip(1).collect();
    assert_eq!(sends.len(), 1);
    let seven = at("15:00");
    assert!((seven..=seven + jiff::SignedDuration::from_mins(10)).contains(&sends[0].at));
}

#[test]
fn devices_with_disjoint_windows_are_sent_one_after_the_other() {
    let device = |id: &str, zone: &str| json!({ "id": id, "platform": "fcm", "endpoint": id, "zone": zone });
    let devices = json!([device("tablet", "Etc/UTC"), device("phone", "Asia/Tokyo")]);
    let noon = json!({ "quiet": { "start": "13:00", "end": "12:00" } });
    let mut world =
        with_quiet_hours(json!({ "devices": devices, "quiet": noon }), json!({ "channels": ["push"] }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 2);
    assert!(world.continuations.is_empty());
}

#[test]
fn deferred_notification_is_sent_within_a_short_window() {
    // Deferred sends are spread, but never beyond the window.
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let row = |day: &&str| json!({ "day": day, "type": "send", "from": "08:00:00", "until": "08:02:00" });
    let rows: Vec<Value> = days.iter().map(row).collect();
    let mut world = with_quiet_hours(json!({ "quiet": rows }), json!({}));
    for id in 0..20 {
        world.order(&id.to_string());
    }
    world.until("2026-11-21T09:00:00Z");
    assert_eq!(world.sends().len(), 20);
}

#[test]
fn deferred_sends_are_spread_over_recipients() {
    let mut world = with_quiet_hours(json!({}), json!({}));
    world.until("23:00");
    for id in 0..20 {
        world.order(&id.to_string());
    }
    world.until("2026-11-21T09:00:00Z");
    let times: std::collections::BTreeSet<Timestamp> = world.sent().map(|sent| sent.at).collect();
    assert!(times.len() > 15, "{times:?}");
}

#[test]
fn later_steps_continue_while_a_channel_is_deferred() {
    let steps = json!([super::send(json!(["email"])), super::send(json!(["socket"]))]);
    let mut world = with_quiet_hours(json!({}), json!({ "steps": steps }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.sends(), ["23:00 1 socket"]);
    world.until("2026-11-21T09:00:00Z");
    let channels: Vec<Option<Channel>> = world.sent().map(|sent| sent.channel).collect();
    assert_eq!(channels, [Some(Channel::Socket), Some(Channel::Email)]);
}

#[test]
fn deferred_channel_does_not_repeat_later_steps() {
    let steps =
        json!([super::send(json!(["email"])), { "wait": { "for": "PT1H" } }, super::send(json!(["email"]))]);
    let mut world = with_quiet_hours(json!({}), json!({ "steps": steps }));
    world.until("23:00");
    world.order("1");
    world.until("2026-11-21T07:11:00Z");
    assert_eq!(world.sends().len(), 2);
    assert!(world.continuations.is_empty());
}

#[test]
fn address_without_a_profile_has_the_policys_quiet_hours() {
    let to = json!([{ "address": { "channel": "email", "of": { "literal": "lab@example.com" } } }]);
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = world_with(json!({ "to": to }), quiet);
    world.order("1");
    assert!(world.sends().is_empty());
    world.until("14:00");
    assert_eq!(world.sends().len(), 1);
}

/// Ann with members set, and quiet hours of the policy from 22:00 to 7:00.
fn with_quiet_hours(ann: Value, rule: Value) -> World {
    let mut person = json!({ "id": "ann", "email": "ann@example.com", "tenants": ["*"] });
    person.as_object_mut().unwrap().extend(ann.as_object().unwrap().clone());
    let quiet = json!({ "quiet": { "quiet": { "start": "22:00", "end": "07:00" } } });
    world_with_people(rule, quiet, json!([person]))
}

/// One e-mail at the opening, or at most ten minutes later.
#[track_caller]
fn check_sent_at_opening(world: &World, opens: &str) {
    let sent: Vec<Timestamp> = world.sent().map(|sent| sent.at).collect();
    let opens = at(opens);
    assert_eq!(sent.len(), 1);
    let late = sent[0].duration_since(opens).as_mins();
    assert!((0..=10).contains(&late), "{}", clock(sent[0]));
}
