use serde_json::{Value, json};

use super::{MAX_DEPTH, Schema};

#[test]
fn value_that_the_schema_admits_has_no_mismatch() {
    for (schema, value) in [
        (json!({}), json!({ "any": [1, null] })),
        (json!({ "type": "object" }), json!({})),
        (json!({ "type": ["string", "null"] }), json!(null)),
        (json!({ "type": "integer" }), json!(2.0)),
        (json!({ "type": "number" }), json!(2)),
        (json!({ "required": ["a"] }), json!({ "a": null })),
        (json!({ "properties": { "a": { "type": "string" } } }), json!({ "b": 1 })),
        (json!({ "enum": [1, { "x": [1, 2] }] }), json!({ "x": [1.0, 2] })),
        (json!({ "const": 10 }), json!(1e1)),
        (json!({ "minimum": 1, "exclusiveMaximum": 2 }), json!(1)),
        (json!({ "minLength": 1, "maxLength": 1 }), json!("💊")),
        (json!({ "minItems": 2, "uniqueItems": true }), json!([1, "1"])),
        (json!({ "items": { "type": "integer" } }), json!([1, 2])),
        // Limits of one type do not concern values of another.
        (json!({ "minLength": 3, "minimum": 5, "minItems": 1 }), json!(true)),
    ] {
        assert_eq!(mismatches(&schema, &value), [""; 0], "{schema} {value}");
    }
}

#[test]
fn mismatch_names_path_and_both_sides_without_the_value() {
    for (schema, value, expected) in [
        (json!({ "type": "string" }), json!(7), "$: found integer, wanted string"),
        (json!({ "type": "integer" }), json!(7.5), "$: found number, wanted integer"),
        (json!({ "type": ["string", "null"] }), json!([]), "$: found array, wanted null or string"),
        (json!({ "required": ["a"] }), json!({}), "$.a: found no such member, wanted a value"),
        (
            json!({ "required": ["a"], "properties": { "a": { "type": "string" } } }),
            json!({}),
            "$.a: found no such member, wanted string",
        ),
        (
            json!({ "properties": { "a": { "items": { "type": "string" } } } }),
            json!({ "a": ["x", 1] }),
            "$.a[1]: found integer, wanted string",
        ),
        (
            json!({ "properties": { "a": {} }, "additionalProperties": false }),
            json!({ "b c": 1 }),
            "$[\"b c\"]: found an unknown member, wanted one of a",
        ),
        (
            json!({ "enum": ["secret", 2] }),
            json!("other"),
            "$: found another value, wanted one of \"secret\", 2",
        ),
        (json!({ "minimum": 1 }), json!(0.5), "$: found a number beyond the limit, wanted at least 1"),
        (
            json!({ "exclusiveMinimum": 1 }),
            json!(1),
            "$: found a number beyond the limit, wanted more than 1",
        ),
        (json!({ "maximum": 1 }), json!(1.1), "$: found a number beyond the limit, wanted at most 1"),
        (json!({ "maxLength": 2 }), json!("abc"), "$: found 3 characters, wanted at most 2 characters"),
        (json!({ "minItems": 2 }), json!([1]), "$: found 1 items, wanted at least 2 items"),
        (json!({ "uniqueItems": true }), json!([1, 1.0]), "$: found two equal items, wanted each item once"),
        (json!({ "format": "uuid" }), json!("abc"), "$: found another text, wanted the format uuid"),
    ] {
        assert_eq!(mismatches(&schema, &value), [expected], "{schema}");
    }
}

#[test]
fn formats_are_those_of_the_rfcs() {
    for (format, good, bad) in [
        ("date-time", "2026-11-30T10:00:00.5+01:00", "2026-11-30 10:00"),
        ("date", "2026-11-30", "2026-02-30"),
        ("time", "10:00:00", "25:00:00"),
        ("uuid", "22770fbd-d117-4351-a869-401a0e1427bc", "22770fbd-d117-4351-a869-401a0e1427bg"),
        ("email", "pat@example.com", "pat@"),
        ("uri", "urn:carillon:x", "no scheme: x"),
    ] {
        let schema = json!({ "format": format });
        assert_eq!(mismatches(&schema, &json!(good)), [""; 0], "{format}");
        assert_eq!(mismatches(&schema, &json!(bad)).len(), 1, "{format}");
    }
}

#[test]
fn keyword_that_is_not_enforced_is_refused_with_its_place() {
    for (schema, expected) in [
        (json!(true), "at `/`: found a value of the type boolean, wanted an object with keywords"),
        (
            json!({ "typ": "string" }),
            "at `/typ`: found a keyword that draft-07 does not have, wanted one of draft-07",
        ),
        (
            json!({ "properties": { "a/b": { "pattern": "^x" } } }),
            "at `/properties/a~1b/pattern`: found `pattern`, which is not enforced, wanted `format`, `enum` or a limit of the length",
        ),
        (
            json!({ "type": "text" }),
            "at `/type/0`: found `text`, wanted one of null, boolean, integer, number, string, array, object",
        ),
        (
            json!({ "required": "a" }),
            "at `/required`: found a value of the type string, wanted a list of names of properties",
        ),
        (
            json!({ "additionalProperties": {} }),
            "at `/additionalProperties`: found a value of the type object, wanted `true` or `false`",
        ),
        (
            json!({ "minLength": -1 }),
            "at `/minLength`: found a value of the type integer, wanted a whole number from 0",
        ),
        (
            json!({ "minimum": 2, "maximum": 1 }),
            "at `/maximum`: found less than the lower limit, wanted at least the lower limit",
        ),
        (
            json!({ "enum": [] }),
            "at `/enum`: found a value of the type array, wanted a list with at least one value",
        ),
        (
            json!({ "format": "ipv4" }),
            "at `/format`: found `ipv4`, wanted one of date-time, date, time, uuid, email, uri",
        ),
        (
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema" }),
            "at `/$schema`: found `https://json-schema.org/draft/2020-12/schema`, wanted `http://json-schema.org/draft-07/schema#`",
        ),
        (
            json!({ "required": ["b"], "properties": {}, "additionalProperties": false }),
            "at `/required`: found `b`, which `additionalProperties: false` forbids, wanted a name of `properties`",
        ),
    ] {
        let faults = Schema::read(&schema).expect_err("the schema is refused");
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn schema_may_nest_32_levels_and_no_more() {
    let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({ "items": inner }));
    assert!(Schema::read(&nested(MAX_DEPTH)).is_ok());
    assert!(Schema::read(&nested(MAX_DEPTH + 1)).is_err());
}

#[track_caller]
fn mismatches(schema: &Value, value: &Value) -> Vec<String> {
    let schema = Schema::read(schema).unwrap_or_else(|faults| panic!("{faults:?}"));
    schema.mismatches(value).iter().map(ToString::to_string).collect()
}
