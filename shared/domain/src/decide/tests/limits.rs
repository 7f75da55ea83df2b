//! Throttles and caps.

use serde_json::{Value, json};

use super::engine::{world_with, world_with_people};
use super::world::World;

#[test]
fn throttle_ends_runs_above_its_limit() {
    let mut world =
        world_with(throttled(1, &[super::send(json!(["email"])), super::send(json!(["sms"]))]), json!({}));
    world.order("1");
    world.minutes(30);
    world.order("2");
    world.minutes(30);
    world.order("3");
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 1 sms", "13:00 3 email", "13:00 3 sms"]);
    assert_eq!(world.refusals(), ["12:30 email throttled"]);
}

#[test]
fn throttle_counts_a_step_once() {
    let mut world = world_with(throttled(2, &[super::send(json!(["email", "sms", "socket"]))]), json!({}));
    world.orders(&["1", "2", "3"]);
    assert_eq!(world.sends().len(), 6);
    assert_eq!(world.refusals().len(), 3);
}

#[test]
fn redelivered_event_is_not_counted_again() {
    let mut world = world_with(throttled(2, &[super::send(json!(["email"]))]), json!({}));
    let event = world.order("1");
    (0..5).for_each(|_| world.deliver(&event));
    world.order("2");
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email"]);
}

#[test]
fn suppressed_notification_is_not_counted() {
    // Ann refuses e-mail of this category for small orders.
    let when = json!({ "detail": { "data": { "total": [{ "numeric": [">", 10] }] } } });
    let preferences = json!({ "workflows": { "paid": { "conditions": [when] } } });
    let ann = json!([{ "id": "ann", "email": "ann@example.com", "preferences": preferences }]);
    let mut world = world_with_people(throttled(1, &[super::send(json!(["email"]))]), json!({}), ann);
    for (id, total) in [("1", 5), ("2", 50)] {
        let event = json!({ "id": id, "data": { "user": "ann", "total": total } });
        world.deliver(&super::paid("ann", event));
    }
    assert_eq!(world.refusals(), ["12:00 email preference"]);
    assert_eq!(world.sends(), ["12:00 2 email"]);
}

#[test]
fn capped_notification_does_not_use_the_throttle() {
    let caps = json!({ "caps": [cap("sms", 1, json!({ "channel": "sms" }))] });
    let steps = json!([
        { "throttle": { "most": 2, "per": "10h" } }, super::send(json!(["sms"])),
    ]);
    let mut world = world_with(json!({ "steps": steps }), caps);
    world.orders(&["1", "2", "3"]);
    world.minutes(61);
    world.order("4");
    assert_eq!(world.sends(), ["12:00 1 sms", "13:01 4 sms"]);
    assert_eq!(world.refusals(), ["12:00 sms capped", "12:00 sms capped"]);
}

#[test]
fn throttle_before_a_wait_applies_after_it() {
    let wait = json!({ "wait": { "for": "PT10M" } });
    let mut world = world_with(throttled(1, &[wait, super::send(json!(["email"]))]), json!({}));
    world.orders(&["1", "2", "3"]);
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 1 email"]);
    assert_eq!(world.refusals(), ["12:10 email throttled", "12:10 email throttled"]);
}

#[test]
fn room_passes_the_throttle_before_a_skipped_digest() {
    let steps = json!([
        { "throttle": { "most": 1, "per": "30m" } },
        { "digest": { "span": "10m", "policy": {} } },
        { "wait": { "for": "PT10M" } },
        super::send(json!(["socket"])),
    ]);
    let mut world =
        world_with(json!({ "steps": steps, "to": [super::room("shop", "$.data.user")] }), json!({}));
    world.orders(&["1", "2"]);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 1 socket"]);
    assert_eq!(world.refusals(), ["12:10 socket throttled"]);
}

#[test]
fn deferred_digest_passes_its_throttle_when_sent() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let steps = json!([
        { "digest": { "span": "10m", "key": "$.data.board", "policy": {} } },
        { "throttle": { "most": 1, "per": "30m" } },
        super::send(json!(["sms"])),
    ]);
    let mut world = world_with(json!({ "steps": steps }), quiet);
    for (id, board) in [("1", "x"), ("2", "y")] {
        world.deliver(&super::paid("ann", json!({ "id": id, "data": { "user": "ann", "board": board } })));
    }
    world.minutes(120);
    assert_eq!(world.sends().len(), 1);
    assert_eq!(world.refusals().len(), 1);
}

#[test]
fn deferred_notification_passes_its_throttle_when_sent() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = world_with(throttled(2, &[super::send(json!(["email", "sms"]))]), quiet);
    world.orders(&["1", "2", "3", "4", "5"]);
    world.minutes(100);
    let event_ids: std::collections::BTreeSet<&str> =
        world.sent().map(|sent| sent.event.1.as_str()).collect();
    assert_eq!((event_ids.len(), world.sends().len()), (2, 4), "{:?}", world.sends());
}

#[test]
fn deferred_channel_is_not_throttled_by_its_own_run() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = world_with(
        json!({ "steps": [{ "throttle": { "most": 1, "per": "1d" } }, super::send(json!(["socket", "email"]))] }),
        quiet,
    );
    world.order("1");
    world.order("2");
    world.minutes(100);
    assert_eq!(world.refusals(), ["12:00 socket throttled", "12:00 email throttled"]);
    let sends: Vec<String> = world.sends().iter().map(|send| send[6..].to_owned()).collect();
    assert_eq!(sends, ["1 socket", "1 email"]);
}

