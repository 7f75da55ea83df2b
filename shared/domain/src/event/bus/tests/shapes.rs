use serde_json::{Value, json};

use super::{business, check, circle, hub, read, replaced};
use crate::event::Priority;
use crate::event::bus::{Shape, shape_of};

#[test]
fn cloudevent_is_unchanged() {
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "time": "2026-11-20T12:00:00Z",
        "subject": "order/1", "tenant": "north", "correlationid": "story", "causationid": "0", "actor": "ann",
        "priority": "high", "sequence": "7", "mood": "calm", "datacontenttype": "application/json",
        "data": { "total": 1 },
    });
    check(event.clone(), event);
}

#[test]
fn hub_envelope_is_mapped() {
    check(
        hub(),
        json!({
            "specversion": "1.0", "id": "e-1", "source": "ehr-service", "type": "ehr.lab_report.created",
            "time": "2026-11-20T11:05:31Z", "tenant": "westend", "correlationid": "story-1", "priority": "high",
            "category": "ehr", "clinicid": "westend", "userid": "lena", "version": "1.0",
            "datacontenttype": "application/json",
            "data": {
                "reportId": "r-1", "userId": "lena", "clinicId": "westend", "category": "ehr", "version": "1.0",
            },
        }),
    );
}

#[test]
fn circle_envelope_is_mapped() {
    check(
        circle(),
        json!({
            "specversion": "1.0", "id": "c-1", "source": "scheduler", "type": "medication.due",
            "time": "2026-11-20T11:45:00Z", "tenant": "okafor", "correlationid": "story-2", "actor": "joao",
            "carerecipientid": "margaret", "familyid": "okafor", "envelopespecversion": "1.0",
            "datacontenttype": "application/json",
            "data": {
                "dose": "5 mg", "familyId": "okafor", "careRecipientId": "margaret", "specVersion": "1.0",
            },
        }),
    );
}

#[test]
fn business_event_has_the_id_and_source_of_the_bus() {
    check(
        business(),
        json!({
            "specversion": "1.0", "id": "bus-1", "source": "bus-source", "type": "booking.created",
            "time": "2026-11-20T11:20:00Z", "correlationid": "story-3", "actor": "priya",
            "userid": "priya", "datacontenttype": "application/json",
            "data": { "bookingId": "b-1", "userId": "priya" },
        }),
    );
    let with_an_id = replaced(&business(), "id", json!("own-1"));
    assert_eq!(read(&with_an_id.to_string()).unwrap().id, "own-1");
}

#[test]
fn other_detail_becomes_the_payload_of_a_plain_event() {
    for detail in [json!({"userId": "tomas"}), json!({}), json!({"type": "a", "data": {}, "id": "1"})] {
        check(
            detail.clone(),
            json!({
                "specversion": "1.0", "id": "bus-1", "source": "bus-source", "type": "bus.type",
                "time": "2026-11-20T12:34:56Z", "datacontenttype": "application/json", "data": detail,
            }),
        );
    }
}

