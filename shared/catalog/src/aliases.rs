//! `aliases:` in `policy.yaml`: event names of producers, and the types they map to.

use std::collections::BTreeMap;

use domain::event::producers::{Aliases, is_reserved_type};

use crate::problem::Diagnostics;
use crate::producers::event_name;
use crate::values::map;
use crate::yaml::{Entry, Kind, Node};

/// The form of the map.
const FORM: &str = "aliases: { TaskCreatedEvent: task.created }";

/// The longest event name, in characters: EventBridge's limit for a `DetailType`.
const MAX_NAME_CHARS: usize = 128;

/// The number of aliases per policy.
const MAX_ALIASES: usize = 1_000;

/// Reads the map. An invalid alias is reported and left out.
pub(crate) fn read(node: &Node, report: &mut Diagnostics<'_>) -> Option<Aliases> {
    let members = map(node, FORM, report)?;
    if members.len() > MAX_ALIASES {
        let what = format!("there are {} aliases, and a policy has {MAX_ALIASES} at most", members.len());
        report.refuse(node.at, what, "take those out that no producer uses");
    }
    let mut names = BTreeMap::new();
    for entry in members {
        if let Some(kind) = kind(entry, members, report) {
            names.insert(entry.key.clone(), kind);
        }
    }
    Some(Aliases::new(names))
}

/// The type that a name maps to, if both are valid.
fn kind(entry: &Entry, all: &[Entry], report: &mut Diagnostics<'_>) -> Option<String> {
    let Entry { key: name, at, value } = entry;
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        let fix =
            format!("write the producer's name of the event, up to {MAX_NAME_CHARS} printable characters");
        report.refuse(*at, "this is no event name", fix);
        return None;
    }
    let kind = event_name(value, report)?;
    for (word, place) in [(name, *at), (&kind, value.at)] {
        if word.contains('*') {
            report.refuse(place, format!("`{word}` is no whole name"), "write one alias for each event name");
            return None;
        }
        if is_reserved_type(word) {
            let what = format!("the type `{word}` is reserved for Carillon's own events");
            report.refuse(place, what, "name an event of a producer and an ordinary type");
            return None;
        }
    }
    if *name == kind {
        report.refuse(*at, format!("the alias `{name}` stands for itself"), "take it out");
        return None;
    }
    if let Some(next) = all.iter().find(|other| other.key == kind) {
        let what = format!(
            "the alias `{name}` stands for `{kind}`, which is an alias itself (line {})",
            next.at.line
        );
        let fix = match &next.value.kind {
            Kind::Text(last) => format!("write `{name}: {last}`"),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => {
                "name the type that rules know".to_owned()
            }
        };
        report.refuse(value.at, what, fix);
        return None;
    }
    Some(kind)
}

#[cfg(test)]
mod tests;
