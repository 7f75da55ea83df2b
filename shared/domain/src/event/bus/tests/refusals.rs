use serde_json::{Value, json};

use super::{business, circle, envelope, hub, read, replaced};
use crate::event::Event;
use crate::event::bus::BusEvent;

#[test]
fn body_of_another_shape_is_refused() {
    for text in ["{}", "[]", "1", "null", r#"{"id":"1","detail":{}}"#] {
        check_body(text, "JSON of another shape");
    }
    let whole = envelope("{}");
    for name in ["id", "detail-type", "source", "time", "detail"] {
        let event: Value = serde_json::from_str(&whole).unwrap();
        check_body(&replaced(&event, name, Value::Null).to_string(), "JSON of another shape");
    }
    check_body("", "text that is not JSON (line 1, column 0)");
    check_body("secret", "text that is not JSON (line 1, column 1)");
}

#[test]
fn invalid_cloudevent_is_not_read_as_a_plain_event() {
    let event = json!({"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"});
    check(&replaced(&event, "specversion", json!("0.3")), "specversion", "a text of 3 characters");
    check(&replaced(&event, "specversion", json!(1)), "specversion", "a number");
    check(&replaced(&event, "id", json!("")), "id", "an empty string");
    check(&replaced(&event, "id", Value::Null), "id", "nothing");
    check(&replaced(&event, "source", Value::Null), "source", "nothing");
    check(&replaced(&event, "type", json!(["a"])), "type", "a list");
    check(&replaced(&event, "time", json!("noon")), "time", "a text of 4 characters");
    check(&replaced(&event, "my_mood", json!("calm")), "<7 characters>", "a name of other characters");
}

#[test]
fn refusal_of_an_older_envelope_names_the_member() {
    let odd = "a value that is neither text nor a number";
    check(&replaced(&hub(), "eventId", json!("")), "eventId", "an empty string");
    check(&replaced(&hub(), "eventId", json!("x".repeat(257))), "eventId", "257 bytes");
    check(&replaced(&hub(), "eventType", json!(true)), "eventType", odd);
    check(&replaced(&hub(), "clinicId", json!(["a"])), "clinicId", odd);
    check(&replaced(&hub(), "eventType", json!("x".repeat(129))), "type", "129 characters");
    check(&replaced(&circle(), "familyId", json!({"id": "a"})), "familyId", odd);
    check(&replaced(&circle(), "causedBy", json!("")), "causedBy", "an empty string");
    check(&replaced(&circle(), "source", json!(false)), "source", odd);
    check(&replaced(&business(), "userId", json!([])), "userId", odd);
    check(&replaced(&business(), "correlationId", json!({})), "correlationId", odd);
    check(&replaced(&business(), "correlationId", json!("a\nb")), "correlationId", "a control character");
}

#[test]
fn invalid_timestamp_is_refused() {
    for timestamp in
        [json!("noon"), json!(""), json!("2026-11-20T11:45:00"), json!(true), json!(1.5), json!(i64::MAX)]
    {
        for older in [hub(), circle(), business()] {
            check(
                &replaced(&older, "timestamp", timestamp.clone()),
                "timestamp",
                "a value that is not a time",
            );
        }
    }
}

#[test]
fn invalid_time_of_the_bus_is_refused() {
    let text = envelope("{}").replace("2026-11-20T12:34:56Z", "noon");
    let refusal = BusEvent::parse(&text).unwrap().unverified_event().unwrap_err();
    assert_eq!(refusal.attribute, "time");
}

#[test]
fn empty_detail_type_is_refused() {
    let text = envelope("{}").replace("bus.type", "");
    let refusal = BusEvent::parse(&text).unwrap().unverified_event().unwrap_err();
    assert_eq!(refusal.attribute, "type");
}