#[test]
fn throttle_counts_each_key_separately() {
    let steps = json!([{ "throttle": { "most": 1, "per": "1h", "key": "$.data.shop" } }, super::send(json!(["email"]))]);
    let mut world = world_with(json!({ "steps": steps }), json!({}));
    for (id, shop) in [("1", "a"), ("2", "b"), ("3", "a")] {
        world.deliver(&super::paid("ann", json!({ "id": id, "data": { "user": "ann", "shop": shop } })));
    }
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email"]);
}

#[test]
fn throttle_counts_each_recipient_and_tenant_separately() {
    let mut world = world_with(throttled(1, &[super::send(json!(["email"]))]), json!({}));
    for (id, user, tenant) in [("1", "ann", "a"), ("2", "ben", "a"), ("3", "ann", "b"), ("4", "ann", "a")] {
        world.deliver(&super::paid(user, json!({ "id": id, "tenant": tenant })));
    }
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email", "12:00 3 email"]);
}

#[test]
fn cap_spans_all_rules_and_counts_exempt_categories() {
    let rules = [
        super::rule("one", json!({ "category": "news" })),
        super::rule("safety", json!({ "category": "safety" })),
        super::rule("two", json!({ "category": "news" })),
    ];
    let caps = json!({ "caps": [cap("all", 2, json!({ "except": ["safety"] }))] });
    let people = super::engine::people();
    let setting = super::engine::setting(&rules, &caps, &people, &json!({}));
    let mut world = World::new(setting, super::engine::at("12:00"));
    world.order("1");
    world.order("2");
    let rules: Vec<&str> = world.sent().map(|sent| sent.rule.as_str()).collect();
    assert_eq!(rules, ["one", "safety", "safety"]);
    assert_eq!(world.refusals().len(), 3);
}

#[test]
fn cap_scopes_are_channel_category_tenant_and_environment() {
    check_cap(json!({ "channel": "sms" }), &["1 email", "1 sms", "2 email", "3 email"]);
    check_cap(json!({ "category": "c" }), &["1 email", "3 email"]);
    check_cap(json!({ "category": "elsewhere" }), &["1 email", "1 sms", "2 email", "2 sms", "3 email"]);
    check_cap(json!({ "per": "tenant" }), &["1 email", "3 email"]);
    check_cap(json!({ "per": "environment" }), &["1 email"]);
}

#[test]
fn sms_country_policy_applies_to_critical_rules() {
    let policy = |countries: Value| json!({ "texting": { "countries": countries } });
    for (countries, priority, expected) in [
        (json!([]), "normal", true),
        (json!(["+49"]), "normal", true),
        (json!(["+44"]), "normal", false),
        (json!(["+44"]), "critical", false),
    ] {
        let rule = json!({ "channels": ["email", "sms"], "priority": priority });
        let mut world = world_with(rule, policy(countries.clone()));
        world.order("1");
        let sends = world.sends();
        assert_eq!(sends.iter().any(|send| send.ends_with("sms")), expected, "{countries} {priority}");
        assert!(sends.iter().any(|send| send.ends_with("email")), "the country policy applies to SMS only");
    }
}

#[test]
fn critical_notification_is_counted_but_not_blocked() {
    let caps = json!({ "caps": [cap("all", 1, json!({}))] });
    let mut rule = throttled(1, &[super::send(json!(["email"]))]);
    rule["priority"] = json!("critical");
    let mut world = world_with(rule, caps);
    world.orders(&["1", "2"]);
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email"]);
}

#[test]
fn redelivered_run_counts_newly_ready_channels() {
    // At first only the socket is ready; after the redelivery e-mail is ready too.
    let policy = json!({
        "quiet": { "quiet": { "start": "11:00", "end": "13:00" } }, "caps": [cap("all", 2, json!({}))],
    });
    let mut world = world_with(json!({ "channels": ["socket", "email"] }), policy);
    let first = world.order("1");
    world.minutes(55);
    world.order("2");
    world.continuations.clear();
    world.minutes(6);
    world.deliver(&first);
    world.minutes(1);
    world.order("3");
    let sent: Vec<String> = world.sends();
    assert_eq!(sent, ["12:00 1 socket", "12:55 2 socket", "13:01 1 email"]);
}

fn throttled(most: u32, then: &[Value]) -> Value {
    let mut steps = vec![json!({ "throttle": { "most": most, "per": "1h" } })];
    steps.extend_from_slice(then);
    json!({ "steps": steps })
}

/// A limit of `most` in an hour.
fn cap(name: &str, most: u32, others: Value) -> Value {
    let limit = json!({ "name": name, "most": most, "period": { "rolling": "1h" } });
    let mut cap = json!({ "limit": limit, "per": "recipient" });
    cap.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    cap
}

/// The sends of two events to Ann and one to Ben, who belongs to another tenant, with a cap of one.
#[track_caller]
fn check_cap(others: Value, expected: &[&str]) {
    let caps = json!({ "caps": [cap("all", 1, others.clone())] });
    let mut world = world_with(json!({ "channels": ["email", "sms"] }), caps);
    for (id, user, tenant) in [("1", "ann", "a"), ("2", "ann", "a"), ("3", "ben", "b")] {
        world.deliver(&super::paid(user, json!({ "id": id, "tenant": tenant })));
    }
    let sends: Vec<String> = world.sends().iter().map(|send| send[6..].to_owned()).collect();
    assert_eq!(sends, expected, "{others}");
}
