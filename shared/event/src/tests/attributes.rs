use super::{Event, accepted, check_refusal, import, long, received, refused, told, unusable, with, without};
use crate::{Priority, Sequence};

#[test]
fn required_attributes_must_be_present() {
    assert!(Event::parse(&with("id", r#""1""#)).is_ok());
    for name in ["specversion", "id", "source", "type", "time"] {
        check_refusal(&without(name), name, "nothing");
    }
}

#[test]
fn null_attribute_counts_as_absent() {
    for name in ["specversion", "id", "source", "type", "time"] {
        refused(name, "null", "nothing");
    }
    for name in OPTIONAL.into_iter().chain(["data", "data_base64", "mood", "Mood"]) {
        assert_eq!(accepted(name, "null"), accepted("id", r#""1""#), "{name}");
    }
}

#[test]
fn attribute_must_be_a_string() {
    for name in ["specversion", "id", "source", "type", "time"].into_iter().chain(DECISIVE) {
        refused(name, "1", "a number");
    }
    for name in OPTIONAL.into_iter().filter(|name| !DECISIVE.contains(name) && *name != "sequence") {
        unusable(name, "1", "a number");
    }
    for (json, found) in [("true", "a boolean"), ("[]", "a list"), ("{}", "an object")] {
        refused("id", json, found);
    }
}

#[test]
fn empty_and_unprintable_texts_are_refused() {
    for name in TEXTS {
        let check = if LESS.contains(&name) { unusable } else { refused };
        check(name, r#""""#, "an empty string");
        check(name, r#""a\nb""#, "a control character");
        check(name, r#""a\u0000b""#, "a control character");
    }
}

#[test]
fn only_version_1_0_is_accepted() {
    for json in [r#""0.3""#, r#""1""#, r#""1.0.2""#, r#""1.1""#, r#""""#] {
        refused("specversion", json, &told(json));
    }
}

#[test]
fn source_has_only_uri_characters() {
    for json in [r#""/shop""#, r#""urn:uuid:1""#, r#""https://example.com/a?b=%20#c""#, r#""shop""#] {
        accepted("source", json);
    }
    refused("source", r#""two words""#, "a character that URIs do not allow");
    refused("source", r#""caf\u00e9""#, "a character that URIs do not allow");
    refused("source", r#""<shop>""#, "a character that URIs do not allow");
}

#[test]
fn source_reference_check_follows_the_uri_grammar() {
    let check = |source: &str| accepted("source", &format!("{source:?}")).check_source_reference();
    for source in ["/shop", "a%20b", "https://[::1]:8080/a?b#c", "urn:uuid:1", "//host/a", "#c", "shop"] {
        assert!(check(source).is_ok(), "{source}");
    }
    for source in ["100%", "a%2", "a%zz", "/a[1]", "/a#b#c", "https://host/[1]"] {
        assert_eq!(check(source).unwrap_err().attribute, "source", "{source}");
    }
}

#[test]
fn time_needs_date_clock_and_offset() {
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
fn time_text_is_kept_if_an_instant_cannot_represent_it() {
    for text in ["9999-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2026-11-20T09:30:00.1234567891Z"] {
        for name in ["time", "expirytime"] {
            let event = accepted(name, &format!("{text:?}"));
            assert!(event.to_json().contains(&format!(r#""{name}":"{text}""#)), "{}", event.to_json());
            assert_eq!(event.document()["detail"][name], text);
            assert_eq!(Event::parse(&event.to_json()).unwrap(), event);
        }
    }
    let mut event = accepted("time", r#""9999-12-31T23:59:59Z""#);
    event.time = received();
    assert_eq!(event.time_text(), received().to_string(), "another time has another text");
}

#[test]
fn missing_time_is_the_receipt_time_and_a_wrong_one_is_refused() {
    assert_eq!(import(&without("time")).unwrap().time, received());
    assert_ne!(import(&with("id", r#""1""#)).unwrap().time, received());
    assert_eq!(import(&with("time", r#""noon""#)).unwrap_err().attribute, "time");
}

#[test]
fn dataschema_is_an_absolute_uri() {
    accepted("dataschema", r#""https://example.com/order.json""#);
    accepted("dataschema", r#""urn:order:1""#);
    for json in [r#""order.json""#, r#""/order.json""#, r#""https:""#, r#"":order""#, r#""1urn:order""#] {
        unusable("dataschema", json, "a relative reference");
    }
    unusable("dataschema", r#""https://a b""#, "a character that URIs do not allow");
}

#[test]
fn priority_accepts_four_names_and_older_ones() {
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
    for json in [r#""""#, r#""asap""#, r#""high ""#, r#""p1""#] {
        unusable("priority", json, &told(json));
        assert_eq!(accepted("priority", json).priority, None);
    }
    for (json, found) in [("5", "a number"), ("[1]", "a list"), (r#"{"a":1}"#, "an object")] {
        unusable("priority", json, found);
    }
}

#[test]
fn sequence_is_any_non_empty_text() {
    for text in ["a-0001", "0", "0007", "7", "2026-11-20T12:00:00Z/3", "18446744073709551616", "-1"] {
        let event = accepted("sequence", &format!("{text:?}"));
        assert_eq!(event.sequence.as_ref().map(Sequence::as_str), Some(text));
        assert!(event.to_json().contains(&format!(r#""sequence":"{text}""#)), "the sequence is unchanged");
    }
    assert_eq!(accepted("sequence", "7").sequence.unwrap().as_str(), "7");
    unusable("sequence", r#""""#, "an empty string");
    for (json, found) in [("true", "a boolean"), ("-1", "a number"), ("1.0", "a number"), ("[1]", "a list")] {
        unusable("sequence", json, found);
    }
}

#[test]
fn numeric_sequence_is_a_version_and_sorts_as_text() {
    for (text, version) in [
        ("7", Some(7)),
        ("0007", Some(7)),
        ("00000000000000000007", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("0", None),
        ("+7", None),
        ("7a", None),
        ("18446744073709551616", None),
    ] {
        assert_eq!(accepted("sequence", &format!("{text:?}")).sequence.unwrap().version(), version, "{text}");
    }
    let written: Vec<String> =
        [1, 2, 10, 999, u64::MAX].map(|version| Sequence::of_version(version).as_str().to_owned()).to_vec();
    assert!(written.is_sorted(), "{written:?}");
}

#[test]
fn traceparent_has_version_00_and_nonzero_ids() {
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
        let event = Event::parse(&text).unwrap();
        assert_eq!((event.traceparent.as_deref(), event.notes().count()), (None, 1), "{bad}");
    }
}

#[test]
fn data_must_be_json() {
    let with_data = |kind: &str| with("datacontenttype", &format!("{kind:?},\"data\":1"));
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/order+json", "text/json"]
    {
        assert!(Event::parse(&with_data(kind)).is_ok(), "{kind}");
    }
    for kind in ["text/plain", "application/xml", "application/jsonp"] {
        check_refusal(&with_data(kind), "datacontenttype", &told(&format!("{kind:?}")));
    }
    refused("datacontenttype", r#""""#, "an empty string");
}

#[test]
fn external_data_may_have_any_content_type() {
    for kind in ["text/xml", "application/json", "image/png"] {
        let text = with("dataref", &format!(r#""https://example.com/1","datacontenttype":{kind:?}"#));
        let event = Event::parse(&text).unwrap();
        assert_eq!(event.data_content_type(), Some(kind));
        assert_eq!(event.document()["detail"]["datacontenttype"], kind);
        assert_eq!(Event::parse(&event.to_json()).unwrap(), event);
    }
}

#[test]
fn base64_of_json_is_data() {
    // {"a":1} with and without padding, with a byte order mark, and a list.
    for (base64, data) in [
        ("eyJhIjoxfQ==", r#"{"a":1}"#),
        ("eyJhIjoxfQ", r#"{"a":1}"#),
        ("77u/eyJhIjoxfQ==", r#"{"a":1}"#),
        ("WzEuNTBd", "[1.50]"),
    ] {
        let event = accepted("data_base64", &format!("{base64:?}"));
        assert_eq!(event.data.as_ref().map(super::super::Data::text), Some(data), "{base64}");
        assert_eq!(event.data_content_type(), Some("application/json"));
        assert_eq!(Event::parse(&event.to_json()).unwrap(), event);
    }
    let deep = base64_of(&"[".repeat(100));
    for (base64, found) in [
        ("AAEC".to_owned(), "bytes that are not JSON, or JSON that nests too deep"),
        ("gA==".to_owned(), "bytes that are not UTF-8 text"),
        ("*".to_owned(), "text that is not base64"),
        (deep, "bytes that are not JSON, or JSON that nests too deep"),
    ] {
        refused("data_base64", &format!("{base64:?}"), found);
    }
    let both = with("data_base64", r#""eyJhIjoxfQ==","data":1"#);
    check_refusal(&both, "data_base64", "data beside it");
    let xml = with("data_base64", r#""PGEvPg==","datacontenttype":"text/xml""#);
    assert!(Event::parse(&xml).is_err());
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn every_attribute_is_read_into_its_field() {
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
fn refusal_describes_a_value_by_its_length() {
    unusable("priority", &long(41), "a text of 41 characters");
    unusable("priority", &long(1_000), "a text of 1000 characters");
}

/// Attributes whose invalid values refuse the event.
const DECISIVE: [&str; 4] = ["tenant", "actor", "expirytime", "datacontenttype"];

/// Optional attributes.
const LESS: [&str; 4] = ["subject", "dataschema", "correlationid", "causationid"];

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
