//! Explanations of decisions.

use serde_json::{Value, json};

use super::engine::{at, people, setting, world_with, world_with_people};
use super::world::World;
use super::{catalog, known, now, paid, rule, verdict};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::decide::plan::Plan;
use crate::decide::{Answer, Ask, decide_with};
use crate::recipient::keyed_hash::{KeyedHashes, former};

#[test]
fn deciding_preference_layer_is_named_last() {
    let preferences = json!({ "channel_types": { "email": true }, "categories": { "c": false } });
    let world = world_after(json!({ "preferences": preferences }), json!({}), json!({}));
    assert_eq!(notes(&world), ["email is on for everything (recipient)", "category c is off (recipient)"],);
    assert_eq!(world.refusals(), ["12:00 email preference"]);
}

#[test]
fn environment_and_tenant_preferences_can_be_locked() {
    let locked =
        json!({ "categories": { "c": { "__strategy__": "replace", "channel_types": { "email": false } } } });
    let world = world_after(
        json!({ "preferences": { "categories": { "c": true } } }),
        json!({ "preferences": locked }),
        json!({}),
    );
    assert_eq!(notes(&world), ["email is off for category c (environment, locked)"]);
}

#[test]
fn tenant_preferences_apply_to_its_own_events() {
    let tenants = json!({ "north": { "preferences": { "categories": { "c": false } } } });
    let rules = [rule("paid", json!({}))];
    for (tenant, sent) in [("north", 0), ("south", 1)] {
        let setting = setting(&rules, &json!({}), &people(), &tenants);
        let mut world = World::new(setting, at("12:00"));
        world.deliver(&paid("ann", json!({ "tenant": tenant })));
        assert_eq!(world.sends().len(), sent, "{tenant}");
    }
}

#[test]
fn critical_rule_overrides_preferences_with_a_note() {
    let refusing = json!({ "categories": { "c": false }, "commercial_subscribed": false });
    let world = world_after(
        json!({ "preferences": refusing }),
        json!({}),
        json!({ "priority": "critical", "commercial": true }),
    );
    assert_eq!(world.sends(), ["12:00 1 email"]);
    assert_eq!(notes(&world), ["the rule is critical: preferences, quiet hours and limits do not apply"]);
}

#[test]
fn critical_rule_does_not_override_suppression() {
    for (why, reason) in [
        ("bounced", Reason::SuppressedAddress),
        ("complained", Reason::SuppressedAddress),
        ("opted_out", Reason::OptedOut),
    ] {
        for priority in ["critical", "normal"] {
            let closed = json!({ "suppressed": [{ "channel": "email", "why": why }] });
            let world = world_after(closed, json!({}), json!({ "priority": priority }));
            assert_eq!(world.refusals(), [format!("12:00 email {}", reason.name())]);
            assert!(
                notes(&world)[0].starts_with("this channel is suppressed permanently"),
                "{:?}",
                notes(&world)
            );
        }
    }
}

#[test]
fn suppression_ends_at_its_time() {
    for (until, sent) in [("2026-11-20T12:00:00Z", 1), ("2026-11-20T12:00:01Z", 0)] {
        let closed = json!({ "suppressed": [{ "channel": "email", "why": "bounced", "until": until }] });
        assert_eq!(world_after(closed, json!({}), json!({})).sends().len(), sent, "{until}");
    }
}

#[test]
fn suppression_applies_to_the_bounced_address_only() {
    for (address, sent) in [("ann@example.com", 0), ("old@example.com", 1)] {
        let now = KeyedHashes::development().address(Channel::Email, address);
        for name in [now, former::address(Channel::Email, address)] {
            let bounced = json!({ "channel": "email", "why": "bounced", "address": name });
            assert_eq!(
                world_after(json!({ "suppressed": [bounced] }), json!({}), json!({})).sends().len(),
                sent
            );
        }
    }
}