#[test]
fn null_members_do_not_determine_the_shape() {
    let shape = |detail: &str| shape_of(detail).unwrap();
    assert_eq!(shape(r#"{"specversion":null,"id":"1"}"#), Shape::Plain);
    assert_eq!(shape(r#"{"specversion":"0.3","eventId":"1","eventType":"t"}"#), Shape::CloudEvent);
    assert_eq!(shape(r#"{"eventId":"1","eventType":"t"}"#), Shape::Hub);
    assert_eq!(shape(r#"{"eventId":"1","type":"t"}"#), Shape::Plain);
    assert_eq!(shape(r#"{"type":"t","data":1,"timestamp":1,"id":"1","source":"s"}"#), Shape::Circle);
    assert_eq!(shape(r#"{"type":"t","data":1,"timestamp":1,"id":"1"}"#), Shape::Business);
    assert_eq!(shape(r#"{"type":"t","data":1,"timestamp":1,"source":"s"}"#), Shape::Business);
    assert_eq!(shape(r#"{"type":"t","data":null,"timestamp":1}"#), Shape::Plain);
    assert_eq!(shape(r#"{"service":"s","routingKey":"t","data":{}}"#), Shape::Integration);
    assert_eq!(shape(r#"{"service":"s","version":"1","userId":1,"data":{}}"#), Shape::Integration);
    assert_eq!(shape(r#"{"service":"s","version":"1","data":{}}"#), Shape::Plain);
    assert_eq!(shape(r#"{"service":"s","routingKey":"t","data":[]}"#), Shape::Plain);
    assert_eq!(shape(r#"{"type":"t","event":"t.u","data":1,"source":{}}"#), Shape::SocketEvent);
    assert_eq!(shape(r#"{"type":"t","event":"t.u","data":1,"target":{}}"#), Shape::SocketEvent);
    let business = r#"{"type":"t","event":"t.u","data":1,"timestamp":1}"#;
    assert_eq!(shape(business), Shape::Business);
    assert_eq!(shape_of("[]"), None);
    assert_eq!(shape_of("{"), None);
}

#[test]
fn timestamp_is_rfc_3339_or_unix_milliseconds() {
    for timestamp in [
        json!("2026-11-20T11:45:00.25Z"),
        json!("2026-11-20T12:45:00.25+01:00"),
        json!(1_795_175_100_250_i64),
    ] {
        for older in [hub(), circle(), business()] {
            let event = read(&replaced(&older, "timestamp", timestamp.clone()).to_string()).unwrap();
            assert_eq!(event.time.to_string(), "2026-11-20T11:45:00.25Z", "{timestamp}");
        }
    }
    let unknown = read(&replaced(&hub(), "timestamp", Value::Null).to_string()).unwrap();
    assert_eq!(unknown.time.to_string(), "2026-11-20T12:34:56Z");
}

#[test]
fn envelope_never_overwrites_a_payload_member() {
    let payload = json!({"userId": "somebody else", "clinicId": null, "n": 1});
    check_data(
        &replaced(&hub(), "payload", payload),
        json!({"userId": "somebody else", "clinicId": null, "n": 1, "category": "ehr", "version": "1.0"}),
    );
    check_data(
        &replaced(&circle(), "data", json!({"familyId": 7})),
        json!({"familyId": 7, "careRecipientId": "margaret", "specVersion": "1.0"}),
    );
    check_data(&replaced(&business(), "data", json!({"userId": ""})), json!({"userId": ""}));
}

#[test]
fn scalar_payload_becomes_a_member() {
    for payload in [json!([1, 2]), json!("text"), json!(7), json!(false)] {
        check_data(
            &replaced(&business(), "data", payload.clone()),
            json!({"payload": payload, "userId": "priya"}),
        );
    }
}

#[test]
fn envelope_ids_are_the_payload_without_one() {
    check_data(
        &replaced(&hub(), "payload", Value::Null),
        json!({"userId": "lena", "clinicId": "westend", "category": "ehr", "version": "1.0"}),
    );
    let nothing = read(r#"{"eventId":"1","eventType":"t"}"#).unwrap();
    assert_eq!(nothing.data, None);
}

#[test]
fn payload_keeps_order_and_digits() {
    let detail = r#"{"eventId":"1","eventType":"t","userId":7,"payload":{"z": 0.10, "a":[ 1E+2]}}"#;
    assert_eq!(read(detail).unwrap().data.unwrap().text(), r#"{"z":0.10,"a":[ 1E+2],"userId":7}"#);
    assert_eq!(read(r#"{"z": 0.10}"#).unwrap().data.unwrap().text(), r#"{"z": 0.10}"#);
}

#[test]
fn numeric_ids_become_text() {
    let event =
        read(&replaced(&replaced(&hub(), "eventId", json!(42)), "clinicId", json!(-7)).to_string()).unwrap();
    assert_eq!((event.id.as_str(), event.tenant.as_deref()), ("42", Some("-7")));
}

#[test]
fn unknown_priority_or_trace_of_an_older_envelope_is_dropped() {
    let odd = |name: &str, value: Value| read(&replaced(&hub(), name, value).to_string()).unwrap();
    assert_eq!(odd("priority", json!("asap")).priority, None);
    assert_eq!(odd("priority", json!(1)).priority, None);
    assert_eq!(odd("priority", json!("urgent")).priority, Some(Priority::Critical));
    assert_eq!(odd("traceparent", json!("no trace")).traceparent, None);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_eq!(odd("traceparent", json!(trace)).traceparent.as_deref(), Some(trace));
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn check_data(detail: &Value, expected: Value) {
    let event = read(&detail.to_string()).unwrap();
    let data: Value = serde_json::from_str(event.data.unwrap().text()).unwrap();
    assert_eq!(data, expected, "{detail}");
}

#[test]
fn cloudevent_is_recognised_in_any_letter_case() {
    let expected = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "time": "2026-11-20T12:00:00Z",
        "datacontenttype": "application/json", "data": { "Total": 1 },
    });
    for names in [
        ["SpecVersion", "Id", "Source", "Type", "Time", "Data"],
        ["specVersion", "id", "source", "type", "time", "data"],
        ["SPECVERSION", "ID", "SOURCE", "TYPE", "TIME", "DATA"],
    ] {
        let values =
            [json!("1.0"), json!("1"), json!("/shop"), json!("order.paid"), json!("2026-11-20T12:00:00Z")];
        let values = values.into_iter().chain([json!({ "Total": 1 })]);
        let event: serde_json::Map<String, Value> =
            names.map(str::to_owned).into_iter().zip(values).collect();
        check(event.into(), expected.clone());
    }
    // An unsupported version is refused and not read as a plain event.
    let old = r#"{"SpecVersion":"0.3","Id":"1","Source":"/s","Type":"t"}"#;
    assert_eq!(read(old).unwrap_err().attribute, "specversion");
    assert_eq!(read(r#"{"SpecVersion":"1.0","Id":"1"}"#).unwrap_err().attribute, "source");
    assert_eq!(shape_of(r#"{"specVersion":"3.1","info":{}}"#), Some(Shape::Plain));
}
