//! When somebody is not to be disturbed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::engine::{at, clock, stage, staged};
use super::world::World;
use crate::channel::Channel;

#[test]
fn a_person_in_tokyo_is_not_woken_at_three() {
    let mut world = sleeping(json!({ "zone": "Asia/Tokyo" }), json!({}));
    world.until("18:00");
    world.order("1");
    world.until("2026-11-21T12:00:00Z");
    // Seven o'clock in Tokyo.
    check_woken(&world, "2026-11-20T22:00:00Z");
}

#[test]
fn what_disturbs_nobody_is_not_held_back() {
    let mut world = sleeping(json!({}), json!({ "channels": ["socket", "email"] }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.sends(), ["23:00 1 socket"]);
}

#[test]
fn an_emergency_is_told_at_any_time() {
    let mut world = sleeping(json!({}), json!({ "priority": "critical" }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.sends(), ["23:00 1 email"]);
}

#[test]
fn a_rule_may_drop_what_would_disturb() {
    let mut world = sleeping(json!({}), json!({ "outside": "drop" }));
    world.until("23:00");
    world.order("1");
    world.until("2026-11-21T12:00:00Z");
    assert_eq!((world.sends(), world.refusals()), (vec![], vec!["23:00 email quiet_hours".to_owned()]));
}

#[test]
fn a_rule_may_tell_all_of_a_night_at_once_in_the_morning() {
    let mut world = sleeping(json!({}), json!({ "outside": "digest" }));
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
fn what_was_collected_in_the_night_and_comes_again_by_day_is_told_with_the_others_alone() {
    let mut world = sleeping(json!({}), json!({ "outside": "digest" }));
    world.until("23:00");
    let event = world.order("1");
    world.until("2026-11-21T12:00:00Z");
    world.deliver(&event);
    world.until("2026-11-22T12:00:00Z");
    assert_eq!(world.sends().len(), 1, "{:?}", world.sends());
}

#[test]
fn what_would_be_too_late_in_the_morning_is_dropped_at_once() {
    let mut world = sleeping(json!({}), json!({ "expires": "PT6H" }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.refusals(), ["23:00 email expired_in_quiet_hours"]);
    assert!(world.wakes.is_empty());
}

#[test]
fn who_is_never_to_be_disturbed_is_told_so() {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let rows: Vec<Value> = days.iter().map(|day| json!({ "day": day, "type": "do_not_send" })).collect();
    let mut world = sleeping(json!({ "quiet": rows }), json!({}));
    world.order("1");
    assert_eq!(world.refusals(), ["12:00 email quiet_hours"]);
}

#[test]
fn whoever_is_closest_to_the_recipient_says_when() {
    let noon = json!({ "quiet": { "start": "11:00", "end": "13:00" } });
    let open = json!([]);
    // The recipient's own, within the tenant, beats the recipient's, which beats everybody's.
    let held = json!({ "quiet": open, "in_tenants": { "north": { "quiet": noon } } });
    let free = json!({ "quiet": noon, "in_tenants": { "north": { "quiet": open } } });
    for (person, tenant, sent) in [(&held, true, 0), (&held, false, 1), (&free, true, 1), (&free, false, 0)] {
        let mut world = sleeping(person.clone(), json!({}));
        let tenant = if tenant { json!({ "tenant": "north" }) } else { json!({}) };
        world.deliver(&super::paid("ann", tenant));
        assert_eq!(world.sends().len(), sent, "{person}");
    }
}

#[test]
fn the_zone_of_the_device_comes_before_the_events_and_that_before_the_persons() {
    // At noon it is three in the night in Los Angeles, and nine in the evening in Tokyo.
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
        let mut world = sleeping(person.clone(), json!({ "channels": ["push"] }));
        world.deliver(&super::paid("ann", event.clone()));
        assert_eq!(world.sends().len(), sent, "{person} {event}");
    }
}

#[test]
fn a_phone_rings_although_the_tablet_at_home_has_to_wait() {
    let device = |id: &str, zone: &str| json!({ "id": id, "platform": "fcm", "endpoint": id, "zone": zone });
    let devices = json!([device("tablet", "America/Los_Angeles"), device("phone", "Asia/Tokyo")]);
    let mut world = sleeping(json!({ "devices": devices }), json!({ "channels": ["push"] }));
    world.order("1");
    assert_eq!(world.sends(), ["12:00 1 push phone"]);
    world.until("20:00");
    let sends: Vec<_> = world.sent().skip(1).collect();
    assert_eq!(sends.len(), 1);
    let seven = at("15:00");
    assert!((seven..=seven + jiff::SignedDuration::from_mins(10)).contains(&sends[0].at));
}

#[test]
fn devices_whose_windows_never_meet_are_told_one_after_the_other_and_then_it_is_over() {
    let device = |id: &str, zone: &str| json!({ "id": id, "platform": "fcm", "endpoint": id, "zone": zone });
    let devices = json!([device("tablet", "Etc/UTC"), device("phone", "Asia/Tokyo")]);
    let noon = json!({ "quiet": { "start": "13:00", "end": "12:00" } });
    let mut world = sleeping(json!({ "devices": devices, "quiet": noon }), json!({ "channels": ["push"] }));
    world.order("1");
    world.until("2026-11-30T12:00:00Z");
    assert_eq!(world.sends().len(), 2);
    assert!(world.wakes.is_empty());
}

#[test]
fn what_was_held_back_is_sent_even_if_the_window_is_short() {
    // Everybody wakes at a moment of their own, but never after the window.
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let row = |it: &&str| json!({ "day": it, "type": "send", "from": "08:00:00", "until": "08:02:00" });
    let rows: Vec<Value> = days.iter().map(row).collect();
    let mut world = sleeping(json!({ "quiet": rows }), json!({}));
    for id in 0..20 {
        world.order(&id.to_string());
    }
    world.until("2026-11-21T09:00:00Z");
    assert_eq!(world.sends().len(), 20);
}

#[test]
fn not_everybody_is_told_at_the_same_instant() {
    let mut world = sleeping(json!({}), json!({}));
    world.until("23:00");
    for id in 0..20 {
        world.order(&id.to_string());
    }
    world.until("2026-11-21T09:00:00Z");
    let times: std::collections::BTreeSet<Timestamp> = world.sent().map(|sent| sent.at).collect();
    assert!(times.len() > 15, "{times:?}");
}

#[test]
fn the_steps_after_what_is_held_back_go_on() {
    let steps = json!([super::send(json!(["email"])), super::send(json!(["socket"]))]);
    let mut world = sleeping(json!({}), json!({ "steps": steps }));
    world.until("23:00");
    world.order("1");
    assert_eq!(world.sends(), ["23:00 1 socket"]);
    world.until("2026-11-21T09:00:00Z");
    let channels: Vec<Option<Channel>> = world.sent().map(|sent| sent.channel).collect();
    assert_eq!(channels, [Some(Channel::Socket), Some(Channel::Email)]);
}

#[test]
fn what_was_held_back_does_not_go_through_the_later_steps_once_more() {
    let steps =
        json!([super::send(json!(["email"])), { "wait": { "for": "PT1H" } }, super::send(json!(["email"]))]);
    let mut world = sleeping(json!({}), json!({ "steps": steps }));
    world.until("23:00");
    world.order("1");
    world.until("2026-11-21T07:11:00Z");
    assert_eq!(world.sends().len(), 2);
    assert!(world.wakes.is_empty());
}

#[test]
fn an_address_that_belongs_to_nobody_keeps_everybodys_hours() {
    let to = json!([{ "address": { "channel": "email", "of": { "literal": "lab@example.com" } } }]);
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = stage(json!({ "to": to }), quiet);
    world.order("1");
    assert!(world.sends().is_empty());
    world.until("14:00");
    assert_eq!(world.sends().len(), 1);
}

/// Ann with members set, and quiet hours for everybody from ten to seven.
fn sleeping(ann: Value, rule: Value) -> World {
    let mut person = json!({ "id": "ann", "email": "ann@example.com", "tenants": ["*"] });
    person.as_object_mut().unwrap().extend(ann.as_object().unwrap().clone());
    let quiet = json!({ "quiet": { "quiet": { "start": "22:00", "end": "07:00" } } });
    staged(rule, quiet, json!([person]))
}

/// One email at the opening, or at most ten minutes later.
#[track_caller]
fn check_woken(world: &World, opens: &str) {
    let sent: Vec<Timestamp> = world.sent().map(|sent| sent.at).collect();
    let opens = at(opens);
    assert_eq!(sent.len(), 1);
    let late = sent[0].duration_since(opens).as_mins();
    assert!((0..=10).contains(&late), "{}", clock(sent[0]));
}
