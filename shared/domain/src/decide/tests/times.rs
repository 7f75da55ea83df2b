//! Times and durations in events.

use serde_json::{Value, json};

use super::engine::world_with_people;
use super::world::World;

#[test]
fn reminder_waits_for_every_supported_time_format() {
    for (text, expected) in [
        (json!("2026-12-24T18:00:00+01:00"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24T18:00"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24 18:00:00"), "2026-12-24T17:00:00Z"),
        (json!("2026-12-24T18:00[Europe/London]"), "2026-12-24T18:00:00Z"),
        (json!("2026-12-24"), "2026-12-23T23:00:00Z"),
        (json!(1_798_135_200), "2026-12-24T18:00:00Z"),
        (json!(1_798_135_200_000_i64), "2026-12-24T18:00:00Z"),
        (json!("1d"), "2026-11-21T12:00:00Z"),
        (json!("7d"), "2026-11-27T12:00:00Z"),
        (json!("1w"), "2026-11-27T12:00:00Z"),
        (json!("P1D"), "2026-11-21T12:00:00Z"),
        (json!("PT90M"), "2026-11-20T13:30:00Z"),
        (json!("31d"), "2026-12-21T12:00:00Z"),
        (json!(["1d"]), "2026-11-21T12:00:00Z"),
    ] {
        let mut world = reminding(json!({}));
        deliver(&mut world, &json!({ "user": "ann", "at": text }));
        assert!(world.sends().is_empty(), "{text} was sent at once");
        let due: Vec<String> = world.continuations.iter().map(|(due, _)| due.to_string()).collect();
        assert_eq!(due, [expected], "{text}");
        world.until("2027-01-01T00:00:00Z");
        assert_eq!(world.sends().len(), 1, "{text}");
    }
}

#[test]
fn reminder_for_an_invalid_time_is_suppressed_with_a_note() {
    let bad = [
        json!("tomorrow"),
        json!(null),
        json!(""),
        json!("32d"),
        json!("P1M"),
        json!("-1h"),
        json!("24.12.2026 18:00"),
        json!("1798135200"),
        json!(1_798_135_200_000_000_i64),
        json!(true),
        json!({ "date": "2026-12-24" }),
        json!(["2026-12-24", "2026-12-25"]),
        json!([]),
        json!("9999-12-31T23:59:59Z[Etc/UTC]x"),
    ];
    for data in
        bad.iter().map(|value| json!({ "user": "ann", "at": value })).chain([json!({ "user": "ann" })])
    {
        for shift in ["PT0S", "-PT2H"] {
            let mut world = reminding(json!({ "shift": shift }));
            deliver(&mut world, &data);
            world.minutes(60 * 24 * 60);
            assert!(world.sends().is_empty(), "{data}");
            assert_eq!(world.refusals(), ["12:00 email unreadable_time"], "{data}");
            let notes = world.log.iter().flat_map(|entry| &entry.notes).map(ToString::to_string);
            assert!(notes.clone().any(|note| note.starts_with("`$.data.at` of the event is ")), "{data}");
            assert!(
                !notes.into_iter().any(|note| note.contains("tomorrow") || note.contains("2026")),
                "{data} is quoted"
            );
        }
    }
}

#[test]
fn unreadable_time_suppresses_only_later_steps() {
    let wait = json!({ "wait": { "event": { "path": "$.data.at", "shift": "PT0S" } } });
    let steps = json!([super::send(json!(["email"])), wait, super::send(json!(["sms", "push"]))]);
    let mut world = world_with_people(json!({ "steps": steps }), json!({}), ann());
    deliver(&mut world, &json!({ "user": "ann", "at": "soon" }));
    world.minutes(60 * 24 * 60);
    assert_eq!(world.sends(), ["12:00 1 email"]);
    assert_eq!(world.refusals(), ["12:00 sms unreadable_time", "12:00 push unreadable_time"]);
}

#[test]
fn shift_by_days_keeps_the_local_hour_when_clocks_change() {
    // Berlin changes to summer time on 28 March 2027.
    let at = "2027-03-28T09:00";
    for (shift, days, expected) in [
        ("-PT24H", -1, "2027-03-27T08:00:00Z"),
        ("-PT24H", 0, "2027-03-27T07:00:00Z"),
        ("-PT26H", -1, "2027-03-27T06:00:00Z"),
        ("-PT168H", -7, "2027-03-21T08:00:00Z"),
        ("PT24H", 1, "2027-03-29T07:00:00Z"),
    ] {
        let mut world = reminding(json!({ "shift": shift, "days": days }));
        deliver(&mut world, &json!({ "user": "ann", "at": at }));
        let due: Vec<String> = world.continuations.iter().map(|(due, _)| due.to_string()).collect();
        assert_eq!(due, [expected], "{shift} {days}");
    }
}

