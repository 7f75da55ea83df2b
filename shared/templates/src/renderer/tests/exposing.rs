use domain::catalog::rule::Record;
use domain::decide::{Live, Target};
use domain::delivery::job::{Broadcast, Content, SocketTarget};
use domain::event::Event;
use serde_json::{Value, json};

use super::{message, order, renderer, rule};
use crate::Extra;

#[test]
fn message_contains_only_the_exposed_data() {
    let data = json!({ "id": 7, "user": { "id": "ann", "at": { "city": "Porto" } }, "secret": true });
    check(&["$.data.id"], &data, json!({ "id": 7 }));
    check(&["$.data.user.at.city", "$.type"], &data, json!({ "city": "Porto", "type": "order.paid" }));
    check(&["$.data.user.at"], &data, json!({ "at": { "city": "Porto" } }));
    check(&[], &data, json!({}));
}

#[test]
fn exposed_path_without_a_value_is_left_out() {
    let data = json!({ "id": 7, "gone": null });
    check(&["$.data.id", "$.data.gone", "$.data.nothing", "$.data.id.more"], &data, json!({ "id": 7 }));
}

#[test]
fn list_is_exposed_as_a_list_of_any_length() {
    let data = json!({ "many": ["a", "b"], "one": ["a"], "none": [], "people": [{ "id": "ann" }] });
    check(&["$.data.many"], &data, json!({ "many": ["a", "b"] }));
    check(&["$.data.one"], &data, json!({ "one": ["a"] }));
    check(&["$.data.none"], &data, json!({ "none": [] }));
    check(&["$.data.people.id"], &data, json!({ "id": ["ann"] }));
}

#[test]
fn broadcast_contains_exposed_data_or_the_original_payload() {
    let some = broadcast(json!({}), &["$.data.id"], r#","data":{"z":1.50,"id":7}"#);
    assert_eq!(some.data.expose().get(), r#"{"id":7}"#);
    assert_eq!((some.exclude, some.record), (vec!["ann".to_owned()], Record::None));
    assert!(matches!(&some.to, SocketTarget::Room(room) if room == "clinic:7"));
    for (data, expected) in
        [(r#","data":{"z":1.50,"id":7}"#, r#"{"z":1.50,"id":7}"#), (r#","data":[1,2]"#, "[1,2]"), ("", "{}")]
    {
        assert_eq!(broadcast(json!({ "expose_all": true }), &[], data).data.expose().get(), expected);
    }
}

/// The broadcast of a rule. `data` is the last member of the event, as text.
fn broadcast(own: Value, expose: &[&str], data: &str) -> Broadcast {
    let mut rule = rule(expose);
    (rule.template, rule.broadcast) = (String::new(), Some(serde_json::from_value(own).unwrap()));
    let event = format!(
        r#"{{"specversion":"1.0","id":"1","source":"/hub","type":"order.paid","time":"2026-11-20T12:00:00Z"{data}}}"#
    );
    let event = Event::parse(&event).unwrap();
    let document = event.document();
    let to = SocketTarget::Room("clinic:7".to_owned());
    let target = Target::Broadcast(Live { to, exclude: vec!["ann".to_owned()], record: Record::None });
    let extra = Extra { payload: event.data.as_ref(), ..Extra::default() };
    let content = renderer(&[]).context_with(&document["detail"], extra).render(&order(&rule, None, target));
    let Ok(Content::Broadcast(broadcast)) = content else { panic!("a broadcast was ordered") };
    broadcast
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn check(expose: &[&str], data: &Value, expected: Value) {
    let message = message(expose, &[], data).unwrap();
    let exposed: Value = serde_json::from_str(message.data.get()).unwrap();
    assert_eq!(exposed, expected, "{expose:?}");
}
