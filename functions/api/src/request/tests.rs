use super::*;
use serde_json::json;

#[test]
fn a_path_is_the_same_whether_or_not_the_stage_is_in_front_of_it() {
    check("/v1/recipients/ann", "live", &["v1", "recipients", "ann"]);
    check("/live/v1/recipients/ann", "live", &["v1", "recipients", "ann"]);
    check("/v1/recipients/live", "live", &["v1", "recipients", "live"]);
    check("/v1/recipients/ann", "$default", &["v1", "recipients", "ann"]);
    check("/v1/recipients/50%25 é", "live", &["v1", "recipients", "50% é"]);
}

#[track_caller]
fn check(raw: &str, stage: &str, expected: &[&str]) {
    let request = read(&json!({
        "rawPath": raw, "requestContext": { "requestId": "r", "stage": stage, "http": { "method": "GET" } },
    }));
    assert_eq!(request.path(), expected);
}

#[test]
fn a_body_may_come_encoded_and_is_refused_one_byte_over_the_limit() {
    let of = |body: &str, encoded: bool| {
        read(&json!({
            "body": body, "isBase64Encoded": encoded,
            "requestContext": { "requestId": "r", "http": { "method": "POST" } },
        }))
    };
    assert_eq!(of("e30=", true).body().ok().as_deref(), Some("{}"));
    assert!(of(&"x".repeat(MAX_BODY_BYTES), false).body().is_ok());
    let largest = STANDARD.encode("x".repeat(MAX_BODY_BYTES));
    assert!(of(&largest, true).body().is_ok());
    for (body, encoded, status) in [
        ("x".repeat(MAX_BODY_BYTES + 1), false, 413),
        (STANDARD.encode("x".repeat(MAX_BODY_BYTES + 1)), true, 413),
        ("/w==".to_owned(), true, 400),
    ] {
        assert_eq!(of(&body, encoded).body().unwrap_err().status, status);
    }
}

#[test]
fn empty_or_malformed_tenant_is_refused_and_never_read_as_none() {
    let tenant = |raw: &str, parameters: Value| {
        let request = with_query(raw, &parameters);
        request.check_query().and_then(|()| request.tenant().map(|tenant| tenant.map(str::to_owned)))
    };
    assert_eq!(tenant("", Value::Null), Ok(None));
    assert_eq!(tenant("limit=5", json!({ "limit": "5" })), Ok(None));
    assert_eq!(tenant("tenant=a%20b", json!({ "tenant": "a b" })), Ok(Some("a b".to_owned())));
    for (raw, parameters) in [
        ("tenant=", json!({ "tenant": "" })),
        ("tenant=", Value::Null),
        ("tenant", Value::Null),
        ("limit=5&tenant=", json!({ "limit": "5" })),
        ("%74enant=", Value::Null),
        ("tenant=%00", json!({ "tenant": "\0" })),
        ("tenant=-", json!({ "tenant": "-" })),
        ("tenant=*", json!({ "tenant": "*" })),
        ("tenant=a&tenant=b", json!({ "tenant": "a,b" })),
        ("tenant=a&tenant=", json!({ "tenant": "a," })),
        ("tenant=a&%74enant=b", json!({ "tenant": "a,b" })),
        ("Tenant=a", json!({ "Tenant": "a" })),
        ("tenant%5B%5D=a", json!({ "tenant[]": "a" })),
        ("tenants=a", json!({ "tenants": "a" })),
        ("tenant%00=a", json!({ "tenant\0": "a" })),
        ("", json!({ "tenant": "" })),
    ] {
        assert_eq!(tenant(raw, parameters).map_err(|error| error.status), Err(422), "{raw}");
    }
    let long = "x".repeat(257);
    assert_eq!(
        tenant(&format!("tenant={long}"), json!({ "tenant": long })).map_err(|error| error.status),
        Err(422)
    );
}

#[test]
fn no_parameter_comes_twice() {
    let status = |raw: &str| with_query(raw, &Value::Null).check_query().map_err(|error| error.status);
    assert_eq!(status("topic=a%3Ab&limit=5"), Ok(()));
    assert_eq!(status("topic=a%3Ab&topic=c%3Ad"), Err(422));
    assert_eq!(status("limit=5&l%69mit=6"), Err(422));
}

fn with_query(raw: &str, parameters: &Value) -> Request {
    read(&json!({
        "rawQueryString": raw, "queryStringParameters": parameters,
        "requestContext": { "requestId": "r", "http": { "method": "GET" } },
    }))
}

pub(crate) fn read(request: &Value) -> Request {
    serde_json::from_value(request.clone()).unwrap()
}
