use serde_json::json;

use super::*;
use crate::event::Event;

#[test]
fn endpoint_round_trips_through_json() {
    let written = json!({
        "id": "erp", "tenant": "acme", "url": "https://erp.example.com/hooks", "description": "the ERP",
        "when": { "detail-type": [{ "prefix": "booking." }] }, "version": "2026-05",
    });
    let read = Endpoint::read(&written.to_string(), &Allow::default()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
    assert_eq!(serde_json::from_value::<Endpoint>(written).unwrap(), read);
    assert_eq!(read.id.name(), "acme/erp");
}

#[test]
fn refusal_names_the_invalid_member() {
    check("[]", "body: found JSON that is not an object, wanted one JSON object");
    check(
        r#"{"url":"https://example.com"}"#,
        "id: found nothing, wanted 1 to 64 letters, digits, `-`, `_` and `.`",
    );
    check(
        r#"{"id":"a b","url":"https://example.com"}"#,
        "id: found a text of 3 characters, wanted 1 to 64 letters, digits, `-`, `_` and `.`",
    );
    check(r#"{"id":"a"}"#, "url: found nothing, wanted a string such as https://example.com/hooks");
    check(
        r#"{"id":"a","url":"https://10.0.0.1/secret"}"#,
        "url: found a blocked target, wanted a host that the public internet reaches",
    );
    check(
        r#"{"id":"a","url":"https://example.com","uri":1}"#,
        "<3 characters>: found a member of this name, wanted one of id, tenant, url, description, when, version, format",
    );
    check(
        r#"{"id":"a","url":"https://example.com","when":{"type":"x"}}"#,
        "when.type: found a value that is not such a pattern, wanted an array of values, or an object",
    );
    check(
        r#"{"id":"a","url":"https://example.com","when":[]}"#,
        "when: found a value that is not such a pattern, wanted an object with at least one field",
    );
    check(
        r#"{"id":"a","tenant":"x/y","url":"https://example.com"}"#,
        "tenant: found a text of 3 characters, wanted a string of 1 to 256 bytes without `/`",
    );
}

#[test]
fn name_round_trips() {
    for (name, tenant, id) in [("acme/erp", Some("acme"), "erp"), ("-/erp", None, "erp")] {
        let endpoint = EndpointId { tenant: tenant.map(str::to_owned), id: id.to_owned() };
        assert_eq!(EndpointId::parse(name), Some(endpoint.clone()));
        assert_eq!(endpoint.name(), name);
    }
    for name in ["erp", "/erp", "acme/", "a/b/c", "acme/e p"] {
        assert_eq!(EndpointId::parse(name), None, "{name}");
    }
}

#[test]
fn endpoint_receives_matching_events_unless_disabled() {
    let mut endpoint: Endpoint = serde_json::from_value(json!({
        "id": "erp", "url": "https://example.com", "when": { "detail-type": ["booking.created"] },
    }))
    .unwrap();
    assert_eq!(endpoint.skip_reason(&document("booking.created")), None);
    assert_eq!(endpoint.skip_reason(&document("booking.cancelled")), Some(SkipReason::Pattern));
    let disabled = Disabled { why: DisabledBecause::Gone, at: "2026-11-20T12:00:00Z".parse().unwrap() };
    endpoint.disabled = Some(disabled.clone());
    assert_eq!(endpoint.skip_reason(&document("booking.created")), Some(SkipReason::Disabled(disabled)));
}

#[test]
fn unverified_endpoint_receives_no_event() {
    let endpoint: Endpoint = serde_json::from_value(json!({
        "id": "erp", "url": "https://example.com", "unverified": { "since": "2026-11-20T12:00:00Z" },
    }))
    .unwrap();
    assert!(matches!(endpoint.skip_reason(&document("booking.created")), Some(SkipReason::Unverified(_))));
    let read = Endpoint::read(&serde_json::to_string(&endpoint).unwrap(), &Allow::default()).unwrap();
    assert_eq!(read.unverified, None, "the body cannot set it");
}

#[test]
fn row_of_the_last_release_is_verified() {
    let row = r#"{"tenant":"acme","id":"erp","url":"https://erp.example.com/hooks"}"#;
    assert_eq!(serde_json::from_str::<Endpoint>(row).unwrap().unverified, None);
}

#[test]
fn row_with_numbers_in_its_pattern_is_read_back() {
    let row = r#"{"tenant":"acme","id":"erp","url":"https://erp.example.com/hooks",
        "when":{"detail":{"data":{"total":[{"numeric":[">",100.50]}],"id":[123456789012345678901234567890]}}}}"#;
    let endpoint: Endpoint = serde_json::from_str(row).unwrap();
    let text = serde_json::to_string(&endpoint).unwrap();
    assert!(text.contains("123456789012345678901234567890") && text.contains("100.50"), "{text}");
    assert_eq!(serde_json::from_str::<Endpoint>(&text).unwrap(), endpoint);
}

#[test]
fn only_the_exact_origin_is_allowed() {
    let allow = Allow::parse("https://hooks.example.com").unwrap();
    assert!(allow.names("https://hooks.example.com/any/path"));
    for url in
        ["https://hooks.example.com.evil.test/", "http://hooks.example.com/", "https://example.com/", ""]
    {
        assert!(!allow.names(url), "{url}");
    }
}

fn document(kind: &str) -> Value {
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/s", "type": kind, "time": "2026-11-20T12:00:00Z",
    });
    Event::parse(&event.to_string()).unwrap().document()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let refusal = Endpoint::read(text, &Allow::default()).unwrap_err();
    assert_eq!(refusal.to_string(), expected);
}
