//! The template summary of a digest window.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{DigestPolicy, Item, Keep};
use crate::base::json::Decimal;
use crate::base::path::Path;
use crate::base::sensitive::Sensitive;
use crate::time::moment::Moment;
use crate::time::zone::Zone;

/// The longest text in merged data, in characters.
const MAX_TEXT: usize = 256;

/// The highest number of members in merged data. The first ones are kept.
const MAX_MEMBERS: usize = 200;

/// The summary of a window, available to templates as `digest`. The order of `items` does not matter.
///
/// - `total_activities`, `total_actors`: the totals, including those that are not shown.
/// - `activities`: selected by [`DigestPolicy::keep`] and [`DigestPolicy::show`], each with `id`, `source`, `type`,
///   `time`, `subject`, `actor` and `data`. Sort paths begin here: `$.data.severity`. Numbers and numeric texts are
///   compared by value, times as instants. Numbers rank above times, and times above other texts. An event without a
///   comparable value comes last in both orders. Equal values are sorted oldest first.
/// - `actors`: the distinct actors in the order of their first activity. With `last`, the actors of the latest
///   activities.
/// - `data`: the latest string, number, boolean or null of each top-level name in the payloads. At most 200 names;
///   texts are truncated to 256 characters.
/// - `opened_at`, `closed_at`.
#[must_use]
pub fn summary(items: &[Item], policy: &DigestPolicy, opened_at: Timestamp, closed_at: Timestamp) -> Value {
    let mut items: Vec<&Item> = items.iter().collect();
    items.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.event_key.cmp(&b.event_key)));
    let show = usize::try_from(policy.show).unwrap_or(usize::MAX);
    let (actors, total_actors) = actors(&items, &policy.keep, show);
    json!({
        "total_activities": items.len(),
        "total_actors": total_actors,
        "activities": activities(&items, &policy.keep, show),
        "actors": actors,
        "data": merged(&items),
        "opened_at": opened_at.to_string(),
        "closed_at": closed_at.to_string(),
    })
}

fn activities(items: &[&Item], keep: &Keep, show: usize) -> Vec<Value> {
    match keep {
        Keep::First => items.iter().take(show).map(|item| item.activity()).collect(),
        Keep::Last => {
            items.iter().skip(items.len().saturating_sub(show)).map(|item| item.activity()).collect()
        }
        Keep::Highest(by) => sorted(items, by, show, |a, b| b.cmp(a)),
        Keep::Lowest(by) => sorted(items, by, show, |a, b| a.cmp(b)),
    }
}

/// The first `show` activities, sorted by the value at the path; oldest first among equals.
fn sorted(items: &[&Item], by: &Path, show: usize, order: impl Fn(&Rank, &Rank) -> Ordering) -> Vec<Value> {
    let mut ranked: Vec<(Option<Rank>, Value)> = items
        .iter()
        .map(|item| {
            let activity = item.activity();
            (Rank::of(&activity, by), activity)
        })
        .collect();
    ranked.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => order(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    ranked.into_iter().take(show).map(|(_, activity)| activity).collect()
}

/// A comparable value. Texts rank lowest, then times, then numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Text(String),
    Time(Timestamp),
    Number(Decimal),
}

impl Rank {
    /// The first value at the path, if comparable. A numeric text counts as a number, and a time text as an instant. A
    /// local time counts as UTC.
    fn of(activity: &Value, by: &Path) -> Option<Rank> {
        match by.find(activity).first()? {
            Value::Number(number) => Decimal::of(number).map(Rank::Number),
            Value::String(text) => Some(Rank::of_text(text)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn of_text(text: &str) -> Rank {
        let number = (text.len() <= MAX_TEXT).then(|| Decimal::parse(text)).flatten();
        let time = || Moment::parse(text)?.begins(&Zone::utc());
        match number {
            Some(number) => Rank::Number(number),
            None => time().map_or_else(|| Rank::Text(text.to_owned()), Rank::Time),
        }
    }
}

/// The distinct actors and their total.
fn actors<'a>(items: &[&'a Item], keep: &Keep, show: usize) -> (Vec<&'a str>, usize) {
    let all = items.iter().filter_map(|item| item.actor.as_deref());
    match keep {
        Keep::First | Keep::Highest(_) | Keep::Lowest(_) => {
            let mut distinct = distinct_names(all);
            let total = distinct.len();
            distinct.truncate(show);
            (distinct, total)
        }
        Keep::Last => {
            let mut distinct = distinct_names(all.rev());
            let total = distinct.len();
            distinct.truncate(show);
            distinct.reverse();
            (distinct, total)
        }
    }
}

fn distinct_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// The scalar members of all payloads by name. Later payloads win.
fn merged(items: &[&Item]) -> Map<String, Value> {
    let mut merged = Map::new();
    for item in items {
        let Some(Value::Object(members)) = item.data.as_ref().map(Sensitive::expose) else { continue };
        for (name, value) in members {
            let value = match value {
                Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
                Value::String(text) => text.chars().take(MAX_TEXT).collect::<String>().into(),
                Value::Array(_) | Value::Object(_) => continue,
            };
            if merged.len() < MAX_MEMBERS || merged.contains_key(name) {
                merged.insert(name.clone(), value);
            }
        }
    }
    merged
}
