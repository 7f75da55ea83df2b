//! The pattern of a rule: EventBridge's language, over the fields that an event has here.

use domain::catalog::When;

use crate::nearest::suggestion;
use crate::problem::{At, Page};
use crate::yaml::{Entry, Kind, Node};

/// The top-level fields of [`domain::event::Event::document`].
const FIELDS: [&str; 5] = ["source", "detail-type", "detail", "id", "time"];

pub(crate) fn when(node: &Node, page: &mut Page<'_>) -> Option<When> {
    check_fields(node, page);
    match When::try_from(node.to_json()) {
        Ok(when) => Some(when),
        Err(invalid) => {
            let what = format!("`when` is no pattern: at {}, found {}", invalid.at, invalid.found);
            page.refuse(place(node, &invalid.at), what, format!("write {}", invalid.wanted));
            None
        }
    }
}

/// A field that no event has would make a rule that never matches.
fn check_fields(node: &Node, page: &mut Page<'_>) {
    let Kind::Map(entries) = &node.kind else { return };
    for entry in entries {
        if entry.key == "$or" {
            if let Kind::List(members) = &entry.value.kind {
                members.iter().for_each(|it| check_fields(it, page));
            }
            continue;
        }
        // A key with dots is a path of its own.
        let field = entry.key.split('.').next().unwrap_or_default();
        if !FIELDS.contains(&field) {
            let what = format!("no event has the field `{field}`, so the rule never matches");
            page.refuse(entry.at, what, suggestion(field, &FIELDS));
        }
    }
}

/// Where in the YAML the place stands that a refusal names, such as `$or[1].detail.price[0]`: as near as it is found.
fn place(node: &Node, at: &str) -> At {
    match &node.kind {
        Kind::Map(entries) => {
            let step =
                |it: &Entry| at.strip_prefix(it.key.as_str()).filter(|rest| is_step(rest)).map(str::len);
            // Keys may hold dots themselves, so the longest that fits is meant.
            let fitting = entries.iter().filter_map(|it| Some((it, step(it)?)));
            match fitting.min_by_key(|(_, rest)| *rest) {
                Some((entry, rest)) => {
                    let rest = at[at.len() - rest..].trim_start_matches('.');
                    if rest.is_empty() { entry.at } else { place(&entry.value, rest) }
                }
                None => node.at,
            }
        }
        Kind::List(items) => {
            let Some((index, rest)) = at.strip_prefix('[').and_then(|it| it.split_once(']')) else {
                return node.at;
            };
            let item = index.parse::<usize>().ok().and_then(|it| items.get(it));
            item.map_or(node.at, |it| place(it, rest.trim_start_matches('.')))
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => node.at,
    }
}

fn is_step(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

#[cfg(test)]
mod tests;
