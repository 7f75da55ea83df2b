//! Keys from event values, for throttles, digests, cancellations and the replacement of push notifications.
//!
//! Two values have the same key only if they are the same value. Numbers are compared by value (`1`, `1.0` and `1e0`
//! are equal). An integer and its text are the same value, because producers write ids either way. All other values
//! differ from every text: `true` is not `"true"`. Objects and lists are compared as a whole, regardless of the order
//! of an object's members.
//!
//! `null` and a missing member have no key. An event without a key never shares a counter or a window with another
//! event, and its decision says so.

use std::fmt::Write as _;

use serde_json::Value;

use crate::base::json::Decimal;
use crate::base::path::Path;

/// Texts of up to this length are keys as they are, as in release 0.1.
const MAX_PLAIN_BYTES: usize = 256;

/// The prefix of the canonical JSON of a value that is not a plain text. No plain text has this prefix.
const CANONICAL: &str = "\u{0}json ";

/// The key of the value at a path. It may contain personal data, so only its keyed hash is stored.
///
/// `None` if the event lacks the member, or the value is `null`.
#[must_use]
pub fn value_key(path: &Path, envelope: &Value) -> Option<String> {
    let value = path.pick_value(envelope)?;
    Some(key_of(&value))
}

/// The key that release 0.1 computed for the same value, if it equals the present one.
#[must_use]
pub fn former_value_key(path: &Path, envelope: &Value) -> Option<String> {
    value_key(path, envelope).filter(|key| !key.starts_with(CANONICAL))
}

fn key_of(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Number(number) => match Decimal::of(number).filter(Decimal::is_whole) {
            Some(whole) => whole.canonical(),
            None => canonical_key(value),
        },
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            canonical_key(value)
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_PLAIN_BYTES && !text.starts_with('\u{0}')
}

fn canonical_key(value: &Value) -> String {
    let mut key = CANONICAL.to_owned();
    write(value, &mut key);
    key
}

/// Writes canonical JSON similar to RFC 8785: without whitespace, and with members sorted by name. Unlike in the RFC,
/// numbers keep all their digits.
fn write(value: &Value, into: &mut String) {
    match value {
        Value::Null => into.push_str("null"),
        Value::Bool(truth) => into.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => match Decimal::of(number) {
            Some(decimal) => into.push_str(&decimal.canonical()),
            None => into.push_str(&number.to_string()),
        },
        Value::String(text) => quote(text, into),
        Value::Array(elements) => {
            into.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write(element, into);
            }
            into.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            into.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                quote(name, into);
                into.push(':');
                write(member, into);
            }
            into.push('}');
        }
    }
}

fn quote(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                // Writing to a String cannot fail.
                let _ = write!(into, "\\u{:04x}", u32::from(control));
            }
            other => into.push(other),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn different_values_have_different_keys() {
        let long = "L".repeat(300);
        let values = [
            json!(true),
            json!(false),
            json!("true"),
            json!(1.5),
            json!(2.5),
            json!("1.5"),
            json!({ "a": 1 }),
            json!({ "a": 2 }),
            json!({ "b": 1 }),
            json!({ "a": { "b": 1 } }),
            json!({ "a": [1] }),
            json!("{\"a\":1}"),
            json!({}),
            json!([]),
            json!([[]]),
            json!("x"),
            json!("y"),
            json!("X"),
            json!("x "),
            json!(["p", "q"]),
            json!(["p", "r"]),
            json!(["p"]),
            json!("p"),
            json!(["q", "p"]),
            json!([null]),
            json!(format!("{long}1")),
            json!(format!("{long}2")),
            json!(1),
            json!(-1),
            json!(0),
            json!(""),
            json!(" "),
            json!("\u{0}json true"),
            json!("\u{0}json \"x\""),
            json!("é"),
            json!("e\u{301}"),
        ];
        let mut keys: Vec<String> = values.iter().map(|value| key(&json!({ "k": value })).unwrap()).collect();
        for digits in [
            "123456789012345678901234567890",
            "123456789012345678901234567891",
            "12345678901234567890.12",
            "12345678901234567890.13",
            "9007199254740992",
            "9007199254740993",
            "1e-400",
            "2e-400",
        ] {
            keys.push(key(&serde_json::from_str(&format!("{{\"k\":{digits}}}")).unwrap()).unwrap());
        }
        for (index, one) in keys.iter().enumerate() {
            for other in &keys[..index] {
                assert_ne!(one, other);
            }
        }
    }

    #[test]
    fn spelling_does_not_change_the_key() {
        for (one, other) in [
            ("1", "\"1\""),
            ("1", "1.0"),
            ("100", "1e2"),
            ("-0", "0"),
            ("1.50", "1.5"),
            ("123456789012345678901234567890", "\"123456789012345678901234567890\""),
            (r#"{"a":1,"b":[2.0]}"#, r#"{ "b": [2], "a": 1e0 }"#),
            (r#""\u00e9""#, "\"é\""),
        ] {
            let of = |text: &str| key(&serde_json::from_str(&format!("{{\"k\":{text}}}")).unwrap());
            assert_eq!(of(one), of(other), "{one} {other}");
        }
    }

    #[test]
    fn null_and_missing_have_no_key() {
        let envelope =
            json!({ "k": null, "list": [{ "id": 1 }, {}], "none": [{}], "empty": [], "text": "x" });
        let key_at = |path: &str| value_key(&Path::parse(path).unwrap(), &envelope);
        for path in ["$.k", "$.gone", "$.k.deeper", "$.none.id", "$.empty.id", "$.text.deeper"] {
            assert_eq!(key_at(path), None, "{path}");
        }
        assert!(key_at("$.list.id").is_some() && key_at("$.empty").is_some());
    }

    #[test]
    fn short_texts_and_integers_keep_their_former_keys() {
        for (value, expected) in [
            (json!("abc"), "abc"),
            (json!(7), "7"),
            (json!(-7), "-7"),
            (json!("7"), "7"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!("L".repeat(256)), &"L".repeat(256)),
        ] {
            let envelope = json!({ "k": value });
            assert_eq!(key(&envelope).as_deref(), Some(expected));
            assert_eq!(former_value_key(&Path::parse("$.k").unwrap(), &envelope).as_deref(), Some(expected));
        }
        let envelope = json!({ "k": [7] });
        assert_eq!(former_value_key(&Path::parse("$.k").unwrap(), &envelope), None);
    }

    fn key(envelope: &Value) -> Option<String> {
        value_key(&Path::parse("$.k").unwrap(), envelope)
    }
}
