//! Refused patterns and their messages.

use serde_json::{Value, json};

use crate::pattern::{MAX_COMBINATIONS, MAX_DEPTH, MAX_LENGTH, Pattern};

#[test]
fn refusal_states_location_found_and_wanted() {
    check(&json!([]), "the pattern: found an empty array, wanted an object with at least one field");
    check(&json!({}), "the pattern: found an empty object, wanted an object with at least one field");
    check(&json!({"detail": {}}), "detail: found an empty object, wanted an object with at least one field");
    check(&json!({"a": []}), "a: found an empty array, wanted an array of at least one value");
    check(&json!({"detail": {"price": 5}}), "detail.price: found 5, wanted an array of values, or an object");
    check(&json!({"a": null}), "a: found null, wanted an array of values, or an object");
    check(
        &json!({"a": ["x", ["y"]]}),
        "a[1]: found an array of length 1, wanted a string, a number, true, false, null or an operator",
    );
}

#[test]
fn refuses_unknown_and_combined_operators() {
    let known = "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr or exists";
    check(&json!({"a": [{"regex": "x"}]}), &format!("a[0]: found the operator \"regex\", wanted {known}"));
    check(
        &json!({"a": [{}]}),
        "a[0]: found an empty object, wanted an object with one operator as its only key",
    );
    check(
        &json!({"a": [{"prefix": "x", "suffix": "y"}]}),
        "a[0]: found an object with \"prefix\", \"suffix\", wanted an object with one operator as its only key",
    );
}

#[test]
fn refuses_operands_of_the_wrong_type() {
    check(&json!({"a": [{"prefix": 5}]}), "a[0]: found 5, wanted a string for prefix");
    check(
        &json!({"a": [{"equals-ignore-case": ["x"]}]}),
        "a[0]: found an array of length 1, wanted a string for equals-ignore-case",
    );
    check(&json!({"a": [{"exists": "true"}]}), "a[0]: found \"true\", wanted for exists true or false");
    check(&json!({"a": [{"exactly": 1}]}), "a[0]: found 1, wanted a string for exactly");
    check(
        &json!({"a": [{"suffix": {"equals-ignore-case": 5}}]}),
        "a[0]: found 5, wanted a string for equals-ignore-case",
    );
    check(
        &json!({"a": [{"prefix": {"wildcard": "x"}}]}),
        "a[0]: found an object with \"wildcard\", wanted for prefix a string, or equals-ignore-case with a string",
    );
}

