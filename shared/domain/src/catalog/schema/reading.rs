//! Reads a schema and refuses each keyword that would not be enforced.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::format::Format;
use super::{Bound, DRAFT, JsonType, MAX_DEPTH, Range, Schema, SchemaFault};
use crate::base::json::Decimal;

/// Keywords that describe and restrict nothing.
const ANNOTATIONS: [&str; 7] = ["$id", "$schema", "$comment", "title", "description", "default", "examples"];

/// Keywords of draft-07 that are refused, each with the keyword to write instead.
const REFUSED: [(&str, &str); 14] = [
    ("$ref", "the schema itself in this place"),
    ("definitions", "each schema in the place where it is used"),
    ("oneOf", "one object whose optional properties cover all variants"),
    ("anyOf", "one object whose optional properties cover all variants"),
    ("allOf", "one object with the properties of all"),
    ("not", "the values that are allowed"),
    ("if", "one object whose optional properties cover both branches"),
    ("pattern", "`format`, `enum` or a limit of the length"),
    ("patternProperties", "`properties`"),
    ("propertyNames", "`properties` and `additionalProperties: false`"),
    ("dependencies", "`required`"),
    ("contains", "`items`"),
    ("multipleOf", "`type: integer`, or `minimum` and `maximum`"),
    ("additionalItems", "one schema in `items`"),
];

pub(super) fn read(schema: &Value) -> Result<Schema, Vec<SchemaFault>> {
    let mut faults = Vec::new();
    if let Some(draft) = schema.get("$schema").filter(|draft| !is_draft_07(draft)) {
        let place = Place { pointer: "/$schema".to_owned(), faults: &mut faults };
        place.refuse(quoted(draft), format!("`{DRAFT}`"));
    }
    let read = schema_at(schema, &mut Place { pointer: String::new(), faults: &mut faults }, 0);
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

/// A place in the schema, and the faults of the whole schema.
struct Place<'f> {
    pointer: String,
    faults: &'f mut Vec<SchemaFault>,
}

impl Place<'_> {
    fn below(&mut self, name: &str) -> Place<'_> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        Place { pointer: format!("{}/{escaped}", self.pointer), faults: self.faults }
    }

    fn refuse(self, found: impl Into<String>, wanted: impl Into<String>) {
        let Place { pointer, faults } = self;
        faults.push(SchemaFault { pointer, found: found.into(), wanted: wanted.into() });
    }
}

fn schema_at(schema: &Value, place: &mut Place<'_>, depth: usize) -> Schema {
    let mut read = Schema::default();
    let Value::Object(members) = schema else {
        place.below("").refuse(kind(schema), "an object with keywords");
        return read;
    };
    if depth > MAX_DEPTH {
        place.below("").refuse("a deeper schema", format!("at most {MAX_DEPTH} levels"));
        return read;
    }
    for (keyword, value) in members {
        let mut place = place.below(keyword);
        match keyword.as_str() {
            "type" => read.types = types(value, place),
            "properties" => {
                for (name, property) in object(value, &mut place) {
                    let schema = schema_at(property, &mut place.below(name), depth + 1);
                    read.properties.insert(name.clone(), schema);
                }
            }
            "required" => read.required = names(value, place),
            "additionalProperties" => read.is_closed = flag(value, place).is_some_and(|is_open| !is_open),
            "items" => read.items = Some(Box::new(schema_at(value, &mut place, depth + 1))),
            "enum" => read.values = values(value, place),
            "const" => read.values = Some(vec![value.clone()]),
            "minimum" | "exclusiveMinimum" => read.minimum = bound(keyword, value, place),
            "maximum" | "exclusiveMaximum" => read.maximum = bound(keyword, value, place),
            "minLength" => read.length.least = count(value, place),
            "maxLength" => read.length.most = count(value, place),
            "minItems" => read.count.least = count(value, place),
            "maxItems" => read.count.most = count(value, place),
            "uniqueItems" => read.is_unique = flag(value, place).unwrap_or_default(),
            "format" => read.format = format(value, place),
            annotation if ANNOTATIONS.contains(&annotation) => {}
            other => refuse_keyword(other, place),
        }
    }
    check_ranges(members, &read, place);
    read
}

