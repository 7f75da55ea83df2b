use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Index;
use crate::event::Event;
use crate::pattern::Pattern;
use crate::pattern::tests::properties::{documents, patterns};

#[test]
fn pattern_is_indexed_by_its_rarest_value() {
    let many: Vec<Value> = (0..40)
        .map(|n| json!({"detail-type": ["order.paid"], "detail": {"tenant": [n.to_string()]}}))
        .chain([
            json!({"detail-type": [{"wildcard": "order.*"}]}),
            json!({"detail-type": [{"wildcard": "*.paid"}]}),
        ])
        .collect();
    let index = index(&many);
    assert_eq!(index.matching(&event(r#""tenant":"7""#)), [7, 40, 41]);
    assert_eq!(index.matching(&event(r#""tenant":"x""#)), [40, 41]);
    assert!(index.unindexed.is_empty());
}

#[test]
fn payload_is_scanned_only_if_a_pattern_needs_it() {
    let by_type = index(&[
        json!({"detail-type": ["order.paid"], "detail": {"data": {"total": [{"numeric": [">", 5]}]}}}),
    ]);
    assert!(!by_type.indexes_data);
    assert_eq!(by_type.matching(&event(r#""data":{"total":7}"#)), [0]);
    assert!(by_type.matching(&event(r#""data":{"total":3}"#)).is_empty());
    let by_value = index(&[json!({"detail": {"data": {"shop": ["a"]}}})]);
    assert!(by_value.indexes_data);
    assert_eq!(by_value.matching(&event(r#""data":{"shop":"a"}"#)), [0]);
    assert!(by_value.matching(&event(r#""data":{"shop":["b"]}"#)).is_empty());
}

#[test]
fn arrays_dots_escapes_and_duplicate_names_are_matched() {
    let index = index(&[
        json!({"detail": {"data": {"a": {"b": ["x"]}}}}),
        json!({"detail": {"data": {"a": {"b": [{"exists": false}]}}}}),
    ]);
    for (data, expected) in [
        (r#"{"a":{"b":"x"}}"#, [0].as_slice()),
        (r#"{"a":[{"b":"y"},{"b":["x"]}]}"#, &[0]),
        (r#"{"a.b":"x"}"#, &[0]),
        (r#"{"\u0061":{"b":"\u0078"}}"#, &[0]),
        (r#"{"a\u002eb":"x"}"#, &[0]),
        (r#"{"a":{"b":"y"},"a":{"b":"x"}}"#, &[0]),
        (r#"{"a":{"b":"x"},"a":{"b":"y"}}"#, &[]),
        (r#"{"a":{"b":"x"},"a":1}"#, &[1]),
        (r#"{"a":{"b":{}}}"#, &[1]),
        (r#"["a"]"#, &[1]),
    ] {
        assert_eq!(index.matching(&event(&format!(r#""data":{data}"#))), expected, "{data}");
    }
}

#[test]
fn every_attribute_is_matched_at_its_path() {
    let event = event(
        r#""subject":"s","dataschema":"urn:x","tenant":"t","correlationid":"c","causationid":"d","actor":"a",
        "priority":"high","sequence":"7","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "expirytime":"2026-11-21T12:00:00Z","mood":"good","loud":true,"level":3,"data":{"x":1}"#,
    );
    let document = event.document();
    let mut asked = Vec::new();
    for (name, value) in document.as_object().unwrap() {
        if !value.is_object() {
            asked.push(json!({ name: [value] }));
        }
    }
    for (name, value) in document["detail"].as_object().unwrap() {
        if !value.is_object() {
            asked.push(json!({"detail": { name: [value] }}));
        }
    }
    assert_eq!(asked.len(), 4 + 19);
    let all: Vec<usize> = (0..asked.len()).collect();
    assert_eq!(index(&asked).matching(&event), all);
}

#[test]
fn repeated_value_in_an_array_has_bounded_cost() {
    let many: Vec<Value> = (0..50).map(|_| json!({"detail": {"data": {"a": ["x"]}}})).collect();
    let data = format!(r#""data":{{"a":[{}"x"]}}"#, r#""x","#.repeat(20_000));
    assert_eq!(index(&many).matching(&event(&data)).len(), 50);
}

#[test]
fn non_object_matches_nothing_and_invalid_json_is_reported() {
    let index = index(&[json!({"a": [{"exists": false}]})]);
    assert_eq!(index.matching_text("{}"), Some(vec![0]));
    assert_eq!(index.matching_text(r#"[{"b":1}]"#), Some(vec![]));
    assert_eq!(index.matching_text("7"), Some(vec![]));
    for text in ["", "{", "{}{}", r#"{"a":1e999}"#] {
        assert_eq!(index.matching_text(text), None, "{text}");
    }
    let deep = format!("{}1{}", r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    assert_eq!(index.matching_text(&deep), None);
}

proptest! {
    // 250 times 16 patterns and 16 documents, as a payload and as a whole: 128,000 pairs.
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn index_agrees_with_each_pattern(
        sources in vec(patterns(), 16), documents in vec(documents(), 16), below in 0..3_usize,
    ) {
        let within = |source: &Value| match below {
            0 => source.clone(),
            1 => json!({"detail": {"data": source}}),
            _ => json!({"detail-type": ["order.paid", {"prefix": "bill"}], "detail": {"data": source}}),
        };
        let patterns: Vec<Pattern> = sources.iter().filter_map(|source| Pattern::compile(&within(source)).ok()).collect();
        let index: Index = patterns.iter().cloned().collect();
        for document in &documents {
            let event = event(&format!(r#""data":{document}"#));
            prop_assert_eq!(index.matching(&event), alone(&patterns, &event.document()));
            let whole = match below {
                0 => document.clone(),
                _ => event.document(),
            };
            prop_assert_eq!(index.matching_text(&whole.to_string()), Some(alone(&patterns, &whole)), "{}", whole);
        }
    }

    #[test]
    fn index_agrees_with_each_pattern_on_attributes(
        values in vec(("[abB]{1,3}", 0..3_usize, 0..4_usize), 1..20), kind in "[abB]{1,3}", tenant in "[abB]{1,3}",
    ) {
        let pattern = |(text, place, operator): &(String, usize, usize)| {
            let asks = match operator {
                0 => json!([text]),
                1 => json!([{"prefix": text}]),
                2 => json!([{"suffix": text}, {"wildcard": format!("{text}*a")}]),
                _ => json!([{"equals-ignore-case": text}]),
            };
            match place {
                0 => json!({"detail-type": asks}),
                1 => json!({"detail": {"tenant": asks, "actor": [{"exists": false}]}}),
                _ => json!({"$or": [{"detail": {"type": asks}}, {"detail": {"tenant": asks}}]}),
            }
        };
        let sources: Vec<Value> = values.iter().map(pattern).collect();
        let patterns: Vec<Pattern> = sources.iter().map(|source| Pattern::compile(source).unwrap()).collect();
        let event = Event { kind, ..event(&format!(r#""tenant":"{tenant}""#)) };
        prop_assert_eq!(index(&sources).matching(&event), alone(&patterns, &event.document()));
    }
}

fn alone(patterns: &[Pattern], event: &Value) -> Vec<usize> {
    patterns
        .iter()
        .enumerate()
        .filter(|(_, pattern)| pattern.matches(event))
        .map(|(index, _)| index)
        .collect()
}

fn index(sources: &[Value]) -> Index {
    sources.iter().map(|source| Pattern::compile(source).unwrap()).collect()
}

/// An event with additional members.
fn event(more: &str) -> Event {
    let text = format!(
        r#"{{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","time":"2026-11-20T12:00:00Z",{more}}}"#
    );
    Event::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
