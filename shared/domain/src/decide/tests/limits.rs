//! Throttles and caps.

use serde_json::{Value, json};

use super::engine::{stage, staged};
use super::world::World;

#[test]
fn a_throttle_lets_so_many_through_and_ends_the_other_runs() {
    let mut world =
        stage(throttled(1, &[super::send(json!(["email"])), super::send(json!(["sms"]))]), json!({}));
    world.order("1");
    world.minutes(30);
    world.order("2");
    world.minutes(30);
    world.order("3");
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 1 sms", "13:00 3 email", "13:00 3 sms"]);
    assert_eq!(world.refusals(), ["12:30 email throttled"]);
}

#[test]
fn a_throttle_counts_a_step_once_however_many_channels_it_has() {
    let mut world = stage(throttled(2, &[super::send(json!(["email", "sms", "socket"]))]), json!({}));
    world.orders(&["1", "2", "3"]);
    assert_eq!(world.sends().len(), 6);
    assert_eq!(world.refusals().len(), 3);
}

#[test]
fn an_event_that_comes_again_uses_nothing_up() {
    let mut world = stage(throttled(2, &[super::send(json!(["email"]))]), json!({}));
    let event = world.order("1");
    (0..5).for_each(|_| world.deliver(&event));
    world.order("2");
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email"]);
}

#[test]
fn what_would_not_be_sent_anyway_uses_nothing_up() {
    // Ann refuses email of this category while the order is small.
    let when = json!({ "detail": { "data": { "total": [{ "numeric": [">", 10] }] } } });
    let preferences = json!({ "workflows": { "paid": { "conditions": [when] } } });
    let ann = json!([{ "id": "ann", "email": "ann@example.com", "preferences": preferences }]);
    let mut world = staged(throttled(1, &[super::send(json!(["email"]))]), json!({}), ann);
    for (id, total) in [("1", 5), ("2", 50)] {
        let event = json!({ "id": id, "data": { "user": "ann", "total": total } });
        world.deliver(&super::paid("ann", event));
    }
    assert_eq!(world.refusals(), ["12:00 email preference"]);
    assert_eq!(world.sends(), ["12:00 2 email"]);
}

#[test]
fn what_a_cap_holds_back_does_not_use_up_the_throttle() {
    let caps = json!({ "caps": [cap("sms", 1, json!({ "channel": "sms" }))] });
    let steps = json!([
        { "throttle": { "most": 2, "per": "10h" } }, super::send(json!(["sms"])),
    ]);
    let mut world = stage(json!({ "steps": steps }), caps);
    world.orders(&["1", "2", "3"]);
    world.minutes(61);
    world.order("4");
    assert_eq!(world.sends(), ["12:00 1 sms", "13:01 4 sms"]);
    assert_eq!(world.refusals(), ["12:00 sms capped", "12:00 sms capped"]);
}

#[test]
fn a_throttle_that_was_met_before_a_wait_still_holds_after_it() {
    let wait = json!({ "wait": { "for": "PT10M" } });
    let mut world = stage(throttled(1, &[wait, super::send(json!(["email"]))]), json!({}));
    world.orders(&["1", "2", "3"]);
    world.minutes(30);
    assert_eq!(world.sends(), ["12:10 1 email"]);
    assert_eq!(world.refusals(), ["12:10 email throttled", "12:10 email throttled"]);
}

#[test]
fn a_room_that_no_digest_collects_for_still_meets_the_throttle_before_it() {
    let steps = json!([
        { "throttle": { "most": 1, "per": "30m" } },
        { "digest": { "span": "10m", "policy": {} } },
        { "wait": { "for": "PT10M" } },
        super::send(json!(["socket"])),
    ]);
    let mut world = stage(json!({ "steps": steps, "to": [super::room("shop", "$.data.user")] }), json!({}));
    world.orders(&["1", "2"]);
    world.minutes(60);
    assert_eq!(world.sends(), ["12:10 1 socket"]);
    assert_eq!(world.refusals(), ["12:10 socket throttled"]);
}

#[test]
fn a_digest_that_waited_for_the_morning_passes_its_throttle_then() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let steps = json!([
        { "digest": { "span": "10m", "key": "$.data.board", "policy": {} } },
        { "throttle": { "most": 1, "per": "30m" } },
        super::send(json!(["sms"])),
    ]);
    let mut world = stage(json!({ "steps": steps }), quiet);
    for (id, board) in [("1", "x"), ("2", "y")] {
        world.deliver(&super::paid("ann", json!({ "id": id, "data": { "user": "ann", "board": board } })));
    }
    world.minutes(120);
    assert_eq!(world.sends().len(), 1);
    assert_eq!(world.refusals().len(), 1);
}

