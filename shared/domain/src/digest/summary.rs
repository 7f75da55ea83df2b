//! What a template gets of a window.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{DigestPolicy, Item, Keep};
use crate::json::Decimal;
use crate::moment::Moment;
use crate::path::Path;
use crate::zone::Zone;

/// The longest text in merged data, in characters.
const MAX_TEXT: usize = 256;

/// How many members merged data has at most: the first that come.
const MAX_MEMBERS: usize = 200;

/// A window as templates see it, under the name `digest`. The order of `items` does not matter.
///
/// - `total_activities`, `total_actors`: how many there are, shown or not.
/// - `activities`: as [`DigestPolicy::keep`] and [`DigestPolicy::show`] say, each with `id`, `source`, `type`, `time`,
///   `subject`, `actor` and `data`. Paths to sort by begin here: `$.data.severity`. Numbers and texts that are numbers
///   are compared by value, times as instants. Numbers are higher than times, and times higher than other texts. An event
///   without such a value comes last either way, and equals are oldest first.
/// - `actors`: the first that acted, each once, in that order; with `last` those that acted last.
/// - `data`: the payloads' own strings, numbers, bools and nulls by name, the newest of each; 200 names at most, text
///   cut after 256 characters.
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

/// The first `show` in the order of what the path finds; oldest first among equals.
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

/// A value that others can be compared with, by the order of its kind: texts are lowest, then times, then numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Text(String),
    Time(Timestamp),
    Number(Decimal),
}

impl Rank {
    /// The first value at the path, if it can be compared. A text that is a number counts as one, and a text that is a
    /// time as that time; a local time counts as UTC.
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

/// Those who acted, each once, and how many there are.
fn actors<'a>(items: &[&'a Item], keep: &Keep, show: usize) -> (Vec<&'a str>, usize) {
    let everybody = items.iter().filter_map(|item| item.actor.as_deref());
    match keep {
        Keep::First | Keep::Highest(_) | Keep::Lowest(_) => {
            let mut once = each_once(everybody);
            let total = once.len();
            once.truncate(show);
            (once, total)
        }
        Keep::Last => {
            let mut once = each_once(everybody.rev());
            let total = once.len();
            once.truncate(show);
            once.reverse();
            (once, total)
        }
    }
}

fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// The payloads' scalars by name; later ones win.
fn merged(items: &[&Item]) -> Map<String, Value> {
    let mut merged = Map::new();
    for item in items {
        let Some(Value::Object(members)) = &item.data else { continue };
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
