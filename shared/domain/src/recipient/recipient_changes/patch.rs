//! JSON merge patches (RFC 7396) and their pieces: `<member>`, or `<member>/<inner member>`.

use serde_json::{Map, Value};

/// Splits a patch into pieces, so that changes for one tenant do not override changes for another.
pub(super) fn pieces(patch: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut pieces = Vec::new();
    for (name, value) in patch {
        if let Some(inner) = value.as_object() {
            pieces.extend(inner.iter().map(|(key, value)| (format!("{name}/{key}"), value.clone())));
        } else {
            pieces.push((name.clone(), value.clone()));
        }
    }
    pieces
}

/// Merges one piece into a recipient's members.
pub(super) fn set(path: &str, value: Value, members: &mut Map<String, Value>) {
    let patch = match path.split_once('/') {
        Some((name, inner)) => {
            Map::from_iter([(name.to_owned(), Map::from_iter([(inner.to_owned(), value)]).into())])
        }
        None => Map::from_iter([(path.to_owned(), value)]),
    };
    let mut whole = Value::Object(std::mem::take(members));
    merge(&mut whole, Value::Object(patch));
    if let Value::Object(merged) = whole {
        *members = merged;
    }
}

/// Copies the value at `path` from `from` to `to`.
pub(super) fn copy(path: &str, from: &Map<String, Value>, to: &mut Map<String, Value>) {
    let (name, inner) = path.split_once('/').map_or((path, None), |(name, inner)| (name, Some(inner)));
    let found = from.get(name);
    match (inner, inner.map_or(found, |inner| found?.get(inner)).cloned()) {
        (None, Some(value)) => drop(to.insert(name.to_owned(), value)),
        (None, None) => drop(to.remove(name)),
        (Some(inner), Some(value)) => {
            let member = to.entry(name).or_insert(Value::Null);
            if !member.is_object() {
                *member = Value::Object(Map::new());
            }
            member[inner] = value;
        }
        (Some(inner), None) => {
            if let Some(Value::Object(member)) = to.get_mut(name) {
                member.remove(inner);
            }
        }
    }
}

/// Merges a patch into its target.
///
/// Source: RFC 7396, section 2.
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}
