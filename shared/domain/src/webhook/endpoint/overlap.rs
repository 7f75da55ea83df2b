//! Whether an endpoint's filter can match an event that a rule for endpoints matches.
//!
//! Only types and sources are compared, if both patterns name them. `false` is proven; `true` is not.

use serde_json::{Value, json};

use crate::pattern::Pattern;
use crate::pattern::condition::When;

/// The compared fields.
const FIELDS: [&str; 2] = ["detail-type", "source"];

/// Whether an event can match both patterns, judged by types and sources.
#[must_use]
pub fn may_overlap(one: &When, other: &When) -> bool {
    let (one, other) = (one.source(), other.source());
    FIELDS.iter().all(|field| match (one.get(field), other.get(field)) {
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            one.iter().any(|one| other.iter().any(|other| may_share_a_text(one, other)))
        }
        _ => true,
    })
}

/// Whether a text can satisfy both operands.
fn may_share_a_text(one: &Value, other: &Value) -> bool {
    match (required_prefix(one), required_prefix(other)) {
        _ if one.is_string() => holds(other, one),
        _ if other.is_string() => holds(one, other),
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
        (Some(_) | None, Some(_) | None) => true,
    }
}

/// The required prefix of an operand. For a wildcard that is the text before its first `*`.
fn required_prefix(operand: &Value) -> Option<&str> {
    match (operand.get("prefix").and_then(Value::as_str), operand.get("wildcard").and_then(Value::as_str)) {
        (Some(prefix), _) => Some(prefix),
        (None, Some(wildcard)) if !wildcard.contains('\\') => wildcard.split('*').next(),
        (None, Some(_) | None) => None,
    }
}

fn holds(operand: &Value, text: &Value) -> bool {
    let pattern = Pattern::compile(&json!({ "field": [operand] }));
    pattern.is_ok_and(|pattern| pattern.matches(&json!({ "field": text })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disjoint_patterns_are_recognised() {
        for (one, other, expected) in [
            (r#"{"detail-type":["a.b"]}"#, r#"{"detail-type":["a.b","c"]}"#, true),
            (r#"{"detail-type":["a.b"]}"#, r#"{"detail-type":["a.c"]}"#, false),
            (r#"{"detail-type":["a.b"]}"#, r#"{"detail-type":[{"prefix":"a."}]}"#, true),
            (r#"{"detail-type":[{"prefix":"prescription."}]}"#, r#"{"detail-type":["booking.made"]}"#, false),
            (r#"{"detail-type":[{"prefix":"a.b"}]}"#, r#"{"detail-type":[{"prefix":"a."}]}"#, true),
            (r#"{"detail-type":[{"prefix":"a."}]}"#, r#"{"detail-type":[{"prefix":"b."}]}"#, false),
            (r#"{"detail-type":[{"wildcard":"a.*"}]}"#, r#"{"detail-type":[{"prefix":"b."}]}"#, false),
            (r#"{"detail-type":[{"wildcard":"*.a"}]}"#, r#"{"detail-type":[{"prefix":"b."}]}"#, true),
            (r#"{"detail-type":[{"anything-but":"a"}]}"#, r#"{"detail-type":["a"]}"#, false),
            (r#"{"detail-type":[{"suffix":"a"}]}"#, r#"{"detail-type":[{"prefix":"b."}]}"#, true),
            (r#"{"detail-type":[{"equals-ignore-case":"A"}]}"#, r#"{"detail-type":["a"]}"#, true),
            (r#"{"source":["s"]}"#, r#"{"detail-type":["a"]}"#, true),
            (r#"{"source":["s"],"detail-type":["a"]}"#, r#"{"source":["t"],"detail-type":["a"]}"#, false),
        ] {
            let when =
                |text: &str| When::try_from(serde_json::from_str::<Value>(text).unwrap()).ok().unwrap();
            assert_eq!(may_overlap(&when(one), &when(other)), expected, "{one} {other}");
            assert_eq!(may_overlap(&when(other), &when(one)), expected, "{other} {one}");
        }
    }
}
