use super::{Event, accepted, check_refusal, import, long, received, refused, told, with, without};
use crate::event::Priority;

#[test]
fn an_event_has_a_version_an_id_a_source_a_type_and_a_time() {
    assert!(Event::parse(&with("id", r#""1""#)).is_ok());
    for name in ["specversion", "id", "source", "type", "time"] {
        check_refusal(&without(name), name, "nothing");
    }
}

#[test]
fn an_attribute_that_is_null_counts_as_absent() {
    for name in ["specversion", "id", "source", "type", "time"] {
        refused(name, "null", "nothing");
    }
    for name in OPTIONAL.into_iter().chain(["data", "data_base64", "mood", "Mood"]) {
        assert_eq!(accepted(name, "null"), accepted("id", r#""1""#), "{name}");
    }
}

#[test]
fn an_attribute_is_a_string() {
    for name in ["specversion", "id", "source", "type", "time"].into_iter().chain(OPTIONAL) {
        if name != "sequence" {
            refused(name, "1", "a number");
        }
    }
    for (json, found) in [("true", "a boolean"), ("[]", "a list"), ("{}", "an object")] {
        refused("id", json, found);
    }
}

#[test]
fn text_is_neither_empty_nor_unprintable() {
    for name in TEXTS {
        refused(name, r#""""#, "an empty string");
        refused(name, r#""a\nb""#, "a control character");
        refused(name, r#""a\u0000b""#, "a control character");
    }
}

#[test]
fn the_version_is_1_0_and_no_other() {
    for json in [r#""0.3""#, r#""1""#, r#""1.0.2""#, r#""1.1""#, r#""""#] {
        refused("specversion", json, &told(json));
    }
}

#[test]
fn a_source_is_written_in_the_characters_of_a_uri() {
    for json in [r#""/shop""#, r#""urn:uuid:1""#, r#""https://example.com/a?b=%20#c""#, r#""shop""#] {
        accepted("source", json);
    }
    refused("source", r#""two words""#, "a character that no URI has");
    refused("source", r#""caf\u00e9""#, "a character that no URI has");
    refused("source", r#""<shop>""#, "a character that no URI has");
}

#[test]
fn a_time_has_a_date_a_clock_and_a_zone() {
    let noon = accepted("time", r#""2026-11-20T12:00:00Z""#).time;
    assert_eq!(accepted("time", r#""2026-11-20T13:00:00.000+01:00""#).time, noon);
    for name in ["time", "expirytime"] {
        for json in
            [r#""""#, r#""noon""#, r#""2026-11-20""#, r#""2026-11-20T12:00:00""#, r#""2026-02-30T12:00:00Z""#]
        {
            refused(name, json, &told(json));
        }
    }
    let expiry = accepted("expirytime", r#""2026-11-20T12:00:00Z""#).expiry_time;
    assert_eq!(expiry, Some(noon));
}

#[test]
fn a_missing_time_is_when_the_bus_took_the_event_but_a_wrong_one_is_refused() {
    assert_eq!(import(&without("time")).unwrap().time, received());
    assert_ne!(import(&with("id", r#""1""#)).unwrap().time, received());
    assert_eq!(import(&with("time", r#""noon""#)).unwrap_err().attribute, "time");
}

#[test]
fn a_schema_is_an_absolute_uri() {
    accepted("dataschema", r#""https://example.com/order.json""#);
    accepted("dataschema", r#""urn:order:1""#);
    for json in [r#""order.json""#, r#""/order.json""#, r#""https:""#, r#"":order""#, r#""1urn:order""#] {
        refused("dataschema", json, "a relative reference");
    }
}

#[test]
fn a_priority_is_one_of_four_and_older_names_are_understood() {
    for (name, expected) in [
        ("low", Priority::Low),
        ("normal", Priority::Normal),
        ("high", Priority::High),
        ("critical", Priority::Critical),
        ("medium", Priority::Normal),
        ("urgent", Priority::Critical),
        ("emergency", Priority::Critical),
        ("HIGH", Priority::High),
    ] {
        assert_eq!(accepted("priority", &format!("{name:?}")).priority, Some(expected), "{name}");
    }
    for json in [r#""""#, r#""asap""#, r#""high ""#] {
        refused("priority", json, &told(json));
    }
}

#[test]
fn a_sequence_is_a_whole_number_from_1_on_as_text_or_as_a_number() {
    assert_eq!(accepted("sequence", "7").sequence, Some(7));
    assert_eq!(accepted("sequence", r#""7""#).sequence, Some(7));
    assert_eq!(accepted("sequence", "18446744073709551615").sequence, Some(u64::MAX));
    for digits in ["0", "-1", "1.0", "1e3", "18446744073709551616"] {
        refused("sequence", digits, "a number");
        let text = format!("{digits:?}");
        refused("sequence", &text, &told(&text));
    }
    refused("sequence", r#""""#, "an empty text");
    refused("sequence", "true", "a boolean");
}

#[test]
fn a_trace_has_version_00_and_ids_that_are_not_zero() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";
    let good = format!("00-{TRACE}-{PARENT}-01");
    assert_eq!(accepted("traceparent", &format!("{good:?}")).traceparent, Some(good));
    for bad in [
        format!("00-{}-{PARENT}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
        format!("00-{TRACE}-{PARENT}-0A"),
        format!("00-{TRACE}-{PARENT}-1"),
        format!("00-{TRACE}0-{PARENT}-01"),
        format!("00-{}-{PARENT}-01", &TRACE[1..]),
        format!("00-{TRACE}-{PARENT}"),
        format!("00-{TRACE}-{PARENT}-01-00"),
        format!("01-{TRACE}-{PARENT}-01"),
        format!("ff-{TRACE}-{PARENT}-01"),
        String::new(),
    ] {
        let text = with("traceparent", &format!("{bad:?}"));
        let refusal = Event::parse(&text).expect_err(&bad);
        assert_eq!(refusal.attribute, "traceparent", "{bad}");
        assert_eq!(import(&text).unwrap().traceparent, None, "{bad}");
    }
}

#[test]
fn data_is_json_and_nothing_else() {
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/order+json", "text/json"]
    {
        accepted("datacontenttype", &format!("{kind:?}"));
    }
    for kind in ["text/plain", "application/xml", "application/jsonp", ""] {
        refused("datacontenttype", &format!("{kind:?}"), &told(&format!("{kind:?}")));
    }
    refused("data_base64", r#""AAEC""#, "binary data");
    assert_eq!(import(&with("data_base64", r#""AAEC""#)).unwrap_err().attribute, "data_base64");
}

#[test]
fn every_attribute_arrives_in_its_own_field() {
    let text = |name: &str| accepted(name, r#""urn:x""#);
    let expected = Some("urn:x".to_owned());
    assert_eq!(text("subject").subject, expected);
    assert_eq!(text("dataschema").dataschema, expected);
    assert_eq!(text("tenant").tenant, expected);
    assert_eq!(text("correlationid").correlation_id, expected);
    assert_eq!(text("causationid").causation_id, expected);
    assert_eq!(text("actor").actor, expected);
    assert_eq!(accepted("data", r#"{"a": 1}"#).data.unwrap().text(), r#"{"a": 1}"#);
}

#[test]
fn value_is_told_by_its_length() {
    refused("priority", &long(41), "a text of 41 characters");
    refused("priority", &long(1_000), "a text of 1000 characters");
}

const TEXTS: [&str; 9] =
    ["id", "source", "type", "subject", "dataschema", "tenant", "correlationid", "causationid", "actor"];

const OPTIONAL: [&str; 11] = [
    "subject",
    "dataschema",
    "tenant",
    "correlationid",
    "causationid",
    "actor",
    "priority",
    "sequence",
    "traceparent",
    "expirytime",
    "datacontenttype",
];