fn refuse_keyword(keyword: &str, place: Place<'_>) {
    match REFUSED.iter().find(|(name, _)| *name == keyword) {
        Some((_, instead)) => place.refuse(format!("`{keyword}`, which is not enforced"), *instead),
        None => place.refuse("a keyword that draft-07 does not have", "one of draft-07"),
    }
}

/// Refuses limits that admit no value, and a lower limit that is given twice.
fn check_ranges(members: &Map<String, Value>, read: &Schema, place: &mut Place<'_>) {
    for (one, other) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"), ("enum", "const")]
    {
        if members.contains_key(one) && members.contains_key(other) {
            place.below(other).refuse(format!("both `{one}` and `{other}`"), "one of them");
        }
    }
    let is_empty = |range: Range| range.least.zip(range.most).is_some_and(|(least, most)| least > most);
    let numbers = read.minimum.as_ref().zip(read.maximum.as_ref());
    for (keyword, is_empty) in [
        ("maxLength", is_empty(read.length)),
        ("maxItems", is_empty(read.count)),
        ("maximum", numbers.is_some_and(|(least, most)| least.value > most.value)),
    ] {
        if is_empty {
            place.below(keyword).refuse("less than the lower limit", "at least the lower limit");
        }
    }
    for name in read.required.iter().filter(|name| read.is_closed && !read.properties.contains_key(*name)) {
        let found = format!("`{name}`, which `additionalProperties: false` forbids");
        place.below("required").refuse(found, "a name of `properties`");
    }
}

fn types(value: &Value, mut place: Place<'_>) -> BTreeSet<JsonType> {
    let listed = value.as_array().filter(|names| !names.is_empty());
    let names = listed.map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut types = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        match JsonType::ALL.into_iter().find(|kind| name == kind.name()) {
            Some(kind) => drop(types.insert(kind)),
            None => {
                let known = JsonType::ALL.map(JsonType::name).join(", ");
                place.below(&index.to_string()).refuse(quoted(name), format!("one of {known}"));
            }
        }
    }
    types
}

fn names(value: &Value, place: Place<'_>) -> BTreeSet<String> {
    let text = |name: &Value| name.as_str().map(str::to_owned);
    let names: Option<BTreeSet<String>> = value.as_array().and_then(|names| names.iter().map(text).collect());
    names.unwrap_or_else(|| {
        place.refuse(kind(value), "a list of names of properties");
        BTreeSet::new()
    })
}

fn object<'v>(
    value: &'v Value,
    place: &mut Place<'_>,
) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
    if !value.is_object() {
        place.below("").refuse(kind(value), "an object with a schema for each property");
    }
    value.as_object().into_iter().flatten()
}

fn bound(keyword: &str, value: &Value, place: Place<'_>) -> Option<Bound> {
    let number = match value {
        Value::Number(number) => Decimal::of(number),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    };
    if number.is_none() {
        place.refuse(kind(value), "a number");
    }
    number.map(|value| Bound { value, is_exclusive: keyword.starts_with("exclusive") })
}

fn flag(value: &Value, place: Place<'_>) -> Option<bool> {
    if !value.is_boolean() {
        place.refuse(kind(value), "`true` or `false`");
    }
    value.as_bool()
}

fn values(value: &Value, place: Place<'_>) -> Option<Vec<Value>> {
    let values = value.as_array().filter(|values| !values.is_empty());
    if values.is_none() {
        place.refuse(kind(value), "a list with at least one value");
    }
    values.cloned()
}

fn count(value: &Value, place: Place<'_>) -> Option<usize> {
    let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
    if count.is_none() {
        place.refuse(kind(value), "a whole number from 0");
    }
    count
}

fn format(value: &Value, place: Place<'_>) -> Option<Format> {
    let format = Format::ALL.into_iter().find(|format| value == format.name());
    if format.is_none() {
        let known = Format::ALL.map(Format::name).join(", ");
        place.refuse(quoted(value), format!("one of {known}"));
    }
    format
}

fn is_draft_07(draft: &Value) -> bool {
    draft.as_str().is_some_and(|draft| draft.trim_end_matches('#') == DRAFT.trim_end_matches('#'))
}

fn kind(value: &Value) -> String {
    format!("a value of the type {}", JsonType::of(value).name())
}

fn quoted(value: &Value) -> String {
    value.as_str().map_or_else(|| kind(value), |text| format!("`{text}`"))
}
