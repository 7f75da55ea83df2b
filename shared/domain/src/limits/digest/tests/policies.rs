use serde_json::{Value, json};

use super::policy;
use crate::limits::digest::{DigestPolicy, Group, Keep, window_id};

#[test]
fn default_policy_shows_the_first_ten() {
    let read = policy(json!({}));
    assert_eq!(read, DigestPolicy::default());
    assert_eq!((read.show, read.keep), (10, Keep::First));
}

#[test]
fn policy_round_trips_through_json() {
    let written = json!({
        "max_items": 50, "sliding": {"max": "PT2H"}, "flush_first": true, "lookback": false, "keep": "highest",
        "sort_by": "$.data.severity", "show": 5,
    });
    assert_eq!(serde_json::to_value(policy(written.clone())).unwrap(), written);
}

#[test]
fn limits_are_exact() {
    for good in [
        json!({"max_items": 2}),
        json!({"max_items": 1000}),
        json!({"show": 1}),
        json!({"show": 100}),
        json!({"sliding": {"max": "PT744H"}}),
    ] {
        policy(good);
    }
    refused(&json!({"max_items": 1}), "max_items: found 1, wanted 2 to 1000");
    refused(&json!({"max_items": 1001}), "max_items: found 1001, wanted 2 to 1000");
    refused(&json!({"show": 0}), "show: found 0, wanted 1 to 100");
    refused(&json!({"show": 101}), "show: found 101, wanted 1 to 100");
    let wanted = "wanted more than 0 and at most 31 days";
    refused(&json!({"sliding": {"max": "PT0S"}}), &format!("sliding.max: found PT0S, {wanted}"));
    refused(&json!({"sliding": {"max": "-PT1S"}}), &format!("sliding.max: found -PT1S, {wanted}"));
    refused(&json!({"sliding": {"max": "PT745H"}}), &format!("sliding.max: found PT745H, {wanted}"));
}

#[test]
fn sliding_window_needs_a_maximum() {
    refused(
        &json!({"sliding": {}}),
        "sliding: found no `max`, wanted the longest time that the window may stay open, such as `max: PT2H`",
    );
    refused(
        &json!({"sliding": true}),
        "invalid type: boolean `true`, expected an object with `max`, such as `{max: PT2H}`",
    );
}

#[test]
fn contradicting_settings_are_refused() {
    refused(
        &json!({"flush_first": true, "lookback": true}),
        "flush_first and lookback: found both, wanted at most one of them",
    );
    refused(
        &json!({"keep": "lowest"}),
        "keep: found `highest` or `lowest` without `sort_by`, wanted a path such as `$.data.severity`",
    );
    refused(
        &json!({"keep": "last", "sort_by": "$.data.x"}),
        "sort_by: found with `keep: first` or `keep: last`, wanted `highest` or `lowest`",
    );
}

#[test]
fn every_part_of_the_group_changes_the_key() {
    let first = Group { tenant: Some("a"), recipient: "ann", rule: "paid", step: 0, batch: "" };
    assert_eq!((first.key(), first.key().len()), (first.key(), 27));
    for other in [
        Group { tenant: None, ..first },
        Group { recipient: "ben", ..first },
        Group { recipient: "annp", rule: "aid", ..first },
        Group { rule: "shipped", ..first },
        Group { step: 1, ..first },
        Group { batch: "order-1", ..first },
    ] {
        assert_ne!(first.key(), other.key());
    }
    assert_eq!(window_id("k", "e"), window_id("k", "e"));
    assert_eq!(window_id("k", "e").len(), 27);
    assert_ne!(window_id("k", "e"), window_id("k", "f"));
    assert_ne!(window_id("k", "e"), window_id("l", "e"));
}

#[track_caller]
fn refused(written: &Value, expected: &str) {
    let error = serde_json::from_value::<DigestPolicy>(written.clone()).unwrap_err();
    assert_eq!(error.to_string(), expected, "{written}");
}