#[test]
fn detail_above_200_kib_is_refused() {
    let text = "x".repeat(300 * 1024);
    check(&json!({"text": text}), "body", "307211 bytes");
    let of_size = |bytes: usize| json!({"text": "x".repeat(bytes - 11)});
    check(&of_size(204_801), "body", "204801 bytes");
    assert!(read(&of_size(204_800).to_string()).is_ok());
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let lists = "[".repeat(10_000) + &"]".repeat(10_000);
    let too_deep = "JSON that nests deeper than 100 levels";
    let refusal = read(&format!(r#"{{"a":{lists}}}"#)).unwrap_err();
    assert_eq!(refusal.found, too_deep);
    let elsewhere = envelope("{}").replace(r#""resources":[]"#, &format!(r#""resources":{lists}"#));
    assert!(BusEvent::parse(&elsewhere).unwrap().unverified_event().is_ok());
}

#[test]
fn outbox_marks_are_read_from_resources_only() {
    for (resources, expected) in [
        (r#"["arn:aws:s3:::b","carillon:outbox"]"#, vec!["carillon:outbox"]),
        (r#"["carillon:outbox:a.b","carillon:outbox"]"#, vec!["carillon:outbox:a.b", "carillon:outbox"]),
        (r#"["carillon:outboxes"]"#, vec![]),
        (r#"{"carillon:outbox":1}"#, vec![]),
        ("[]", vec![]),
        ("7", vec![]),
    ] {
        let text = envelope("{}").replace(r#""resources":[]"#, &format!(r#""resources":{resources}"#));
        let event = BusEvent::parse(&text).unwrap();
        assert_eq!(event.outbox_marks(), expected, "{resources}");
        assert!(event.unverified_event().is_ok());
    }
}

#[test]
fn event_without_an_account_is_direct() {
    let account = r#""account":"123456789012""#;
    for (written, expected) in
        [(account, false), (r#""account":"""#, true), (r#""account":null"#, true), (r#""account":7"#, false)]
    {
        let text = envelope("{}").replace(account, written);
        assert_eq!(BusEvent::parse(&text).unwrap().is_direct(), expected, "{written}");
    }
}

#[test]
fn detail_is_an_object_with_unique_members() {
    for (detail, found) in [("[]", "a list"), (r#""secret""#, "a string"), ("null", "null")] {
        let refusal = read(detail).unwrap_err();
        assert_eq!((refusal.attribute.as_str(), refusal.found.as_str()), ("body", found));
    }
    let refusal = read(r#"{"userId":1,"userId":2}"#).unwrap_err();
    assert_eq!((refusal.attribute.as_str(), refusal.found.as_str()), ("userId", "the name twice"));
}

#[test]
fn unrepresentable_number_is_refused_without_a_panic() {
    for (detail, member) in [
        (r#"{"a":1e400}"#, "detail"),
        (r#"{"a":"\ud800"}"#, "detail"),
        (r#"{"eventId":"1","eventType":"t","payload":{"a":1e400}}"#, "payload"),
        (r#"{"eventId":"1","eventType":"t","userId":1e400}"#, "payload"),
        (r#"{"type":"t","timestamp":1,"data":[1e400]}"#, "data"),
        (r#"{"type":"t","timestamp":1,"id":"1","source":"s","data":"\udc00"}"#, "data"),
        (r#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":1e400}"#, "data"),
    ] {
        assert_eq!(read(detail).expect_err(detail).attribute, member, "{detail}");
    }
}

#[track_caller]
fn check(detail: &Value, attribute: &str, found: &str) {
    let refusal = read(&detail.to_string()).expect_err(&detail.to_string());
    assert_eq!((refusal.attribute.as_str(), refusal.found.as_str()), (attribute, found));
    assert!(!refusal.wanted.is_empty());
}

#[track_caller]
fn check_body(text: &str, found: &str) {
    let Err(refusal) = BusEvent::parse(text) else { panic!("{text} was taken") };
    assert_eq!((refusal.attribute.as_str(), refusal.found.as_str()), ("body", found), "{text}");
}

#[test]
fn accepted_event_without_an_envelope_is_readable_when_it_is_stored() {
    let plain = |source: &str, id: &str| {
        let text = json!({
            "version": "0", "id": id, "detail-type": "order.paid", "source": source, "account": "1",
            "time": "2026-11-20T12:00:00Z", "region": "eu-west-1", "resources": [], "detail": { "n": 1 },
        });
        BusEvent::parse(&text.to_string()).and_then(|bus| bus.unverified_event())
    };
    for source in ["shop", "my shop", "café", "shop<1>", "a|b"] {
        let event = plain(source, "b-1").unwrap();
        let stored = Event::stored(&event.to_json()).unwrap();
        assert_eq!((stored.source.as_str(), stored.to_json()), (source, event.to_json()));
    }
    let long = "x".repeat(257);
    for odd in ["", "a\nb", "a\u{7f}b", &long] {
        assert_eq!(plain(odd, "b-1").unwrap_err().attribute, "source", "{odd}");
        assert_eq!(plain("shop", odd).unwrap_err().attribute, "id", "{odd}");
    }
}
