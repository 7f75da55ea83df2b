//! A hash of a JSON text's content, independent of its spelling.
//!
//! EventBridge may change whitespace between tokens, escapes in strings and the spelling of numbers. It keeps names,
//! values and the order of array elements.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::Scanner;

/// The deepest nesting that is hashed. Events have at most 100 levels.
const MAX_DEPTH: u32 = 127;

/// Integers below this limit have exactly one `f64` each, so `1`, `1.0` and `1e0` hash alike.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The SHA-256 of the content of a JSON text. `None` for invalid JSON, for nesting that is too deep, and for numbers
/// or strings that cannot be represented.
///
/// Of several members with one name, the last one counts, as in all common parsers.
pub(crate) fn content_hash(json: &str) -> Option<[u8; 32]> {
    let mut scanner = Scanner::new(json);
    let hash = value(&mut scanner, 0)?;
    scanner.is_at_end().then_some(hash)
}

fn value(scanner: &mut Scanner<'_>, depth: u32) -> Option<[u8; 32]> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut hash = Sha256::new();
    match scanner.peek()? {
        b'{' => {
            let mut members: BTreeMap<String, [u8; 32]> = BTreeMap::new();
            scanner.members(|inner, name| {
                let name = name.text()?.into_owned();
                members.insert(name, value(inner, depth + 1)?);
                Some(())
            })?;
            hash.update(b"o");
            for (name, content) in members {
                hash.update((name.len() as u64).to_be_bytes());
                hash.update(name.as_bytes());
                hash.update(content);
            }
        }
        b'[' => {
            hash.update(b"a");
            scanner.elements(|scanner| {
                hash.update(value(scanner, depth + 1)?);
                Some(())
            })?;
        }
        b'"' => {
            hash.update(b"s");
            hash.update(scanner.string()?.text()?.as_bytes());
        }
        b't' | b'f' | b'n' => {
            hash.update(b"w");
            hash.update(scanner.value()?.get().as_bytes());
        }
        _ => {
            hash.update(b"n");
            hash.update(number(scanner.value()?.get())?.as_bytes());
        }
    }
    Some(hash.finalize().into())
}

/// The canonical spelling of a number. Integers keep all their digits. Fractions have the precision of an `f64`.
fn number(text: &str) -> Option<String> {
    if !text.contains(['.', 'e', 'E']) {
        return Some(if text == "-0" { "0".to_owned() } else { text.to_owned() });
    }
    let number: f64 = text.parse().ok()?;
    if !number.is_finite() {
        return None;
    }
    if number.fract() == 0.0 && number.abs() < MAX_EXACT {
        // Adding zero turns -0 into 0.
        return Some(format!("{:.0}", number + 0.0));
    }
    Some(format!("{number:e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_change_the_hash() {
        for (one, other) in [
            (r#"{"a":12.50,"b":[1,"é"]}"#, r#"{ "b" : [ 1, "\u00e9" ], "a" : 12.5 }"#),
            ("[1e2,-0,1.0]", "[100.0, 0, 1]"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("0.1234567890123456789", "0.12345678901234568"),
            (r#""\/""#, r#""/""#),
        ] {
            assert_eq!(content_hash(one).unwrap(), content_hash(other).unwrap(), "{one}");
        }
    }

    #[test]
    fn different_values_and_orders_have_different_hashes() {
        let texts = [
            "{}",
            "[]",
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "1.5",
            r#""1""#,
            r#""""#,
            r#""null""#,
            "[1,2]",
            "[2,1]",
            "[[1],2]",
            "[[1,2]]",
            r#"{"a":1}"#,
            r#"{"b":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":{"b":1}}"#,
            "9007199254740993",
            "9007199254740992",
            "100000000000000000001",
            "100000000000000000000",
        ];
        for (index, one) in texts.iter().enumerate() {
            for other in &texts[..index] {
                assert_ne!(content_hash(one).unwrap(), content_hash(other).unwrap(), "{one} {other}");
            }
        }
    }

    #[test]
    fn invalid_or_unrepresentable_json_has_no_hash() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in ["", "{", "{}x", "1e400", r#""\ud800""#, "[1,]", &deep] {
            assert_eq!(content_hash(text), None, "{text}");
        }
    }
}
