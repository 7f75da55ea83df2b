use serde_json::json;

use super::{Event, accepted, with};

#[test]
fn attributes_have_a_fixed_order_and_data_is_unchanged() {
    let shuffled = r#"{
        "data": {"z": 0.10, "a": [ 1E+2, 12345678901234567890123 ], "t": "\u00e9\/"},
        "datacontenttype": "application/order+json; charset=utf-8",
        "zone": true, "mood": "calm", "age": -3,
        "expirytime": "2026-11-21T00:00:00+01:00", "sequence": 7, "priority": "URGENT",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "actor": "ann", "causationid": "0", "correlationid": "story", "tenant": "north",
        "dataschema": "urn:order", "subject": "order/1",
        "time": "2026-11-20T12:00:00.5Z", "type": "order.paid", "source": "/shop", "id": "1", "specversion": "1.0"
    }"#;
    let expected = concat!(
        r#"{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","time":"2026-11-20T12:00:00.5Z","#,
        r#""subject":"order/1","dataschema":"urn:order","tenant":"north","correlationid":"story","causationid":"0","#,
        r#""actor":"ann","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","#,
        r#""priority":"critical","sequence":"7","expirytime":"2026-11-20T23:00:00Z","#,
        r#""age":-3,"mood":"calm","zone":true,"datacontenttype":"application/json","#,
        r#""data":{"z": 0.10, "a": [ 1E+2, 12345678901234567890123 ], "t": "\u00e9\/"}}"#,
    );
    assert_eq!(Event::parse(shuffled).unwrap().to_json(), expected);
}

#[test]
fn absent_attributes_are_omitted() {
    let expected = r#"{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","time":"2026-11-20T12:00:00Z"}"#;
    assert_eq!(accepted("id", r#""1""#).to_json(), expected);
}

#[test]
fn document_holds_the_envelope_under_eventbridge_names() {
    let event = Event::parse(&with("data", r#"{"total": 0.10}"#)).unwrap();
    let expected = json!({
        "id": "1",
        "source": "/shop",
        "detail-type": "order.paid",
        "time": "2026-11-20T12:00:00Z",
        "detail": {
            "specversion": "1.0",
            "id": "1",
            "source": "/shop",
            "type": "order.paid",
            "time": "2026-11-20T12:00:00Z",
            "datacontenttype": "application/json",
            "data": serde_json::from_str::<serde_json::Value>(r#"{ "total": 0.10 }"#).unwrap(),
        },
    });
    assert_eq!(event.document(), expected);
}
