use proptest::prelude::*;
use serde_json::{Value, json};

use super::{at, policy};
use crate::event::Event;
use crate::limits::digest::{Item, event_key, summary};

#[test]
fn summary_has_counts_activities_actors_and_merged_data() {
    let items = [item(2, Some("ben"), json!({"order": 2, "by": "card"})), item(1, None, json!({"order": 1}))];
    let expected = json!({
        "total_activities": 2,
        "total_actors": 1,
        "activities": [
            {
                "id": "1", "source": "/shop", "type": "order.paid", "time": "2026-11-20T12:00:01Z", "subject": null,
                "actor": null, "data": {"order": 1},
            },
            {
                "id": "2", "source": "/shop", "type": "order.paid", "time": "2026-11-20T12:00:02Z", "subject": null,
                "actor": "ben", "data": {"order": 2, "by": "card"},
            },
        ],
        "actors": ["ben"],
        "data": {"order": 2, "by": "card"},
        "opened_at": "2026-11-20T12:00:00Z",
        "closed_at": "2026-11-20T12:01:00Z",
    });
    assert_eq!(summary(&items, &policy(json!({})), at(0), at(60)), expected);
}

#[test]
fn first_or_last_activities_are_shown_oldest_first() {
    let items: Vec<Item> = (0..20).map(|second| item(second, None, json!({}))).collect();
    check(&items, json!({}), &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    check(&items, json!({"show": 2}), &["0", "1"]);
    check(&items, json!({"show": 2, "keep": "last"}), &["18", "19"]);
}

#[test]
fn highest_values_come_first_and_incomparable_last() {
    let severities =
        [json!(3), json!("high"), json!(null), json!(10), json!(3), json!([]), json!("low"), json!(-1.5)];
    let items: Vec<Item> = (0..)
        .zip(severities)
        .map(|(second, severity)| item(second, None, json!({"severity": severity})))
        .collect();
    let sort = |keep: &str| json!({"keep": keep, "sort_by": "$.data.severity"});
    check(&items, sort("highest"), &["3", "0", "4", "7", "6", "1", "2", "5"]);
    check(&items, sort("lowest"), &["1", "6", "7", "0", "4", "3", "2", "5"]);
    check(&items, json!({"keep": "highest", "sort_by": "$.data.severity", "show": 2}), &["3", "0"]);
}

#[test]
fn sorting_compares_times_and_numbers_by_value() {
    // The latest time first, in any offset.
    check_order(
        &[r#""2026-11-30T10:00:00Z""#, r#""2026-11-30T09:00:00+02:00""#, r#""2026-11-30T10:30:00+03:00""#],
        "0 2 1",
    );
    check_order(&[r#""2026-11-30""#, r#""2026-12-01T00:00""#, r#""2026-11-30T12:00:00Z""#], "1 2 0");
    // Amounts are texts so that no digit is lost.
    check_order(&[r#""9""#, r#""10""#, r#""2""#, r#""100""#], "3 1 0 2");
    check_order(&[r#""9.5""#, "10", r#""-2""#, "-10", r#""1e2""#], "4 1 0 2 3");
    check_order(
        &["123456789012345678901234567890", "123456789012345678901234567891", "9007199254740993"],
        "1 0 2",
    );
    check_order(
        &["12345678901234567890.12", "12345678901234567890.13", r#""12345678901234567890.125""#],
        "1 2 0",
    );
    // Numbers rank above times, times above other texts; other values come last.
    check_order(&[r#""zebra""#, "null", r#""2026-11-30""#, "7", "true", r#""apple""#], "3 2 0 5 1 4");
}

#[track_caller]
fn check_order(values: &[&str], expected: &str) {
    let items: Vec<Item> = (0..)
        .zip(values)
        .map(|(second, value)| {
            item(second, None, serde_json::from_str(&format!("{{\"v\":{value}}}")).unwrap())
        })
        .collect();
    let expected: Vec<&str> = expected.split(' ').collect();
    check(&items, json!({ "keep": "highest", "sort_by": "$.data.v" }), &expected);
}

#[test]
fn numbers_keep_their_digits() {
    let data = r#"{"id":123456789012345678901234567890,"amount":12345678901234567890.12,"price":1.50}"#;
    let kept = item(0, None, serde_json::from_str(data).unwrap());
    let stored: Item = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
    assert!(stored == kept);
    let summary_value = summary(&[stored], &policy(json!({})), at(0), at(60));
    for text in [summary_value["data"].to_string(), summary_value["activities"][0]["data"].to_string()] {
        for digits in ["123456789012345678901234567890", "12345678901234567890.12", "1.50"] {
            assert!(text.contains(digits), "{digits} in {text}");
        }
    }
}

#[test]
fn each_actor_is_listed_once() {
    let items: Vec<Item> = (0..)
        .zip(["ann", "ben", "ann", "cem", "ben"])
        .map(|(second, actor)| item(second, Some(actor), json!({})))
        .collect();
    let actors = |written: Value| {
        let summary_value = summary(&items, &policy(written), at(0), at(60));
        assert_eq!(summary_value["total_actors"], 3);
        summary_value["actors"].clone()
    };
    assert_eq!(actors(json!({})), json!(["ann", "ben", "cem"]));
    assert_eq!(actors(json!({"show": 2})), json!(["ann", "ben"]));
    assert_eq!(actors(json!({"show": 2, "keep": "last"})), json!(["cem", "ben"]));
}

#[test]
fn merged_data_has_the_newest_scalars_with_truncated_text() {
    let items = [
        item(0, None, json!({"a": 1, "b": "x", "c": {"deep": 1}, "d": [1], "e": true})),
        item(1, None, json!({"a": [2], "b": "é".repeat(300), "e": null})),
        item(2, None, json!("no object")),
    ];
    let merged = summary(&items, &policy(json!({})), at(0), at(60))["data"].clone();
    assert_eq!(merged, json!({"a": 1, "b": "é".repeat(256), "e": null}));
}

#[test]
fn merged_data_has_at_most_200_names() {
    let named = |from: usize| -> Value {
        (from..from + 150).map(|number| (format!("n{number:03}"), json!(from))).collect()
    };
    let items = [item(0, None, named(0)), item(1, None, named(100))];
    let merged = summary(&items, &policy(json!({})), at(0), at(60))["data"].clone();
    assert_eq!(merged.as_object().unwrap().len(), 200);
    assert_eq!((&merged["n099"], &merged["n149"], &merged["n199"]), (&json!(0), &json!(100), &json!(100)));
    assert_eq!(merged.get("n200"), None);
}

#[test]
fn item_round_trips_through_json() {
    let kept = item(1, Some("ann"), json!({"total": 12.5}));
    let read: Item = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
    assert!(read == kept);
    let bare: Item = serde_json::from_str(
        r#"{"event_key":"k","id":"1","source":"/s","type":"t","time":"2026-11-20T12:00:00Z"}"#,
    )
    .unwrap();
    assert!(bare.data.is_none() && bare.actor.is_none());
}

proptest! {
    #[test]
    fn order_of_items_does_not_matter(
        items in prop::collection::vec((0..5_i64, 0..3_u8, 0..4_u8), 0..12).prop_flat_map(|items| {
            (Just(items.clone()), Just((0..items.len()).collect::<Vec<_>>()).prop_shuffle())
        }),
        keep in prop_oneof![Just("first"), Just("last"), Just("highest"), Just("lowest")],
    ) {
        let (parts, order) = items;
        let item = |place: usize| {
            let (second, actor, severity) = parts[place];
            let actor = ["ann", "ben", "cem"][usize::from(actor)];
            let mut item = item(second, Some(actor), json!({ "severity": severity }));
            item.event_key = place.to_string();
            item
        };
        let mut written = json!({ "keep": keep, "show": 3 });
        if keep.ends_with("est") {
            written["sort_by"] = json!("$.data.severity");
        }
        let policy = policy(written);
        let there: Vec<Item> = (0..parts.len()).map(item).collect();
        let shuffled: Vec<Item> = order.into_iter().map(item).collect();
        let summary_value = summary(&there, &policy, at(0), at(60));
        prop_assert_eq!(&summary_value, &summary(&shuffled, &policy, at(0), at(60)));
        prop_assert_eq!(&summary_value["total_activities"], &json!(parts.len()));
        prop_assert!(summary_value["activities"].as_array().unwrap().len() == parts.len().min(3));
    }
}

/// An order that was paid this many seconds after noon.
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn item(second: i64, actor: Option<&str>, data: Value) -> Item {
    let mut event = json!({
        "specversion": "1.0", "id": second.to_string(), "source": "/shop", "type": "order.paid",
        "time": at(second).to_string(), "datacontenttype": "application/json", "data": data,
    });
    if let Some(actor) = actor {
        event["actor"] = json!(actor);
    }
    let event = Event::parse(&event.to_string()).unwrap();
    let item = Item::of(&event);
    assert_eq!(item.event_key, event_key(&event));
    item
}

/// Checks the ids of the shown activities.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn check(items: &[Item], written: Value, expected: &[&str]) {
    let summary_value = summary(items, &policy(written.clone()), at(0), at(60));
    let ids: Vec<&str> = summary_value["activities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, expected, "{written}");
    assert_eq!(summary_value["total_activities"], items.len());
}