#[test]
fn repetition_ends_with_every_form_of_time() {
    // Every morning at 9:00 in Berlin, 8:00 UTC.
    for (until, count) in [
        (json!("2026-11-22T12:00:00Z"), 3),
        (json!("2026-11-22T12:00"), 3),
        (json!("2026-11-22T09:00"), 3),
        (json!("2026-11-22T08:59:59"), 2),
        (json!("2026-11-22"), 3),
        (json!(1_795_348_800), 3),
        (json!(1_795_348_800_000_i64), 3),
        (json!("2026-11-01"), 1),
        (json!("2d"), 3),
        (json!("P1D"), 2),
        (json!("PT1H"), 1),
    ] {
        for times in [None, Some(6)] {
            let mut world = repeating(times);
            deliver(&mut world, &json!({ "user": "ann", "until": until }));
            world.minutes(30 * 24 * 60);
            assert_eq!(world.sends().len(), count, "{until}");
            assert!(world.refusals().is_empty(), "{until}");
        }
    }
}

#[test]
fn repetition_with_an_invalid_end_stops_with_a_note() {
    let bad = [json!("the end"), json!(null), json!("32d"), json!(""), json!(true), json!({}), json!(1e300)];
    for data in
        bad.iter().map(|value| json!({ "user": "ann", "until": value })).chain([json!({ "user": "ann" })])
    {
        for times in [None, Some(6)] {
            let mut world = repeating(times);
            deliver(&mut world, &data);
            world.minutes(30 * 24 * 60);
            assert_eq!(world.sends(), ["12:00 1 email"], "{data}");
            assert_eq!(world.refusals(), ["12:00 - unreadable_time"], "{data}");
            assert!(world.continuations.is_empty(), "{data}");
        }
    }
}

#[test]
fn rule_with_an_unreadable_wait_is_not_repeated() {
    let repeat = json!({ "every": { "every": "daily", "at": "09:00" }, "times": 6 });
    let mut world = reminding(json!({ "rule": { "repeat": repeat } }));
    deliver(&mut world, &json!({ "user": "ann", "at": "soon" }));
    world.minutes(30 * 24 * 60);
    assert_eq!(world.refusals(), ["12:00 email unreadable_time"]);
    assert!(world.continuations.is_empty());
}

#[test]
fn message_expires_at_the_time_that_the_event_names() {
    for (valid, sent) in [
        (json!("2026-11-20T13:00:00Z"), true),
        (json!("2026-11-20T12:59:59Z"), false),
        (json!("2026-11-20T14:00"), true),
        (json!("2026-11-20T13:59"), false),
        (json!("2026-11-20"), true),
        (json!("2026-11-19"), false),
        (json!("1h"), true),
        (json!("PT59M"), false),
        (json!("7d"), true),
    ] {
        // The message would be sent one hour after the event.
        let mut world = expiring();
        deliver(&mut world, &json!({ "user": "ann", "valid": valid }));
        world.minutes(120);
        assert_eq!(!world.sends().is_empty(), sent, "{valid}");
        assert_eq!(world.refusals().is_empty(), sent, "{valid}");
    }
    for data in [
        json!({ "user": "ann", "valid": "soon" }),
        json!({ "user": "ann", "valid": null }),
        json!({ "user": "ann" }),
    ] {
        let mut world = expiring();
        deliver(&mut world, &data);
        world.minutes(120);
        assert_eq!(world.refusals(), ["12:00 email unreadable_time"], "{data}");
        assert!(world.sends().is_empty(), "{data}");
    }
}

fn expiring() -> World {
    let steps = json!([{ "wait": { "for": "PT1H" } }, super::send(json!(["email"]))]);
    world_with_people(json!({ "steps": steps, "expires": "$.data.valid" }), json!({}), ann())
}

fn repeating(times: Option<u32>) -> World {
    let mut repeat = json!({ "every": { "every": "daily", "at": "09:00" }, "until": "$.data.until" });
    if let Some(times) = times {
        repeat["times"] = times.into();
    }
    world_with_people(json!({ "repeat": repeat }), json!({}), ann())
}

/// An e-mail at `$.data.at`. `rule` has further members of the rule; the others belong to the wait.
fn reminding(mut others: Value) -> World {
    let mut rule = others["rule"].take();
    let mut wait = json!({ "path": "$.data.at", "shift": "PT0S" });
    for (name, value) in others.as_object().unwrap().iter().filter(|(name, _)| *name != "rule") {
        wait[name] = value.clone();
    }
    if rule.is_null() {
        rule = json!({});
    }
    rule["steps"] = json!([{ "wait": { "event": wait } }, super::send(json!(["email"]))]);
    world_with_people(rule, json!({}), ann())
}

fn ann() -> Value {
    let mut people = super::engine::people();
    people[0]["zone"] = json!("Europe/Berlin");
    people
}

fn deliver(world: &mut World, data: &Value) {
    world.deliver(&super::paid("ann", json!({ "data": data })));
}
