//! What a set may say, how sets are merged, who wins the vote. Properties have a file of their own.

mod merging;
mod properties;
mod reading;
mod voting;

use serde_json::{Value, json};

use super::{Layers, Preferences, Question, Vote};

/// The set, which has to be a good one.
#[track_caller]
fn set(value: &Value) -> Preferences {
    Preferences::read(value).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Asks about an e-mail by the rule `paid` in the category `billing`, of an event of severity 3 without a tenant.
/// `others` are the members that differ.
fn ask(layers: &Layers<'_>, others: &Value) -> Vote {
    let text = |name: &'static str, default: &'static str| {
        others.get(name).map_or(default.to_owned(), |it| it.as_str().unwrap().to_owned())
    };
    let holds = |name: &str| others.get(name).is_some_and(|other| other.as_bool().unwrap());
    let categories: Vec<&str> = match others.get("categories") {
        Some(list) => list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect(),
        None => vec!["billing"],
    };
    let id = others.get("id").map(|other| other.as_str().unwrap());
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
