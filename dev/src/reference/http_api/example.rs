//! Examples of bodies, composed from the examples and limits of schemas.

use serde_json::{Map, Value, json};

use super::schema::described;
use crate::reference::markdown::{json_block, sorted};

/// The deepest composed example. Schemas may contain themselves.
const MAX_DEPTH: usize = 6;

/// An example of a JSON body with its required members, or those with an example of their own.
pub(super) fn of_content(document: &Value, body: &Value) -> Option<String> {
    let (_, media) = sorted(&body["content"]).into_iter().find(|(name, _)| name.ends_with("json"))?;
    let example = match (media.get("example"), sorted(&media["examples"]).first()) {
        (Some(example), _) => example.clone(),
        (None, Some((_, named))) => named["value"].clone(),
        (None, None) => of_schema(document, &media["schema"], 0),
    };
    Some(json_block(&example)).filter(|text| text != "{}")
}

fn of_schema(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = described(document, schema);
    let given =
        [schema.get("example"), schema["examples"].get(0), schema.get("const"), schema.get("default")];
    if let Some(value) = given.into_iter().flatten().next() {
        return value.clone();
    }
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(part) = schema["oneOf"].get(0) {
        return of_schema(document, part, depth + 1);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let objects =
            parts.iter().filter_map(|part| of_schema(document, part, depth + 1).as_object().cloned());
        return Value::Object(objects.flatten().collect());
    }
    if let Some(value) = schema["enum"].get(0) {
        return value.clone();
    }
    let name = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or("object");
    match name {
        "object" => object(document, schema, depth),
        "array" => json!([of_schema(document, &schema["items"], depth + 1)]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        _ if schema["format"] == "date-time" => json!("2026-11-20T12:00:00Z"),
        _ => json!("…"),
    }
}

fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let has_example = |value: &Value| {
        let value = described(document, value);
        value.get("example").is_some() || value["examples"].is_array()
    };
    let members = sorted(&schema["properties"])
        .into_iter()
        .filter(|(name, value)| required.iter().any(|one| one == name) || has_example(value))
        .map(|(name, value)| (name.to_owned(), of_schema(document, value, depth + 1)));
    Value::Object(members.collect::<Map<String, Value>>())
}