#[test]
fn what_was_held_back_for_the_night_passes_its_throttle_in_the_morning() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = stage(throttled(2, &[super::send(json!(["email", "sms"]))]), quiet);
    world.orders(&["1", "2", "3", "4", "5"]);
    world.minutes(100);
    let told: std::collections::BTreeSet<&str> = world.sent().map(|sent| sent.event.1.as_str()).collect();
    assert_eq!((told.len(), world.sends().len()), (2, 4), "{:?}", world.sends());
}

#[test]
fn a_channel_that_was_held_back_is_not_throttled_by_its_own_run() {
    let quiet = json!({ "quiet": { "quiet": { "start": "11:00", "end": "13:00" } } });
    let mut world = stage(
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
fn a_throttle_counts_apart_what_its_key_keeps_apart() {
    let steps = json!([{ "throttle": { "most": 1, "per": "1h", "key": "$.data.shop" } }, super::send(json!(["email"]))]);
    let mut world = stage(json!({ "steps": steps }), json!({}));
    for (id, shop) in [("1", "a"), ("2", "b"), ("3", "a")] {
        world.deliver(&super::paid("ann", json!({ "id": id, "data": { "user": "ann", "shop": shop } })));
    }
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email"]);
}

#[test]
fn throttles_of_two_people_and_two_tenants_are_two() {
    let mut world = stage(throttled(1, &[super::send(json!(["email"]))]), json!({}));
    for (id, user, tenant) in [("1", "ann", "a"), ("2", "ben", "a"), ("3", "ann", "b"), ("4", "ann", "a")] {
        world.deliver(&super::paid(user, json!({ "id": id, "tenant": tenant })));
    }
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email", "12:00 3 email"]);
}

#[test]
fn a_cap_holds_over_all_rules_and_counts_what_it_never_blocks() {
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
fn a_cap_may_be_about_a_channel_a_category_or_everybody_together() {
    check_cap(json!({ "channel": "sms" }), &["1 email", "1 sms", "2 email", "3 email"]);
    check_cap(json!({ "category": "c" }), &["1 email", "3 email"]);
    check_cap(json!({ "category": "elsewhere" }), &["1 email", "1 sms", "2 email", "2 sms", "3 email"]);
    check_cap(json!({ "per": "tenant" }), &["1 email", "3 email"]);
    check_cap(json!({ "per": "environment" }), &["1 email"]);
}

#[test]
fn a_text_goes_only_where_the_policy_lets_it_however_urgent_it_is() {
    let policy = |countries: Value| json!({ "texting": { "countries": countries } });
    for (countries, priority, expected) in [
        (json!([]), "normal", true),
        (json!(["+49"]), "normal", true),
        (json!(["+44"]), "normal", false),
        (json!(["+44"]), "critical", false),
    ] {
        let rule = json!({ "channels": ["email", "sms"], "priority": priority });
        let mut world = stage(rule, policy(countries.clone()));
        world.order("1");
        let sends = world.sends();
        assert_eq!(sends.iter().any(|send| send.ends_with("sms")), expected, "{countries} {priority}");
        assert!(sends.iter().any(|send| send.ends_with("email")), "other channels go everywhere");
    }
}

#[test]
fn an_emergency_is_counted_and_never_held_back() {
    let caps = json!({ "caps": [cap("all", 1, json!({}))] });
    let mut rule = throttled(1, &[super::send(json!(["email"]))]);
    rule["priority"] = json!("critical");
    let mut world = stage(rule, caps);
    world.orders(&["1", "2"]);
    assert_eq!(world.sends(), ["12:00 1 email", "12:00 2 email"]);
}

#[test]
fn a_run_that_comes_again_after_the_night_sends_nothing_uncounted() {
    // The first time only the socket was ready; the second time email is too.
    let policy = json!({
        "quiet": { "quiet": { "start": "11:00", "end": "13:00" } }, "caps": [cap("all", 2, json!({}))],
    });
    let mut world = stage(json!({ "channels": ["socket", "email"] }), policy);
    let first = world.order("1");
    world.minutes(55);
    world.order("2");
    world.wakes.clear();
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

/// Not more than `most` in an hour.
fn cap(name: &str, most: u32, others: Value) -> Value {
    let limit = json!({ "name": name, "most": most, "period": { "rolling": "1h" } });
    let mut cap = json!({ "limit": limit, "per": "recipient" });
    cap.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    cap
}

/// What is sent of two events to Ann and one to Ben, who is of another tenant, where the cap lets one through.
#[track_caller]
fn check_cap(others: Value, expected: &[&str]) {
    let caps = json!({ "caps": [cap("all", 1, others.clone())] });
    let mut world = stage(json!({ "channels": ["email", "sms"] }), caps);
    for (id, user, tenant) in [("1", "ann", "a"), ("2", "ann", "a"), ("3", "ben", "b")] {
        world.deliver(&super::paid(user, json!({ "id": id, "tenant": tenant })));
    }
    let sends: Vec<String> = world.sends().iter().map(|send| send[6..].to_owned()).collect();
    assert_eq!(sends, expected, "{others}");
}
