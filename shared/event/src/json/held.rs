//! Finds JSON values that not every reader can represent. Representable are Unicode text and numbers in the range of
//! a double.

use super::Scanner;

/// The prefix of member names that `serde_json` reserves. An object whose first member has such a name would be read
/// as a number or as raw JSON text.
///
/// Source: serde_json 1.0, features `arbitrary_precision` and `raw_value`.
pub(crate) const RESERVED: &str = "$serde_json::private::";

/// The position of the first text, name or number that cannot be represented: half a surrogate pair, a number beyond
/// 1.8e308, or a reserved name. `None` if there is none, and for invalid JSON.
///
/// Patterns, EventBridge and most JSON readers use doubles, in which `1e400` is infinite.
///
/// Source: RFC 8259, sections 6 and 8.2.
pub fn first_unheld(json: &str) -> Option<usize> {
    let mut found = None;
    value(&mut Scanner::new(json), &mut found);
    found
}

/// Consumes a value. `None` if it cannot be represented or is invalid.
fn value(scanner: &mut Scanner<'_>, found: &mut Option<usize>) -> Option<()> {
    match scanner.peek()? {
        b'{' => scanner.members(|inner, name| {
            let is_held = name.text().is_some_and(|text| !text.starts_with(RESERVED));
            if !is_held {
                *found = Some(name.start);
                return None;
            }
            value(inner, found)
        }),
        b'[' => scanner.elements(|inner| value(inner, found)),
        first => {
            let raw = scanner.value()?;
            let is_held = match first {
                b'"' => raw.text().is_some(),
                b't' | b'f' | b'n' => true,
                _ => raw.get().parse::<f64>().is_ok_and(f64::is_finite),
            };
            if !is_held {
                *found = Some(raw.start);
            }
            is_held.then_some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_first_unrepresentable_value() {
        for (json, expected) in [
            ("[1, 1e308, 1e-400, 1e400]", Some(19)),
            (r#"{"a": "\ud83d\ude00", "b": "\ud83d"}"#, Some(27)),
            (r#"{"a": {"\udc00": 1}}"#, Some(7)),
            (r#"[{"$serde_json::private::Number": "1"}]"#, Some(2)),
            (r#"{"\u0024serde_json::private::RawValue": 1}"#, Some(1)),
            (r#"{"a": "$serde_json::private::Number", "$serde_json": 1e0}"#, None),
            ("{", None),
        ] {
            assert_eq!(first_unheld(json), expected, "{json}");
        }
        let long = "9".repeat(310);
        assert_eq!(first_unheld(&long), Some(0));
        assert_eq!(first_unheld(&long[..308]), None);
    }
}
