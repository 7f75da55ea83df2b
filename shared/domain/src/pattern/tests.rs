//! Tests of matching. Operators, arrays, refusals and properties have a file each.

mod arrays;
mod operators;
pub(crate) mod properties;
mod refusals;

use serde_json::{Value, json};

use super::Pattern;

const YES: bool = true;
const NO: bool = false;

#[test]
fn literal_matches_its_own_type_only() {
    check(&json!({"a": ["x", 1]}), &json!({"a": "x"}), YES);
    check(&json!({"a": ["x", 1]}), &json!({"a": 1}), YES);
    check(&json!({"a": ["1"]}), &json!({"a": 1}), NO);
    check(&json!({"a": [1]}), &json!({"a": true}), NO);
    check(&json!({"a": ["true"]}), &json!({"a": true}), NO);
    check(&json!({"a": [true, null]}), &json!({"a": null}), YES);
    check(&json!({"a": [null]}), &json!({"a": ""}), NO);
    check(&json!({"a": [null]}), &json!({}), NO);
    check(&json!({"a": [""]}), &json!({"a": ""}), YES);
    check(&json!({"a": [{"exactly": "x"}]}), &json!({"a": "x"}), YES);
}

#[test]
fn numbers_are_equal_in_any_spelling() {
    check(&json!({"a": [300]}), &json!({"a": 300.0}), YES);
    check(&json!({"a": [3.0e2]}), &json!({"a": 300}), YES);
    check(&json!({"a": [0]}), &json!({"a": -0.0}), YES);
    check(&json!({"a": [0.1]}), &json!({"a": 0.2}), NO);
}

#[test]
fn integer_beyond_double_precision_equals_only_itself() {
    check(&json!({"a": [9007199254740993_u64]}), &json!({"a": 9007199254740993_u64}), YES);
    check(&json!({"a": [9007199254740993_u64]}), &json!({"a": 9007199254740992_u64}), NO);
    check(&json!({"a": [9007199254740993_u64]}), &json!({"a": 9007199254740992.0}), NO);
    check(&json!({"a": [9223372036854775808_u64]}), &json!({"a": 9223372036854775808.0}), NO);
    check(&json!({"a": [u64::MAX]}), &json!({"a": u64::MAX}), YES);
    check(&json!({"a": [{"anything-but": 9007199254740992_u64}]}), &json!({"a": 9007199254740993_u64}), YES);
    check(&json!({"a": [{"numeric": [">", 0]}]}), &json!({"a": 9007199254740993_u64}), NO);
}

#[test]
fn fields_are_combined_with_and_and_their_values_with_or() {
    let pattern = json!({"source": ["a", "b"], "detail": {"state": ["on"], "deep": {"er": [1]}}});
    check(&pattern, &json!({"source": "b", "detail": {"state": "on", "deep": {"er": 1}}, "more": 1}), YES);
    check(&pattern, &json!({"source": "c", "detail": {"state": "on", "deep": {"er": 1}}}), NO);
    check(&pattern, &json!({"source": "a", "detail": {"state": "on", "deep": 1}}), NO);
    check(&pattern, &json!({"source": "a", "detail": "on"}), NO);
    check(&pattern, &json!(["source"]), NO);
}

#[test]
fn or_is_combined_with_other_fields_by_and() {
    let pattern = json!({"source": ["s"], "$or": [{"a": [1]}, {"b": [2], "$or": [{"c": [3]}, {"d": [4]}]}]});
    check(&pattern, &json!({"source": "s", "a": 1}), YES);
    check(&pattern, &json!({"source": "s", "b": 2, "d": 4}), YES);
    check(&pattern, &json!({"source": "s", "b": 2}), NO);
    check(&pattern, &json!({"source": "t", "a": 1}), NO);
    let inner = json!({"detail": {"$or": [{"a": [1]}, {"b": {"c": [2]}}]}});
    check(&inner, &json!({"detail": {"b": {"c": 2}}}), YES);
    check(&inner, &json!({"a": 1}), NO);
}

#[test]
fn dot_in_a_key_is_a_path_step() {
    let labels = json!({"labels": {"app.kubernetes.io/name": ["web"]}});
    check(&labels, &json!({"labels": {"app.kubernetes.io/name": "web"}}), YES);
    check(&labels, &json!({"labels": {"app": {"kubernetes": {"io/name": "web"}}}}), YES);
    check(&json!({"a.b": [1]}), &json!({"a": {"b": 1}}), YES);
    check(&json!({"a": {"b": [1]}}), &json!({"a.b": 1}), YES);
    check(&json!({"a": {"b": [{"exists": false}]}}), &json!({"a.b": 1}), NO);
    check(&json!({"a": {"b": [{"exists": false}]}}), &json!({"a": {}, "a.b": 1}), NO);
    check(&json!({"a": ["x"], "a.b": [1]}), &json!({"a": ["x", {"b": 1}]}), YES);
}

#[track_caller]
fn check(pattern: &Value, event: &Value, expected: bool) {
    let compiled = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    assert_eq!(compiled.matches(event), expected, "{pattern} for {event}");
}
