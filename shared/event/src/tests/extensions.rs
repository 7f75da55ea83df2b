use super::{Event, accepted, check_refusal, import, refused, refused_as, unusable, with};
use crate::Extension;

#[test]
fn extension_is_a_string_a_boolean_or_a_32_bit_integer() {
    check(r#""calm""#, Extension::Text("calm".to_owned()));
    check("true", Extension::Bool(true));
    check("0", Extension::Integer(0));
    check("2147483647", Extension::Integer(i32::MAX));
    check("-2147483648", Extension::Integer(i32::MIN));
    check(r#""""#, Extension::Text(String::new()));
    for number in ["2147483648", "-2147483649", "1.5", "1.0"] {
        unusable("mood", number, "a number");
    }
    unusable("mood", r#"{"a":1}"#, "an object");
    unusable("mood", "[1]", "a list");
    refused_as(
        "<4 characters>",
        "mood",
        "1e400",
        "a number, a character or a name that cannot be held (line 1, column 1)",
    );
}

#[test]
fn invalid_decisive_extension_is_refused() {
    for name in ["replayid", "renotify", "authtype"] {
        refused_as(
            if name == "authtype" { "<8 characters>" } else { name },
            name,
            r#""""#,
            "an empty string",
        );
        assert!(Event::parse(&with(name, "[1]")).is_err());
    }
    refused("authid", "{}", "an object");
}

#[test]
fn extension_name_has_lower_case_letters_and_digits() {
    for name in ["mood", "mood2", "2mood", "partitionkey"] {
        accepted(name, "1");
    }
    for (name, told) in [
        ("my_mood", "<7 characters>"),
        ("my.mood", "<2 characters>.<4 characters>"),
        ("möod", "<4 characters>"),
        ("my mood", "<2 characters> <4 characters>"),
        ("", ""),
    ] {
        refused_as(told, name, "1", "a name of other characters");
    }
}

#[test]
fn attribute_names_are_read_in_any_letter_case() {
    let event = import(
        r#"{"specversion":"1.0","ID":"1","Source":"/shop","type":"order.paid","correlationId":"c","Mood":"calm","DATA":{"A":1}}"#,
    )
    .unwrap();
    assert_eq!(event.id, "1");
    assert_eq!(event.correlation_id.as_deref(), Some("c"));
    assert_eq!(event.extensions["mood"], Extension::Text("calm".to_owned()));
    assert_eq!(event.data.unwrap().text(), r#"{"A":1}"#);
    assert!(import(&with("my_mood", "1")).is_err());
    let pascal = r#"{"SpecVersion":"1.0","Id":"1","Source":"/shop","Type":"order.paid","Time":"2026-11-20T12:00:00Z"}"#;
    assert_eq!(Event::parse(pascal).unwrap(), accepted("id", r#""1""#));
}

#[test]
fn duplicate_name_is_refused() {
    check_refusal(r#"{"id":"1","id":"1"}"#, "id", "the name twice");
    check_refusal(r#"{"id":"1","\u0069d":"2"}"#, "id", "the name twice");
    check_refusal(r#"{"id":null,"id":"2"}"#, "id", "the name twice");
}

#[test]
fn duplicate_name_in_other_letter_case_is_refused() {
    let refusal = import(&with("ID", r#""2""#)).unwrap_err();
    assert_eq!(
        (refusal.attribute.as_str(), refusal.found.as_str()),
        ("id", "the name twice, in different letter case")
    );
    assert_eq!(import(&with("ID", "null")).unwrap().id, "1");
}

#[test]
fn refusal_describes_an_unknown_name_by_its_length() {
    let name = "X_".repeat(50_000);
    let refusal = Event::parse(&with(&name, "1")).unwrap_err();
    assert_eq!(refusal.attribute, "<100000 characters>");
    assert!(refusal.to_string().len() < 300, "{refusal}");
}

#[test]
fn name_cannot_inject_a_log_line() {
    let refusal = Event::parse(r#"{"a\nb\u0000":1}"#).unwrap_err();
    assert!(!refusal.to_string().contains(char::is_control), "{refusal:?}");
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests pass literals")]
fn check(json: &str, expected: Extension) {
    assert_eq!(accepted("mood", json).extensions["mood"], expected, "{json}");
}
