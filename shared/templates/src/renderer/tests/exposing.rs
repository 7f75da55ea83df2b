use serde_json::{Value, json};

use super::message;

#[test]
fn a_message_carries_what_its_rule_exposes_and_nothing_else() {
    let data = json!({ "id": 7, "user": { "id": "ann", "at": { "city": "Porto" } }, "secret": true });
    check(&["$.data.id"], &data, json!({ "id": 7 }));
    check(&["$.data.user.at.city", "$.type"], &data, json!({ "city": "Porto", "type": "order.paid" }));
    check(&["$.data.user.at"], &data, json!({ "at": { "city": "Porto" } }));
    check(&[], &data, json!({}));
}

#[test]
fn what_the_event_does_not_have_is_left_out() {
    let data = json!({ "id": 7, "gone": null });
    check(&["$.data.id", "$.data.gone", "$.data.nothing", "$.data.id.more"], &data, json!({ "id": 7 }));
}

#[test]
fn a_list_is_exposed_as_a_list_also_when_it_has_one_value_or_none() {
    let data = json!({ "many": ["a", "b"], "one": ["a"], "none": [], "people": [{ "id": "ann" }] });
    check(&["$.data.many"], &data, json!({ "many": ["a", "b"] }));
    check(&["$.data.one"], &data, json!({ "one": ["a"] }));
    check(&["$.data.none"], &data, json!({ "none": [] }));
    check(&["$.data.people.id"], &data, json!({ "id": ["ann"] }));
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn check(expose: &[&str], data: &Value, expected: Value) {
    let message = message(expose, &[], data).unwrap();
    let exposed: Value = serde_json::from_str(message.data.get()).unwrap();
    assert_eq!(exposed, expected, "{expose:?}");
}
