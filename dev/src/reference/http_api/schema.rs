//! Types and members of JSON Schemas, as Markdown.

use serde_json::Value;

use crate::reference::markdown::{cell, heading_anchor, sorted, text};

/// A member of an object schema.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) kind: String,
    pub(super) meaning: String,
}

/// The target of a `$ref`, or the value itself.
pub(super) fn described<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(value),
        None => value,
    }
}

/// The bodies of a request or response: a link or a type for each content type.
pub(super) fn bodies(document: &Value, body: &Value) -> String {
    let parts: Vec<String> = sorted(&body["content"])
        .into_iter()
        .map(|(content, media)| format!("`{content}`: {}", inline(document, &media["schema"])))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join("; ") }
}

/// An inline object as the list of its members, and other schemas as their type.
fn inline(document: &Value, schema: &Value) -> String {
    if schema["properties"].is_null() {
        return kind(schema);
    }
    let names: Vec<String> = members(document, schema)
        .into_iter()
        .map(|member| {
            let optional = if member.is_required { "" } else { "optional " };
            format!("`{}` ({optional}{})", member.name, member.kind)
        })
        .collect();
    format!("an object with {}", names.join(", "))
}

/// The members of an object, required ones first. `allOf` joins the members of its parts.
pub(super) fn members(document: &Value, schema: &Value) -> Vec<Member> {
    let schema = described(document, schema);
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().flat_map(|part| members(document, part)).collect();
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().map(text).collect();
    let mut found: Vec<Member> = sorted(&schema["properties"])
        .into_iter()
        .map(|(name, value)| Member {
            name: name.to_owned(),
            is_required: required.contains(&name),
            kind: kind(value),
            meaning: meaning(value),
        })
        .collect();
    found.sort_by_key(|member| !member.is_required);
    let rest = &schema["additionalProperties"];
    if rest.is_object() {
        let name = "<name>".to_owned();
        found.push(Member { name, is_required: false, kind: kind(rest), meaning: meaning(rest) });
    }
    found
}

fn meaning(schema: &Value) -> String {
    let description = schema["description"].as_str().unwrap_or_default();
    match schema.get("example") {
        Some(example) => format!("{description} Example: `{}`", plain(example)).trim_start().to_owned(),
        None => description.to_owned(),
    }
}

/// The type of a schema with its limits, as Markdown.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", heading_anchor(name));
    }
    for (word, joint) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[word].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(joint);
        }
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", plain(value));
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{}`", plain(value))).collect::<Vec<_>>().join(", ");
    }
    let name = match &schema["type"] {
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => "any value".to_owned(),
    };
    let limits = limits(schema);
    if limits.is_empty() { name } else { format!("{name}, {}", limits.join(", ")) }
}

fn limits(schema: &Value) -> Vec<String> {
    let range = |low: &str, high: &str, unit: &str| match (schema.get(low), schema.get(high)) {
        (Some(low), Some(high)) => Some(format!("{low} to {high}{unit}")),
        (Some(low), None) => Some(format!("at least {low}{unit}")),
        (None, Some(high)) => Some(format!("at most {high}{unit}")),
        (None, None) => None,
    };
    let pattern = schema["pattern"].as_str().map(|pattern| format!("`{}`", cell(pattern)));
    let format = schema["format"].as_str().map(str::to_owned);
    let default = schema.get("default").map(|value| format!("default `{}`", plain(value)));
    let parts = [
        format,
        range("minLength", "maxLength", " characters"),
        range("minimum", "maximum", ""),
        range("minItems", "maxItems", " items"),
        range("minProperties", "maxProperties", " members"),
        pattern,
        default,
    ];
    parts.into_iter().flatten().collect()
}

/// A value without the quotation marks of a JSON string.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
