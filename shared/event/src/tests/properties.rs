use std::collections::BTreeMap;

use crate::json::Raw;
use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::{Event, import};
use crate::{Data, Extension, Priority, Sequence, WrittenTimes};

proptest! {
    #[test]
    fn event_round_trips_through_json(event in events()) {
        prop_assert_eq!(Event::parse(&event.to_json())?, event.clone());
        prop_assert_eq!(import(&event.to_json())?, event);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = (Event::parse(&text), import(&text));
    }

    #[test]
    fn no_json_panics(members in vec(("[a-zA-Z_]{1,4}|id|source|type|time|specversion|data", payloads()), 0..8)) {
        let members: Vec<String> = members.iter().map(|(name, json)| format!("{name:?}:{json}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let _ = (Event::parse(&text), import(&text));
    }

    #[test]
    fn accepted_event_can_be_matched_and_round_trips(
        event in events(), cuts in vec((any::<prop::sample::Index>(), 0..4_usize, "[\\[\\]{}\",:0-9eE+\\-\\\\ud8a ]{0,3}"), 1..4),
    ) {
        let mut text: Vec<char> = event.to_json().chars().collect();
        for (position, length, instead) in cuts {
            let position = position.index(text.len() + 1);
            let end = (position + length).min(text.len());
            text.splice(position..end, instead.chars());
        }
        let text: String = text.into_iter().collect();
        for event in [Event::parse(&text), import(&text)].into_iter().flatten() {
            let _ = event.document();
            prop_assert_eq!(Event::parse(&event.to_json())?, event);
        }
    }
}

pub(crate) fn events() -> impl Strategy<Value = Event> {
    let must = (names(), "[!#-;=?-\\[\\]_a-z~]{1,40}", "\\PC{1,128}", times());
    let texts = (
        option::of(names()),
        option::of("[a-z][a-z0-9+.-]{0,8}:[!#-;=?-\\[\\]_a-z~]{1,40}"),
        option::of(names()),
        option::of(names()),
        option::of(names()),
        option::of(names()),
        option::of(names()),
    );
    let others = (
        option::of(priorities()),
        option::of(1..=u64::MAX),
        option::of(traces()),
        option::of(times()),
        btree_map("x[a-z0-9]{1,10}", extensions(), 0..4),
        option::of(payloads()),
    );
    (must, texts, others).prop_map(|(must, texts, others)| Event {
        id: must.0,
        source: must.1,
        kind: must.2,
        time: must.3,
        subject: texts.0,
        dataschema: texts.1,
        tenant: texts.2.filter(|tenant| tenant != "*"),
        correlation_id: texts.3,
        causation_id: texts.4,
        actor: texts.5,
        auth_id: texts.6,
        priority: others.0,
        sequence: others.1.map(Sequence::of_version),
        traceparent: others.2,
        expiry_time: others.3,
        extensions: BTreeMap::from_iter(others.4),
        data: others
            .5
            .filter(|json| json != "null")
            .map(|json| Data::read("data", Raw::of(&json).unwrap()).unwrap()),
        content_type: None,
        written: WrittenTimes::default(),
        unusable: BTreeMap::new(),
    })
}

fn names() -> impl Strategy<Value = String> {
    "\\PC{1,64}"
}

fn times() -> impl Strategy<Value = Timestamp> {
    // From the year 0 on, the range of RFC 3339.
    let seconds = -62_167_219_200..Timestamp::MAX.as_second();
    (seconds, 0..1_000_000_000).prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap())
}

fn priorities() -> impl Strategy<Value = Priority> {
    prop::sample::select(vec![Priority::Low, Priority::Normal, Priority::High, Priority::Critical])
}

fn traces() -> impl Strategy<Value = String> {
    "00-[1-9a-f][0-9a-f]{31}-[1-9a-f][0-9a-f]{15}-[0-9a-f]{2}"
}

fn extensions() -> impl Strategy<Value = Extension> {
    prop_oneof![
        any::<bool>().prop_map(Extension::Bool),
        any::<i32>().prop_map(Extension::Integer),
        names().prop_map(Extension::Text),
    ]
}

/// JSON texts in unusual spellings.
fn payloads() -> impl Strategy<Value = String> {
    let numbers = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,4}0)?([eE][+-]?[0-9]{1,2})?";
    let texts = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let odd = prop::sample::select(vec!["null", "true", "0.10", "-0", "1e307", r#""\u00e9\ud83d\ude00\/""#]);
    let leaves = prop_oneof![numbers.prop_map(String::from), texts.clone(), odd.prop_map(str::to_owned)];
    leaves.prop_recursive(4, 24, 4, move |inner| {
        let members = vec((texts.clone(), inner.clone()), 0..4).prop_map(|members| {
            let members: Vec<String> =
                members.into_iter().map(|(name, json)| format!("{name} : {json}")).collect();
            format!("{{{}}}", members.join(" ,"))
        });
        prop_oneof![vec(inner, 0..4).prop_map(|items| format!("[ {}]", items.join(", "))), members]
    })
}
