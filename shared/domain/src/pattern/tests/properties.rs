//! Properties of all patterns and events.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::pattern::Pattern;
use crate::pattern::glob::Glob;

proptest! {
    #[test]
    fn nothing_panics(source in prop_oneof![documents(), patterns()], event in documents()) {
        if let Ok(pattern) = Pattern::compile(&source) {
            let _ = pattern.matches(&event);
        }
    }

    #[test]
    fn pattern_of_an_events_own_values_matches(event in documents()) {
        if let Some(source) = own(&event) {
            prop_assert!(Pattern::compile(&source)?.matches(&event), "{source}");
        }
    }

    #[test]
    fn path_either_exists_or_does_not(event in documents(), path in vec(keys(), 1..4)) {
        let ask = |exists: bool| path.iter().rev().fold(json!([{ "exists": exists }]), |inner, key| json!({ key: inner }));
        let (there, gone) = (Pattern::compile(&ask(true))?, Pattern::compile(&ask(false))?);
        let event = json!({ "a": event });
        prop_assert_ne!(there.matches(&event), gone.matches(&event));
    }

    #[test]
    fn anything_but_matches_every_other_value(listed in "[ab]{0,2}", value in scalars()) {
        let listed = json!(listed);
        let but = Pattern::compile(&json!({"a": [{"anything-but": listed}]}))?;
        prop_assert_eq!(but.matches(&json!({"a": value})), value != listed);
    }

    #[test]
    fn or_matches_if_any_member_matches(one in patterns(), other in patterns(), event in documents()) {
        let Ok(either) = Pattern::compile(&json!({"$or": [one, other]})) else { return Ok(()) };
        let members = Pattern::compile(&one)?.matches(&event) || Pattern::compile(&other)?.matches(&event);
        prop_assert_eq!(either.matches(&event), members);
    }

    #[test]
    fn wildcard_agrees_with_exhaustive_search(source in "[ab*]{0,6}", value in "[ab]{0,8}") {
        if let Ok(glob) = Glob::new(&source) {
            prop_assert_eq!(glob.matches(&value), exhaustive_match(source.as_bytes(), value.as_bytes()));
        }
    }
}

/// The definition of a wildcard, without regard to speed.
fn exhaustive_match(source: &[u8], value: &[u8]) -> bool {
    match source.split_first() {
        None => value.is_empty(),
        Some((b'*', rest)) => (0..=value.len()).any(|start| exhaustive_match(rest, &value[start..])),
        Some((letter, rest)) => {
            value.split_first().is_some_and(|(first, tail)| first == letter && exhaustive_match(rest, tail))
        }
    }
}

/// A pattern for every scalar of an object, if it has any.
fn own(event: &Value) -> Option<Value> {
    let mut fields = Map::new();
    for (key, value) in event.as_object()? {
        let asked = match value {
            Value::Object(_) => own(value),
            Value::Array(list) => {
                list.iter().find(|value| !value.is_array() && !value.is_object()).map(|value| json!([value]))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(json!([value])),
        };
        fields.extend(asked.map(|asked| (key.clone(), asked)));
    }
    (!fields.is_empty()).then_some(Value::Object(fields))
}

fn keys() -> impl Strategy<Value = String> {
    "[abc]"
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..3_i64).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[abB*]{0,3}".prop_map(Value::from),
        Just(json!("10.0.0.1")),
    ]
}

pub(crate) fn documents() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(keys(), inner, 0..4)
                .prop_map(|btree_map| Value::Object(btree_map.into_iter().collect())),
        ]
    })
}

fn operators() -> impl Strategy<Value = Value> {
    let text = || "[abB*]{0,3}";
    prop_oneof![
        4 => scalars(),
        1 => text().prop_map(|text| json!({ "prefix": text })),
        1 => text().prop_map(|text| json!({"suffix": {"equals-ignore-case": text}})),
        1 => text().prop_map(|text| json!({ "wildcard": text })),
        1 => vec(text(), 1..3).prop_map(|texts| json!({ "anything-but": texts })),
        1 => text().prop_map(|text| json!({"anything-but": {"wildcard": text}})),
        1 => (-2..3).prop_map(|low| json!({"numeric": [">=", low, "<", 2]})),
        1 => Just(json!({"cidr": "10.0.0.0/8"})),
        2 => any::<bool>().prop_map(|exists| json!({ "exists": exists })),
    ]
}

pub(crate) fn patterns() -> impl Strategy<Value = Value> {
    let object =
        |value: std::collections::BTreeMap<String, Value>| Value::Object(value.into_iter().collect());
    let flat = btree_map(keys(), vec(operators(), 1..3).prop_map(Value::from), 1..3).prop_map(object);
    flat.prop_recursive(3, 20, 3, move |inner| {
        let or = vec(inner.clone(), 2..3).prop_map(|members| json!({ "$or": members }));
        prop_oneof![2 => btree_map(keys(), inner, 1..3).prop_map(object), 1 => or]
    })
}
