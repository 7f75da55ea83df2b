//! Keys of throttles, digests and cancellations: each event value has its own key.

use serde_json::json;

use super::engine::world_with;
use super::world::World;

/// JSON texts, so that numbers keep their digits.
fn values() -> Vec<String> {
    let long = "L".repeat(300);
    let texts = [
        "true",
        "false",
        "1.5",
        "2.5",
        r#"{"a":1}"#,
        r#"{"a":2}"#,
        r#""x""#,
        r#""y""#,
        r#"["p","q"]"#,
        r#"["p","r"]"#,
        r#"["q"]"#,
        "1",
        "2",
        r#""""#,
        r#"" ""#,
        "{}",
        "[]",
        "123456789012345678901234567890",
        "123456789012345678901234567891",
        "12345678901234567890.12",
        "12345678901234567890.13",
        r#""true""#,
        r#"{"x":1,"y":[true]}"#,
    ];
    let texts = texts.into_iter().map(str::to_owned);
    texts.chain([format!("\"{long}1\""), format!("\"{long}2\"")]).collect()
}

const WITHOUT_KEY: [&str; 2] = [r#""k":null,"#, ""];

#[test]
fn throttle_counts_each_value_separately() {
    let throttle = json!({ "throttle": { "most": 1, "per": "1h", "key": "$.data.k" } });
    let mut world = world_with(json!({ "steps": [throttle, super::send(json!(["email"]))] }), json!({}));
    for round in ["first", "second"] {
        for (place, value) in values().iter().enumerate() {
            deliver(&mut world, "order.paid", &format!("{round} {place}"), &format!("\"k\":{value},"));
        }
    }
    assert_eq!(world.sends().len(), values().len());
    assert_eq!(world.refusals().len(), values().len(), "each is throttled the second time");
}

#[test]
fn digest_collects_each_value_separately() {
    let digest = json!({ "digest": { "span": "10m", "key": "$.data.k", "policy": {} } });
    let mut world = world_with(json!({ "steps": [digest, super::send(json!(["email"]))] }), json!({}));
    for round in ["first", "second"] {
        for (place, value) in values().iter().enumerate() {
            deliver(&mut world, "order.paid", &format!("{round} {place}"), &format!("\"k\":{value},"));
        }
    }
    world.minutes(60);
    assert_eq!(world.sends(), vec!["12:10 2 together email"; values().len()]);
}

#[test]
fn cancellation_applies_to_the_same_value_only() {
    for cancelled in 0..values().len() {
        let mut world = reminding();
        for (place, value) in values().iter().enumerate() {
            deliver(&mut world, "order.paid", &format!("{place}"), &format!("\"k\":{value},"));
        }
        deliver(&mut world, "order.lost", "lost", &format!("\"k\":{},", values()[cancelled]));
        world.minutes(60);
        assert_eq!(world.sends().len(), values().len() - 1);
        assert_eq!(world.refusals(), ["12:30 email cancelled"]);
        assert!(!world.sends().contains(&format!("12:30 {cancelled} email")), "{}", values()[cancelled]);
    }
}

#[test]
fn equal_values_have_one_key_in_any_spelling() {
    for (one, other) in
        [("1", r#""1""#), ("1", "1.0"), ("1e2", "100"), (r#"{"a":1,"b":2}"#, r#"{ "b": 2.0, "a": 1 }"#)]
    {
        let mut world = reminding();
        deliver(&mut world, "order.paid", "1", &format!("\"k\":{one},"));
        deliver(&mut world, "order.lost", "2", &format!("\"k\":{other},"));
        world.minutes(60);
        assert_eq!(world.refusals(), ["12:30 email cancelled"], "{one} {other}");
    }
}

#[test]
fn event_without_a_key_is_not_throttled_and_has_a_note() {
    let throttle = json!({ "throttle": { "most": 1, "per": "1h", "key": "$.data.k" } });
    let mut world = world_with(json!({ "steps": [throttle, super::send(json!(["email"]))] }), json!({}));
    for (place, key) in WITHOUT_KEY.into_iter().cycle().take(6).enumerate() {
        deliver(&mut world, "order.paid", &place.to_string(), key);
    }
    assert_eq!(world.sends().len(), 6);
    check_notes(
        &world,
        "`$.data.k` of the event is missing or null, so its throttle does not count the event",
    );
}

#[test]
fn event_without_a_key_has_its_own_digest_and_a_note() {
    let digest = json!({ "digest": { "span": "10m", "key": "$.data.k", "policy": {} } });
    let mut world = world_with(json!({ "steps": [digest, super::send(json!(["email"]))] }), json!({}));
    for (place, key) in WITHOUT_KEY.into_iter().cycle().take(4).enumerate() {
        let event = deliver(&mut world, "order.paid", &place.to_string(), key);
        world.deliver(&event);
    }
    let collected = world.log.len();
    world.minutes(60);
    assert_eq!(world.sends(), vec!["12:10 1 together email"; 4]);
    world.log.truncate(collected);
    check_notes(&world, "`$.data.k` of the event is missing or null, so its digest holds this event alone");
}

#[test]
fn event_without_a_key_cancels_nothing_and_has_a_note() {
    for key in WITHOUT_KEY {
        let mut world = reminding();
        deliver(&mut world, "order.paid", "1", key);
        check_notes(&world, "`$.data.k` of the event is missing or null, so no event can cancel it");
        deliver(&mut world, "order.lost", "2", key);
        assert_eq!(world.refusals(), ["12:00 - no_key"]);
        world.minutes(60);
        assert_eq!(world.sends(), ["12:30 1 email"]);
    }
}

#[track_caller]
fn check_notes(world: &World, expected: &str) {
    for entry in &world.log {
        assert!(entry.notes.iter().any(|note| note.to_string() == expected), "{:?}", entry.notes);
    }
}

fn reminding() -> World {
    let cancel = json!({ "key": ["$.data.k"], "when": { "detail-type": ["order.lost"] } });
    let steps = json!([{ "wait": { "for": "PT30M" } }, super::send(json!(["email"]))]);
    world_with(json!({ "steps": steps, "cancel": cancel }), json!({}))
}

fn deliver(world: &mut World, kind: &str, id: &str, key: &str) -> crate::event::Event {
    let event = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/shop","type":"{kind}","time":"2026-11-20T12:00:00Z",
            "data":{{{key}"user":"ann"}}}}"#
    );
    let event = crate::event::Event::parse(&event).unwrap();
    world.deliver(&event);
    event
}
