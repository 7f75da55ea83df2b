//! Whether an endpoint's pattern can match an event that a rule for endpoints matches.
//!
//! Types and sources are compared, where both patterns name them. The answer "no" is a proof, the answer "yes" is none.

use serde_json::{Value, json};

use crate::pattern::Pattern;
use crate::rule::When;

/// The fields of an event that are compared.
const FIELDS: [&str; 2] = ["detail-type", "source"];

/// Whether an event can match both patterns, as far as types and sources say.
#[must_use]
pub fn may_overlap(one: &When, other: &When) -> bool {
    let (one, other) = (one.source(), other.source());
    FIELDS.iter().all(|field| match (one.get(field), other.get(field)) {
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            one.iter().any(|one| other.iter().any(|other| meet(one, other)))
        }
        _ => true,
    })
}

/// Whether a text can satisfy both operands of a pattern.
fn meet(one: &Value, other: &Value) -> bool {
    match (beginning(one), beginning(other)) {
        _ if one.is_string() => holds(other, one),
        _ if other.is_string() => holds(one, other),
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
        (Some(_) | None, Some(_) | None) => true,
    }
}

/// The beginning that an operand asks for. A wildcard asks for all that is before its first star.
fn beginning(operand: &Value) -> Option<&str> {
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
    fn patterns_that_cannot_meet_are_told_from_those_that_may() {
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
