//! Tests of the single operators.

use serde_json::json;

use super::{NO, YES, check};

#[test]
fn prefix_and_suffix_match_strings_only() {
    check(&json!({"a": [{"prefix": "ab"}]}), &json!({"a": "abc"}), YES);
    check(&json!({"a": [{"prefix": "ab"}]}), &json!({"a": "ABC"}), NO);
    check(&json!({"a": [{"prefix": "5"}]}), &json!({"a": 5}), NO);
    check(&json!({"a": [{"prefix": ""}]}), &json!({"a": ""}), YES);
    check(&json!({"a": [{"prefix": ""}]}), &json!({"a": 5}), NO);
    check(&json!({"a": [{"suffix": ".png"}]}), &json!({"a": "x.png"}), YES);
    check(&json!({"a": [{"suffix": ".png"}]}), &json!({"a": "x.PNG"}), NO);
    check(&json!({"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}), &json!({"a": "eventbridge"}), YES);
    check(&json!({"a": [{"suffix": {"equals-ignore-case": "idge"}}]}), &json!({"a": "BRIDGE"}), YES);
    check(&json!({"a": [{"suffix": {"equals-ignore-case": "idge"}}]}), &json!({"a": "BRIDGES"}), NO);
    check(&json!({"a": [{"equals-ignore-case": "alice"}]}), &json!({"a": "ALICE"}), YES);
    check(&json!({"a": [{"equals-ignore-case": "alice"}]}), &json!({"a": "ALICES"}), NO);
}

#[test]
fn asterisk_matches_any_text() {
    check(&json!({"a": [{"wildcard": "ehr.*.created"}]}), &json!({"a": "ehr.record.created"}), YES);
    check(&json!({"a": [{"wildcard": "ehr.*.created"}]}), &json!({"a": "ehr.created"}), NO);
    check(&json!({"a": [{"wildcard": "a*b*c"}]}), &json!({"a": "abc"}), YES);
    check(&json!({"a": [{"wildcard": "a*bc*bc"}]}), &json!({"a": "abc"}), NO);
    check(&json!({"a": [{"wildcard": "*"}]}), &json!({"a": ""}), YES);
    check(&json!({"a": [{"wildcard": "*"}]}), &json!({"a": 1}), NO);
    check(&json!({"a": [{"wildcard": "plain"}]}), &json!({"a": "plainer"}), NO);
    check(&json!({"a": [{"wildcard": "é*ü"}]}), &json!({"a": "éöü"}), YES);
    check(&json!({"a": [{"wildcard": r"a\*b"}]}), &json!({"a": "a*b"}), YES);
    check(&json!({"a": [{"wildcard": r"a\*b"}]}), &json!({"a": "axb"}), NO);
    check(&json!({"a": [{"wildcard": r"a\\*"}]}), &json!({"a": r"a\b"}), YES);
    check(&json!({"a": [{"wildcard": r"*\**"}]}), &json!({"a": "x*y"}), YES);
}

#[test]
fn wildcard_that_almost_matches_is_fast() {
    let value = "a".repeat(100_000);
    check(&json!({"a": [{"wildcard": format!("{}b", "*a".repeat(500))}]}), &json!({"a": value}), NO);
}

#[test]
fn anything_but_matches_unlisted_values() {
    check(&json!({"a": [{"anything-but": "x"}]}), &json!({"a": "y"}), YES);
    check(&json!({"a": [{"anything-but": "x"}]}), &json!({"a": "x"}), NO);
    check(&json!({"a": [{"anything-but": "x"}]}), &json!({"a": null}), YES);
    check(&json!({"a": [{"anything-but": "x"}]}), &json!({"a": {"x": 1}}), NO);
    check(&json!({"a": [{"anything-but": "x"}]}), &json!({}), NO);
    check(&json!({"a": [{"anything-but": "x"}]}), &json!({"a": []}), NO);
    check(&json!({"a": [{"anything-but": "x"}]}), &json!({"a": ["x", "y"]}), YES);
    check(&json!({"a": [{"anything-but": [1, 2]}]}), &json!({"a": 2.0}), NO);
    check(&json!({"a": [{"anything-but": [1, 2]}]}), &json!({"a": "2"}), YES);
    check(&json!({"a": [{"anything-but": {"prefix": ["x", "y"]}}]}), &json!({"a": "yes"}), NO);
    check(&json!({"a": [{"anything-but": {"suffix": "s"}}]}), &json!({"a": "yes"}), NO);
    check(&json!({"a": [{"anything-but": {"equals-ignore-case": ["YES"]}}]}), &json!({"a": "yes"}), NO);
    check(&json!({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}), &json!({"a": "a/lib/b"}), NO);
    check(&json!({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}), &json!({"a": 1}), YES);
}

#[test]
fn numeric_compares_numbers() {
    check(&json!({"a": [{"numeric": [">", 0, "<=", 5]}]}), &json!({"a": 5}), YES);
    check(&json!({"a": [{"numeric": [">", 0, "<=", 5]}]}), &json!({"a": 0}), NO);
    check(&json!({"a": [{"numeric": [">=", 0, "<", 5]}]}), &json!({"a": 0.0}), YES);
    check(&json!({"a": [{"numeric": [">=", 0, "<", 5]}]}), &json!({"a": 5}), NO);
    check(&json!({"a": [{"numeric": ["=", 3.018e2]}]}), &json!({"a": 301.8}), YES);
    check(&json!({"a": [{"numeric": ["<", 10]}]}), &json!({"a": -1}), YES);
    check(&json!({"a": [{"numeric": ["<=", 10]}]}), &json!({"a": 10.5}), NO);
    check(&json!({"a": [{"numeric": [">", 10]}]}), &json!({"a": 6.0e9}), YES);
    check(&json!({"a": [{"numeric": [">", 10]}]}), &json!({"a": "11"}), NO);
    check(&json!({"a": [{"numeric": ["=", 1]}]}), &json!({"a": true}), NO);
}

#[test]
fn cidr_matches_addresses_in_the_block() {
    check(&json!({"ip": [{"cidr": "10.0.0.0/24"}]}), &json!({"ip": "10.0.0.33"}), YES);
    check(&json!({"ip": [{"cidr": "10.0.0.99/24"}]}), &json!({"ip": "10.0.0.33"}), YES);
    check(&json!({"ip": [{"cidr": "10.0.0.0/24"}]}), &json!({"ip": "10.0.1.33"}), NO);
    check(&json!({"ip": [{"cidr": "10.0.0.0/24"}]}), &json!({"ip": 167772161}), NO);
    check(&json!({"ip": [{"cidr": "0.0.0.0/0"}]}), &json!({"ip": "255.1.2.3"}), YES);
    check(&json!({"ip": [{"cidr": "0.0.0.0/0"}]}), &json!({"ip": "::1"}), NO);
    check(&json!({"ip": [{"cidr": "2001:db8::/32"}]}), &json!({"ip": "2001:DB8:1::1"}), YES);
    check(&json!({"ip": [{"cidr": "2001:db8::/33"}]}), &json!({"ip": "2001:db8:8000::"}), NO);
    check(&json!({"ip": [{"cidr": "::/0"}]}), &json!({"ip": "1::2"}), YES);
}

#[test]
fn addresses_are_equal_in_any_spelling() {
    check(&json!({"ip": ["::1"]}), &json!({"ip": "0:0:0:0:0:0:0:1"}), YES);
    check(&json!({"ip": ["10.0.0.1"]}), &json!({"ip": "010.0.0.01"}), YES);
    check(&json!({"ip": ["10.0.0.1"]}), &json!({"ip": "10.0.0.2"}), NO);
    check(&json!({"ip": [{"cidr": "10.0.0.0/8"}]}), &json!({"ip": "::ffff:a00:1"}), YES);
    check(&json!({"ip": [{"cidr": "10.0.0.0/8"}]}), &json!({"ip": "::ffff:10.0.0.1"}), NO);
}
