use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Raw, Scanner};

#[test]
fn valid_json_is_accepted() {
    for text in [
        "{}",
        "[]",
        "0",
        "-0",
        "-0.5e+7",
        "1E9",
        "\"\"",
        r#""\u00e4\n\"""#,
        " [ 1 , { \"a\" : [ ] } ] ",
        "true",
        "null",
        r#"{"a":{"b":[[],{}]},"c":"ü"}"#,
        r#""0123456\"89""#,
    ] {
        check(text, true);
    }
}

#[test]
fn invalid_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{a:1}",
        "[1 2]",
        "[1}",
        "{\"a\":1]",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "nul",
        "\"a",
        "\"\u{1}\"",
        r#""\x""#,
        r#""\u00g0""#,
        "[]]",
        "[],",
        "'a'",
        "\"0123456\n\"",
        "NaN",
    ] {
        check(text, false);
    }
}

#[test]
fn unrepresentable_values_are_doubtful() {
    let digits = "9".repeat(400);
    let reserved =
        [r#"{"$serde_json::private::Number":"1"}"#, r#"{"\u0024serde_json::private::Number":"1"}"#];
    for text in
        ["1e400", r#""\ud800""#, "{\"a\":[1E309]}", r#""\uDFFF""#, digits.as_str(), reserved[0], reserved[1]]
    {
        assert!(Raw::of(text).unwrap().is_doubtful(), "{text}");
    }
    let plain = r#"{"a":[12345678901234567890,"e","\u00e9",0.5]}"#;
    assert!(!Raw::of(plain).unwrap().is_doubtful());
}

#[test]
fn depth_is_counted_and_limited() {
    for (text, depth) in [("1", 0), ("[]", 1), ("[[],[[1]],{}]", 3), (r#"{"a":"[[[["}"#, 1)] {
        let mut scanner = Scanner::new(text);
        assert!(scanner.value().is_some());
        assert_eq!(scanner.deepest(), depth, "{text}");
    }
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(Scanner::new(&nested(127)).value().is_some());
    assert!(Scanner::new(&nested(128)).value().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn scanner_and_serde_json_accept_the_same_texts(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"\\u12aB\"", "\\", "1", "-", "0", ".5", "e7", "true", "null", " ", "\n",
            "ü", "\u{7}", "\"k\":", "{\"x\":[", "]}", "12345678",
        ]), 0..12),
    ) {
        check(&pieces.concat(), serde_json::from_str::<&RawValue>(&pieces.concat()).is_ok());
    }

    #[test]
    fn values_without_doubt_are_representable(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\u0000\"", "1e309", "1e5", "-1E-400", "123", "\"e\"", "[1]", "0.1",
        ]), 1..5),
    ) {
        let text = format!("[{}]", pieces.join(","));
        let raw = Raw::of(&text).unwrap();
        prop_assert!(raw.is_doubtful() || serde_json::from_str::<Value>(&text).is_ok(), "{text}");
    }

    #[test]
    fn strings_are_read_back(content in any::<String>()) {
        let written = Value::from(content.clone()).to_string();
        let raw = Raw::of(&written).unwrap();
        prop_assert_eq!(raw.get(), &written);
        prop_assert_eq!(raw.text().unwrap(), content);
    }

    #[test]
    fn printable_ascii_excludes_control_characters(text in "[ -~\\x7f\\x00-\\x1f\u{80}-\u{a0}ü]{0,20}|[ -~]{0,40}") {
        prop_assert_eq!(super::is_printable_ascii(&text), text.chars().all(|c| c.is_ascii() && !c.is_control()));
    }
}

/// Checks that the scanner and serde_json agree on whether the text is one JSON value.
#[track_caller]
fn check(text: &str, expected: bool) {
    assert_eq!(Raw::of(text).is_some(), expected, "{text:?}");
    assert_eq!(serde_json::from_str::<&RawValue>(text).is_ok(), expected, "{text:?}");
}
