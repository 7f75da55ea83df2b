//! Tests of reading, merging and voting. Properties have a file of their own.

mod merging;
mod properties;
mod reading;
mod voting;

use serde_json::{Value, json};

use super::{Layers, Preferences, Question, Vote};

/// Reads a valid set.
#[track_caller]
fn set(value: &Value) -> Preferences {
    Preferences::read(value).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Votes on an e-mail of the rule `paid` in category `billing`, for an event of severity 3 without a tenant. `others`
/// overrides members of the question.
fn ask(layers: &Layers<'_>, others: &Value) -> Vote {
    let text = |name: &'static str, default: &'static str| {
        others.get(name).map_or(default.to_owned(), |value| value.as_str().unwrap().to_owned())
    };
    let holds = |name: &str| others.get(name).is_some_and(|value| value.as_bool().unwrap());
    let categories: Vec<&str> = match others.get("categories") {
        Some(list) => list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect(),
        None => vec!["billing"],
    };
    let id = others.get("id").map(|value| value.as_str().unwrap());
    layers.vote(&Question {
        rule: &text("rule", "paid"),
        categories: &categories,
        channel: &text("channel", "email"),
        channel_id: id,
        commercial: holds("commercial"),
        critical: holds("critical"),
        has_tenant: holds("tenant"),
        document: &json!({ "detail": { "data": { "severity": 3, "ward": "icu" } } }),
    })
}
