use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{business, circle, hub, integration, read, replaced, socket_event};
use crate::event::bus::{BusEvent, shape_of};

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = shape_of(&text);
        if let Ok(bus) = BusEvent::parse(&text) {
            let _ = bus.unverified_event();
        }
    }

    #[test]
    fn any_accepted_detail_can_be_matched_and_serialized(detail in details()) {
        if let Ok(event) = read(&detail) {
            let document = event.document();
            let written: Value = serde_json::from_str(&event.to_json())?;
            prop_assert_eq!(&document["detail"], &written);
            prop_assert!((1..=256).contains(&event.id.len()));
            prop_assert!((1..=128).contains(&event.kind.chars().count()));
        }
    }

    #[test]
    fn order_of_members_does_not_matter(
        shape in prop::sample::select(vec![hub(), circle(), business(), integration(), socket_event()]),
        order in any::<prop::sample::Index>(),
    ) {
        let members: Vec<(String, Value)> = shape.as_object().unwrap().clone().into_iter().collect();
        let turned = members.iter().cycle().skip(order.index(members.len())).take(members.len());
        let text = |members: Vec<String>| format!("{{{}}}", members.join(","));
        let turned = text(turned.map(|(name, value)| format!("{name:?}:{value}")).collect());
        prop_assert_eq!(read(&turned), read(&shape.to_string()));
    }

    #[test]
    fn extra_members_stay_readable_and_change_no_attribute(
        shape in prop::sample::select(vec![hub(), circle(), business(), integration(), socket_event()]),
        name in "[a-zA-Z]{1,12}", value in prop_oneof![Just(json!("x")), Just(json!(7)), Just(json!(true))],
    ) {
        let lower = name.to_ascii_lowercase();
        let is_known = shape.as_object().unwrap().keys().any(|known| known.eq_ignore_ascii_case(&name));
        let is_of_shape = ["specversion", "eventId", "eventType", "event", "id", "source", "target", "correlationId",
            "traceparent", "causedBy", "userId", "clinicId", "familyId", "priority", "timestamp"];
        prop_assume!(!is_known && !is_of_shape.iter().any(|known| known.eq_ignore_ascii_case(&name)));
        let plain = read(&shape.to_string()).unwrap();
        let mut event = read(&replaced(&shape, &name, value.clone()).to_string()).unwrap();
        let document = event.document();
        let extension = event.extensions.remove(&lower).or_else(|| event.extensions.remove(&format!("envelope{lower}")));
        prop_assert!(extension.is_some());
        prop_assert_eq!(&document["detail"]["data"][&name], &value);
        event.data.clone_from(&plain.data);
        prop_assert_eq!(event, plain);
    }

    #[test]
    fn acceptance_does_not_depend_on_json_spelling(detail in details()) {
        if let Ok(compact) = serde_json::from_str::<Value>(&detail) {
            let spaced = serde_json::to_string_pretty(&compact)?;
            prop_assert_eq!(read(&spaced).is_ok(), read(&compact.to_string()).is_ok());
        }
    }
}

/// Objects with the member names of the envelopes and any values.
fn details() -> impl Strategy<Value = String> {
    let names = "specversion|specVersion|id|ID|type|source|time|timestamp|data|payload|eventId|eventType|category|priority|\
        userId|clinicId|familyId|careRecipientId|causedBy|correlationId|traceparent|sequence|service|version|routingKey|\
        event|target|persistent|tenant|authid|replayid|[a-z]{1,2}";
    vec((names, values()), 0..10).prop_map(|members| {
        let members: Vec<String> =
            members.into_iter().map(|(name, json)| format!("{name:?}:{json}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn values() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        r#""1.0""#,
        r#""""#,
        r#""high""#,
        r#""2026-11-20T12:00:00Z""#,
        "1795175100250",
        "1e400",
        "-7",
        "null",
        "true",
        "{}",
        "[]",
        r#""\ud800""#,
        r#"{"userId":1,"userId":2}"#,
        r#"{"familyId":null}"#,
        r#"{"userId":7,"workspaceId":"w"}"#,
    ]);
    let texts = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let leaves = prop_oneof![2 => known.prop_map(str::to_owned), 1 => texts];
    leaves
        .prop_recursive(3, 12, 3, |inner| vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(","))))
}
