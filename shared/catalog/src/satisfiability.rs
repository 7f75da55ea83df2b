//! Satisfiability of patterns: finds patterns that match every event or none, as far as provable.
//!
//! The proof uses properties of every event: `id`, `source`, `detail-type` and `time` are non-empty texts, and so
//! are their counterparts in the envelope in `detail`.

use serde_json::Value;

use crate::problem::At;
use crate::yaml::{Entry, Kind, Node};

/// The texts that every event has, each with all of its paths.
///
/// Source: [`domain::event::Event::document`].
const ALWAYS: [&[&str]; 5] = [
    &["id", "detail.id"],
    &["source", "detail.source"],
    &["detail-type", "detail.type"],
    &["time", "detail.time"],
    &["detail.specversion"],
];

/// Whether the pattern matches every event.
pub(crate) fn is_everything(node: &Node) -> bool {
    let Kind::Map(entries) = &node.kind else { return false };
    entries.iter().all(|entry| takes_all(entry, ""))
}

fn takes_all(entry: &Entry, above: &str) -> bool {
    let path = joined(above, &entry.key);
    match &entry.value.kind {
        Kind::List(members) if entry.key == "$or" => members.iter().any(|member| match &member.kind {
            Kind::Map(entries) => entries.iter().all(|entry| takes_all(entry, above)),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => false,
        }),
        Kind::List(values) => {
            names_of(&path).is_some() && values.iter().any(|value| takes_every_text(&value.to_json()))
        }
        Kind::Map(entries) => entries.iter().all(|entry| takes_all(entry, &path)),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => false,
    }
}

/// The reason why the pattern matches no event, if provable, and the place of the proof.
pub(crate) fn nothing(node: &Node) -> Option<(At, String)> {
    let Kind::Map(entries) = &node.kind else { return None };
    let mut exact = Vec::new();
    impossible(entries, "", &mut exact)
}

/// A field that must have one of several texts.
struct Exact<'n> {
    names: &'static [&'static str],
    path: String,
    values: Vec<&'n str>,
}

fn impossible<'n>(entries: &'n [Entry], above: &str, exact: &mut Vec<Exact<'n>>) -> Option<(At, String)> {
    for entry in entries {
        let path = joined(above, &entry.key);
        let found = match &entry.value.kind {
            Kind::List(members) if entry.key == "$or" => any(members, above, exact),
            Kind::List(values) => field(entry.at, path, values, exact),
            Kind::Map(inner) => impossible(inner, &path, exact),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Alternatives: the first proof, if each of them has one. Constraints of one alternative do not apply to others.
fn any<'n>(members: &'n [Node], above: &str, exact: &mut Vec<Exact<'n>>) -> Option<(At, String)> {
    let mut first = None;
    for member in members {
        let Kind::Map(entries) = &member.kind else { return None };
        let before = exact.len();
        let found = impossible(entries, above, exact);
        exact.truncate(before);
        first = first.or(Some(found?));
    }
    first
}

fn field<'n>(at: At, path: String, values: &'n [Node], exact: &mut Vec<Exact<'n>>) -> Option<(At, String)> {
    if path == "detail"
        && !values.iter().any(|value| value.to_json() == serde_json::json!({ "exists": false }))
    {
        return Some((at, "`detail` is always an object, and no value in a list matches one".to_owned()));
    }
    let names = names_of(&path)?;
    if !values.is_empty() && !values.iter().any(|value| takes_some_text(&value.to_json())) {
        let what =
            format!("`{path}` is always a text that is not empty, and none of these values matches one");
        return Some((at, what));
    }
    let texts: Option<Vec<&str>> = values.iter().map(exact_text).collect();
    let texts = texts?;
    let contradicted = exact
        .iter()
        .find(|known| known.names == names && !known.values.iter().any(|value| texts.contains(value)));
    if let Some(other) = contradicted {
        let what = format!("`{path}` and `{}` are the same, and no value is in both lists", other.path);
        return Some((at, what));
    }
    exact.push(Exact { names, path, values: texts });
    None
}

fn exact_text(node: &Node) -> Option<&str> {
    // An IP address has several spellings.
    match &node.kind {
        Kind::Text(text) if text.parse::<std::net::IpAddr>().is_err() => Some(text),
        Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => None,
    }
}

fn takes_every_text(value: &Value) -> bool {
    match operator(value) {
        Some(("prefix" | "suffix", Value::String(text))) => text.is_empty(),
        Some(("wildcard", Value::String(text))) => text == "*",
        Some(("exists", Value::Bool(flag))) => *flag,
        Some(_) | None => false,
    }
}

/// Whether a non-empty text may match. An unknown operator may match.
fn takes_some_text(value: &Value) -> bool {
    match (value, operator(value)) {
        (Value::String(text), _) => !text.is_empty(),
        (Value::Null | Value::Bool(_) | Value::Number(_), _) => false,
        (_, Some(("exists", Value::Bool(flag)))) => *flag,
        (_, Some(("numeric", _))) => false,
        (_, Some(("anything-but", Value::Object(map)))) => {
            map.get("wildcard").is_none_or(|value| !listed(value).contains(&&Value::from("*")))
        }
        (_, Some(("equals-ignore-case" | "exactly", Value::String(text)))) => !text.is_empty(),
        (Value::Object(_) | Value::Array(_), Some(_) | None) => true,
    }
}

fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

fn operator(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(name, operand)| (name.as_str(), operand))
}

fn names_of(path: &str) -> Option<&'static [&'static str]> {
    ALWAYS.into_iter().find(|alway| alway.contains(&path))
}

fn joined(above: &str, key: &str) -> String {
    if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") }
}

#[cfg(test)]
mod tests;