#[test]
fn address_without_a_profile_is_checked_for_suppression() {
    let address = json!({ "address": { "channel": "email", "of": { "path": "$.data.guest" } } });
    let event = paid("ann", json!({ "data": { "guest": "Guest@example.com" } }));
    let catalog = catalog(&[rule("guest", json!({ "to": [address] }))]);
    let (plan, nobody) = (Plan::of(&event, &catalog), known(&json!([])));
    let name = KeyedHashes::development().address(Channel::Email, "guest@example.com");
    let of_the_last_release = former::address(Channel::Email, "guest@example.com");
    for (filed_under, until, expected) in [
        (&name, "2026-12-01T00:00:00Z", "suppressed_address"),
        (&name, "2026-11-01T00:00:00Z", "send to Guest@example.com"),
        (&of_the_last_release, "2026-12-01T00:00:00Z", "suppressed_address"),
    ] {
        let closed = json!({ "channel": "email", "why": "bounced", "until": until });
        let decisions = decide_with(&plan, &nobody, None, now(), |ask| {
            let Ask::Closed { address } = ask else { return ask.default_answer() };
            assert!([&name, &of_the_last_release].contains(&address));
            let found = (address == filed_under).then(|| serde_json::from_value(closed.clone()).unwrap());
            Answer::Closed(found)
        });
        assert_eq!(decisions.len(), 1);
        assert_eq!(verdict(&decisions[0].verdict), expected);
    }
}

#[test]
fn opt_out_of_advertising_keeps_transactional_messages() {
    let refusing = json!({ "preferences": { "commercial_subscribed": false } });
    assert_eq!(
        world_after(refusing.clone(), json!({}), json!({ "commercial": true })).refusals(),
        ["12:00 email preference"]
    );
    assert_eq!(world_after(refusing, json!({}), json!({})).sends().len(), 1);
}

#[test]
fn quiet_hours_note_names_owner_and_zone() {
    let night = json!({ "quiet": { "start": "20:00", "end": "23:00" } });
    let world = world_after(json!({ "zone": "Asia/Tokyo", "quiet": night }), json!({}), json!({}));
    let notes = notes(&world);
    assert_eq!(notes[0], "the time zone is Asia/Tokyo (from the recipient)");
    assert!(notes[1].starts_with("the recipient's quiet hours defer it until 2026-11-20T14:0"), "{notes:?}");
    assert!(
        notes[1].ends_with(
            ": they end at 2026-11-20T14:00:00Z, and deferred notifications are spread over some minutes after that"
        ),
        "{notes:?}"
    );
}

#[test]
fn unknown_zone_is_skipped_with_a_note() {
    let night = json!({ "quiet": { "start": "11:00", "end": "13:00" } });
    let world = world_after(json!({ "zone": "Europe/Atlantis", "quiet": night }), json!({}), json!({}));
    let notes = notes(&world);
    assert!(
        notes[0].contains("Europe/Atlantis") && notes[0].ends_with("so the next zone counts"),
        "{notes:?}"
    );
    assert_eq!(notes[1], "the time zone is Etc/UTC (from the policy)");
}

#[test]
fn limit_notes_name_limit_and_state() {
    let limit = json!({ "name": "daily", "most": 1, "period": { "rolling": "1h" } });
    let mut world = world_with(json!({}), json!({ "caps": [{ "limit": limit, "per": "recipient" }] }));
    world.order("1");
    assert_eq!(notes(&world), ["within the limit `daily` of 1"]);
    world.minutes(1);
    world.order("2");
    assert_eq!(
        notes(&world),
        ["the limit `daily` is reached: 1 of 1 have passed, the next may pass at 2026-11-20T13:00:00Z"],
    );
}

#[test]
fn collected_note_names_the_closing_time() {
    let steps = json!([{ "digest": { "span": "10m", "policy": {} } }, super::send(json!(["email"]))]);
    let world = world_after(json!({}), json!({}), json!({ "steps": steps }));
    assert_eq!(notes(&world), ["collected into a digest that is sent at 2026-11-20T12:10:00Z"]);
}

fn world_after(ann: Value, policy: Value, rule: Value) -> World {
    let mut person = json!({ "id": "ann", "email": "ann@example.com" });
    person.as_object_mut().unwrap().extend(ann.as_object().unwrap().clone());
    let mut world = world_with_people(rule, policy, json!([person]));
    world.order("1");
    world
}

/// The notes of the last decision.
fn notes(world: &World) -> Vec<String> {
    world.log.last().unwrap().notes.iter().map(ToString::to_string).collect()
}