#[test]
fn refuses_adjacent_asterisks_and_useless_backslashes() {
    check(
        &json!({"a": [{"wildcard": "a**"}]}),
        "a[0]: found \"a**\" (character 3), wanted no two asterisks side by side",
    );
    let escape = "wanted an asterisk or a backslash after a backslash";
    check(&json!({"a": [{"wildcard": r"é\n"}]}), &format!(r#"a[0]: found "é\\n" (character 2), {escape}"#));
    check(&json!({"a": [{"wildcard": r"a\"}]}), &format!(r#"a[0]: found "a\\" (character 2), {escape}"#));
}

#[test]
fn anything_but_accepts_strings_numbers_or_one_text_operator() {
    let wanted = "for anything-but strings, numbers, or prefix, suffix, equals-ignore-case or wildcard";
    check(&json!({"a": [{"anything-but": null}]}), &format!("a[0]: found null, wanted {wanted}"));
    check(&json!({"a": [{"anything-but": ["x", true]}]}), &format!("a[0]: found true, wanted {wanted}"));
    check(
        &json!({"a": [{"anything-but": []}]}),
        "a[0]: found an empty array, wanted at least one value for anything-but",
    );
    check(
        &json!({"a": [{"anything-but": {"prefix": []}}]}),
        "a[0]: found an empty array, wanted at least one value for anything-but",
    );
    check(
        &json!({"a": [{"anything-but": ["x", 1]}]}),
        "a[0]: found strings and numbers, wanted for anything-but either strings or numbers",
    );
    check(
        &json!({"a": [{"anything-but": {"prefix": ""}}]}),
        "a[0]: found \"\", wanted a prefix of at least one character",
    );
    check(
        &json!({"a": [{"anything-but": {"suffix": ["x", 1]}}]}),
        "a[0]: found 1, wanted a string for suffix",
    );
    check(
        &json!({"a": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}),
        "a[0]: found the operator \"cidr\", wanted below anything-but prefix, suffix, equals-ignore-case or wildcard",
    );
    check(
        &json!({"a": [{"anything-but": 9007199254740993_u64}]}),
        "a[0]: found 9007199254740993, wanted a number that a double can hold",
    );
}

#[test]
fn numeric_accepts_one_comparison_or_a_range() {
    let wanted = "wanted for numeric one comparison such as [\"<\", 10], or two: > or >= first, then < or <=";
    for operand in [
        json!([]),
        json!(["<"]),
        json!(["!=", 1]),
        json!([1, "<"]),
        json!(["<", 5, ">", 0]),
        json!(["=", 5, "<", 9]),
        json!([">", 0, ">", 1]),
        json!([">", 0, "<", 5, "<", 6]),
    ] {
        let length = operand.as_array().map_or(0, Vec::len);
        let found =
            if length == 0 { "an empty array".to_owned() } else { format!("an array of length {length}") };
        check(&json!({"a": [{"numeric": operand}]}), &format!("a[0]: found {found}, {wanted}"));
    }
    check(&json!({"a": [{"numeric": 5}]}), &format!("a[0]: found 5, {wanted}"));
    check(&json!({"a": [{"numeric": ["<", "5"]}]}), "a[0]: found \"5\", wanted a number to compare with");
    check(
        &json!({"a": [{"numeric": [">", 5, "<", 5]}]}),
        "a[0]: found 5 to 5, wanted for numeric a lower bound below the upper one",
    );
    check(
        &json!({"a": [{"numeric": ["<", 5_000_000_001_u64]}]}),
        "a[0]: found 5000000001, wanted for numeric a number from -5.0e9 to 5.0e9",
    );
    assert!(Pattern::compile(&json!({"a": [{"numeric": [">=", -5.0e9, "<=", 5.0e9]}]})).is_ok());
}

#[test]
fn refuses_invalid_blocks() {
    let wanted = "wanted for cidr an address, a slash and the bits: at most 31 of IPv4, 127 of IPv6";
    for block in [
        "10.0.0.0",
        "10.0.0.0/32",
        "::/128",
        "10.0.0/8",
        "10.0.0.256/8",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "a/8",
        ":::/8",
        "1.2.3.4.5/8",
        "::1.2.3.4/8",
    ] {
        check(&json!({"ip": [{"cidr": block}]}), &format!("ip[0]: found {block:?}, {wanted}"));
    }
}

#[test]
fn or_needs_two_patterns_and_is_never_a_field() {
    let wanted = "wanted an array of at least two patterns";
    check(&json!({"$or": [{"a": [1]}]}), &format!("$or: found an array of length 1, {wanted}"));
    check(&json!({"d": {"$or": {"a": [1]}}}), &format!("d.$or: found an object with \"a\", {wanted}"));
    check(
        &json!({"$or": [{"a": [1]}, "x"]}),
        "$or[1]: found \"x\", wanted an object with at least one field",
    );
    check(
        &json!({"$or": [{"a": [1]}, {"b": {"c": 2}}]}),
        "$or[1].b.c: found 2, wanted an array of values, or an object",
    );
    check(
        &json!({"$or": [{"a": [1]}, {"b": {"prefix": ["x"]}}]}),
        "$or[1].b.prefix: found the field \"prefix\", wanted inside $or a name that no operator has",
    );
}

#[test]
fn refuses_a_second_constraint_on_a_path() {
    let wanted = "found a second constraint on the same path, wanted each path once in a combination of $or";
    // The named path depends on the member order, which serde_json's features decide.
    let pattern = json!({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]});
    let refusal = Pattern::compile(&pattern).unwrap_err().to_string();
    assert!(refusal == format!("a: {wanted}") || refusal == format!("$or[0].a: {wanted}"), "{refusal}");
    check(&json!({"a": {"b": [1]}, "a.b": [2]}), &format!("a.b: {wanted}"));
}

#[test]
fn refuses_patterns_one_over_a_limit() {
    let or = |length: usize| json!(vec![json!({"a": [1]}); length]);
    assert!(
        Pattern::compile(&json!({"x": {"$or": or(10)}, "y": {"$or": or(10)}, "z": {"$or": or(10)}})).is_ok()
    );
    check(
        &json!({"x": {"$or": or(7)}, "y": {"$or": or(11)}, "z": {"$or": or(13)}}),
        &format!("z.$or: found 1001 combinations of all $or, wanted at most {MAX_COMBINATIONS}"),
    );
    let nested = |depth| (0..depth).fold(json!([1]), |inner, _| json!({ "a": inner }));
    assert!(Pattern::compile(&nested(MAX_DEPTH)).is_ok());
    check(
        &nested(MAX_DEPTH + 1),
        &format!("the pattern: found 101 levels, wanted at most {MAX_DEPTH} levels"),
    );
    let dotted = vec!["a"; MAX_DEPTH + 1].join(".");
    check(
        &json!({ dotted: [1] }),
        &format!("the pattern: found 101 levels, wanted at most {MAX_DEPTH} levels"),
    );
    let long = |length: usize| json!({"a": ["x".repeat(length - r#"{"a":[""]}"#.len())]});
    assert!(Pattern::compile(&long(MAX_LENGTH)).is_ok());
    check(
        &long(MAX_LENGTH + 1),
        &format!(
            "the pattern: found 4097 characters, wanted at most {MAX_LENGTH} characters of compact JSON"
        ),
    );
}

#[track_caller]
fn check(pattern: &Value, expected: &str) {
    let refusal = Pattern::compile(pattern).map(|_| "accepted").map_err(|error| error.to_string());
    assert_eq!(refusal, Err(expected.to_owned()), "{pattern}");
}
