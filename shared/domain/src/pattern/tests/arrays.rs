//! Arrays in events, and absence of values in them.

use serde_json::json;

use super::{NO, YES, check};
use crate::pattern::MAX_DEPTH;

#[test]
fn array_matches_with_any_of_its_values() {
    check(&json!({"a": ["x"]}), &json!({"a": ["w", "x"]}), YES);
    check(&json!({"a": ["x"]}), &json!({"a": [["w"], [["x"]]]}), YES);
    check(&json!({"a": ["x"]}), &json!({"a": [{"b": "x"}]}), NO);
    check(&json!({"a": ["x"]}), &json!({"a": []}), NO);
    check(&json!({"a": {"b": ["x"]}}), &json!({"a": [1, {"b": "w"}, [{"b": ["x"]}]]}), YES);
}

#[test]
fn fields_below_one_array_match_in_one_element() {
    let pattern = json!({"staff": {"first": ["Anna"], "last": ["Jones"]}});
    check(&pattern, &json!({"staff": [{"first": "Anna", "last": "Smith"}, {"last": "Jones"}]}), NO);
    check(&pattern, &json!({"staff": [{"last": "Jones"}, {"first": "Anna", "last": "Jones"}]}), YES);
    let deep = json!({"a": {"b": {"c": [1], "d": [2]}, "e": [3]}});
    check(&deep, &json!({"a": [{"b": [{"c": 1}, {"c": 1, "d": 2}], "e": 3}]}), YES);
    check(&deep, &json!({"a": [{"b": [{"c": 1}, {"d": 2}], "e": 3}]}), NO);
    check(&deep, &json!({"a": [{"b": [{"c": 1, "d": 2}]}, {"e": 3}]}), NO);
}

#[test]
fn fields_below_two_arrays_are_independent() {
    let pattern = json!({"a": {"x": [1]}, "b": {"x": [2]}});
    check(&pattern, &json!({"a": [{"x": 0}, {"x": 1}], "b": [{"x": 2}, {"x": 0}]}), YES);
}

#[test]
fn field_in_or_matches_in_the_same_element() {
    let pattern = json!({"a": {"x": [1]}, "$or": [{"a": {"y": [2]}}, {"b": [3]}]});
    check(&pattern, &json!({"a": [{"x": 1, "y": 2}]}), YES);
    check(&pattern, &json!({"a": [{"x": 1}, {"y": 2}]}), NO);
    check(&pattern, &json!({"a": [{"x": 1}, {"y": 2}], "b": 3}), YES);
}

#[test]
fn only_leaves_exist() {
    check(&json!({"a": [{"exists": true}]}), &json!({"a": null}), YES);
    check(&json!({"a": [{"exists": true}]}), &json!({"a": {"b": 1}}), NO);
    check(&json!({"a": [{"exists": true}]}), &json!({"a": []}), NO);
    check(&json!({"a": [{"exists": true}]}), &json!({"a": [[], [0]]}), YES);
    check(&json!({"a": [{"exists": false}]}), &json!({}), YES);
    check(&json!({"a": [{"exists": false}]}), &json!({"a": {"b": 1}}), YES);
    check(&json!({"a": [{"exists": false}]}), &json!({"a": null}), NO);
    check(&json!({"a": {"b": [{"exists": false}]}}), &json!({}), YES);
    check(&json!({"a": {"b": [{"exists": false}]}}), &json!({"a": "text"}), YES);
    check(&json!({"a": {"b": [{"exists": false}], "c": [1]}}), &json!({"a": {"b": {"x": 1}, "c": 1}}), YES);
    check(&json!({"a": [{"exists": false}, "x"]}), &json!({"a": "x"}), YES);
    check(&json!({"a": [{"exists": false}, "x"]}), &json!({"a": "y"}), NO);
    check(&json!({"a": [{"exists": false}, {"exists": true}]}), &json!({"a": "y"}), YES);
}

#[test]
fn value_of_one_element_is_not_absent() {
    let pattern = json!({"a": {"b": [{"exists": false}]}});
    check(&pattern, &json!({"a": [{"b": 1}, {}]}), NO);
    check(&pattern, &json!({"a": [[{"c": 1}], {"b": []}]}), YES);
    check(&pattern, &json!({"a": []}), YES);
}

#[test]
fn later_path_is_absent_in_the_selected_element() {
    let later = json!({"a": {"b": [1], "c": [{"exists": false}]}});
    check(&later, &json!({"a": [{"b": 1}, {"c": 1}]}), YES);
    check(&later, &json!({"a": [{"b": 1, "c": 1}, {"b": 2}]}), NO);
    let earlier = json!({"a": {"b": [{"exists": false}], "c": [1]}});
    check(&earlier, &json!({"a": [{"b": 1}, {"c": 1}]}), NO);
    check(&earlier, &json!({"a": [{"d": 1}, {"c": 1}]}), YES);
}

#[test]
fn paths_are_sorted_as_whole_texts() {
    // "a-b" precedes "a.b", because the hyphen sorts before the dot.
    let pattern = json!({"x": {"a": {"b": [{"exists": false}]}, "a-b": [1]}});
    check(&pattern, &json!({"x": [{"a-b": 1}, {"a": {"b": 1}}]}), YES);
    let pattern = json!({"x": {"a": {"b": [{"exists": false}]}, "a0": [1]}});
    check(&pattern, &json!({"x": [{"a0": 1}, {"a": {"b": 1}}]}), NO);
}

#[test]
fn absence_in_a_large_array_is_fast() {
    let elements = vec![json!({"d": 1}); 20_000];
    check(&json!({"a": {"b": [{"exists": false}], "c": [1]}}), &json!({"a": elements}), NO);
}

#[test]
fn event_of_maximum_depth_is_matched() {
    let text = format!("{{\"a\":{}1{}}}", "[".repeat(125), "]".repeat(125));
    let event = serde_json::from_str(&text).unwrap();
    check(&json!({"a": [1]}), &event, YES);
}

#[test]
fn pattern_of_maximum_depth_is_matched() {
    let nested = |leaf| (0..MAX_DEPTH).fold(leaf, |inner, _| json!({ "a": [inner] }));
    let pattern = (0..MAX_DEPTH).fold(json!([1]), |inner, _| json!({ "a": inner }));
    check(&pattern, &nested(json!(1)), YES);
    check(&pattern, &nested(json!(2)), NO);
    check(&pattern, &json!({ vec!["a"; MAX_DEPTH].join("."): 1 }), YES);
}
