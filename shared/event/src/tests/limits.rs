use super::{Event, accepted, check_refusal, long, refused, unusable, with};
use crate::{MAX_DEPTH, MAX_EVENT_BYTES};

#[test]
fn names_have_at_most_256_bytes() {
    for name in ["id", "source", "tenant", "actor"] {
        accepted(name, &long(256));
        refused(name, &long(257), "257 bytes");
    }
    for name in ["correlationid", "causationid"] {
        assert_eq!(accepted(name, &long(256)).notes().count(), 0);
        unusable(name, &long(257), "257 bytes");
    }
    accepted("id", &format!("{:?}", "é".repeat(128)));
    refused("id", &format!("{:?}", "é".repeat(129)), "258 bytes");
}

#[test]
fn type_has_at_most_128_characters() {
    accepted("type", &long(128));
    refused("type", &long(129), "129 characters");
    accepted("type", &format!("{:?}", "é".repeat(128)));
}

#[test]
fn other_texts_have_at_most_1024_bytes() {
    for name in ["subject", "mood", "sequence"] {
        assert_eq!(accepted(name, &long(1024)).notes().count(), 0);
        unusable(name, &long(1025), "1025 bytes");
    }
    accepted("dataschema", &format!("\"urn:{}\"", "x".repeat(1020)));
    unusable("dataschema", &format!("\"urn:{}\"", "x".repeat(1021)), "1025 bytes");
}

#[test]
fn event_has_at_most_200_kib() {
    let room = MAX_EVENT_BYTES - with("data", r#""""#).len();
    let largest = with("data", &long(room));
    assert_eq!(largest.len(), 204_800);
    assert!(Event::parse(&largest).is_ok());
    check_refusal(&with("data", &long(room + 1)), "body", "204801 bytes");
}

#[test]
fn event_nests_at_most_100_levels() {
    assert_eq!(MAX_DEPTH, 100);
    // The envelope is the first level.
    accepted("data", &lists(99));
    let too_deep = "JSON that nests deeper than 100 levels";
    check_refusal(&with("data", &lists(100)), "body", too_deep);
    check_refusal(
        &with("data", &format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100))),
        "body",
        too_deep,
    );
    accepted("data", &format!("[{}]", vec!["[]"; 500].join(",")));
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let too_deep = "JSON that nests deeper than 100 levels";
    check_refusal(&"[".repeat(10_000), "body", too_deep);
    check_refusal(&r#"{"a":"#.repeat(10_000), "body", too_deep);
    check_refusal(&with("data", &lists(10_000)), "body", too_deep);
}

#[test]
fn brackets_in_text_do_not_count_as_levels() {
    accepted("data", &format!("{:?}", "[".repeat(500)));
    accepted("data", &format!(r#""\"{}""#, "[".repeat(500)));
    accepted("data", &format!(r#"["\\",{:?}]"#, "{".repeat(500)));
    let hidden = with("data", &format!(r#"["\\",{}]"#, lists(99)));
    check_refusal(&hidden, "body", "JSON that nests deeper than 100 levels");
}

#[test]
fn body_must_be_one_json_object() {
    check_refusal("[]", "body", "a list");
    check_refusal("\"text\"", "body", "a string");
    check_refusal(" 1", "body", "a number");
    check_refusal("true", "body", "a boolean");
    check_refusal("null", "body", "null");
    check_refusal("", "body", "text that is not JSON (line 1, column 0)");
    check_refusal("{}{}", "body", "text that is not JSON (line 1, column 3)");
    check_refusal("{\n\"id\":'1'}", "body", "text that is not JSON (line 2, column 6)");
}

#[test]
fn refusal_never_quotes_a_payload() {
    for text in [
        "secret",
        r#""secret""#,
        r#"{"data":"secret"#,
        r#"{"data":"secret","#,
        r#"{"data":secret}"#,
        r#"["secret"]"#,
        "{\"data\":\"secret\n\"}",
    ] {
        let refusal = Event::parse(text).expect_err(text);
        assert!(!format!("{refusal} {refusal:?}").contains("secret"), "{refusal}");
    }
    let event = accepted("data", r#""secret""#);
    assert!(!format!("{event:?}").contains("secret"));
}

/// Rules and templates read every payload, so unrepresentable values must be refused here.
#[test]
fn unrepresentable_number_or_character_is_refused_without_a_panic() {
    for json in
        ["1e400", "[-1e999]", r#"{"a":{"b":1e309}}"#, r#""\ud800""#, r#"{"\udc00":1}"#, r#""\ud800\u0041""#]
    {
        let refusal = Event::parse(&with("data", json)).expect_err(json);
        assert_eq!(refusal.attribute, "data", "{json}");
    }
    for json in
        ["1e308", "-0", "1e-400", "123456789012345678901234567890", r#""\ud83d\ude00""#, r#""\u0000""#]
    {
        let _ = accepted("data", json).document();
    }
}

/// This many nested lists.
fn lists(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}
