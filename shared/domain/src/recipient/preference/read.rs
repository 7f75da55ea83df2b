//! Reads a set from JSON: the grammar and its limits.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Branch, MAX_CHANNELS, MAX_CONDITIONS, MAX_NAME_BYTES, MAX_NAMES, Node, STRATEGY, Strategy};
use crate::base::config_error::shown;
use crate::base::suggestions::nearest;
use crate::pattern::Pattern;
use crate::pattern::condition::When;

/// The reason why a preference set was refused: the location, the found value and the wanted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: found {found}, wanted {wanted}")]
pub struct Invalid {
    /// A path such as `categories.billing.channel_types.fax` or `workflows.paid.conditions[1]`, or `the set` for the
    /// whole set.
    pub place: String,
    /// The invalid value or name, shortened.
    pub found: String,
    /// The form that a valid set has at this location.
    pub wanted: String,
}

/// The reader's position.
#[derive(Clone, Copy)]
struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    name: &'a str,
}

const ROOT: Place<'static> = Place { parent: None, name: "the set" };

impl Place<'_> {
    fn text(&self) -> String {
        match self.parent {
            Some(parent) if parent.parent.is_some() => format!("{}.{}", parent.text(), self.name),
            Some(_) | None => self.name.to_owned(),
        }
    }

    fn refuse(&self, found: impl Into<String>, wanted: impl Into<String>) -> Invalid {
        Invalid { place: self.text(), found: found.into(), wanted: wanted.into() }
    }
}

/// Reads a whole set.
pub(super) fn set(value: &Value) -> Result<Branch, Invalid> {
    branch(&ROOT, value, usize::MAX, |place, value| match place.name {
        "categories" | "workflows" => Ok(Node::Branch(branch(place, value, MAX_NAMES, entry)?)),
        "channel_types" | "channels" => channels(place, value),
        "commercial_subscribed" => switch(place, value),
        _ => {
            let wanted = with_suggestion(
                place.name,
                "`categories`, `workflows`, `channel_types`, `channels` or `commercial_subscribed`",
                &["categories", "workflows", "channel_types", "channels", "commercial_subscribed"],
            );
            Err(place.refuse("an unknown member", wanted))
        }
    })
}

/// Reads the entry of one rule or category.
fn entry(place: &Place<'_>, value: &Value) -> Result<Node, Invalid> {
    if let Value::Bool(on) = value {
        return Ok(Node::Switch(*on));
    }
    if !value.is_object() {
        return Err(place.refuse(shown(value), "true, false or an object"));
    }
    let branch = branch(place, value, usize::MAX, |place, value| match place.name {
        "channel_types" | "channels" => channels(place, value),
        "conditions" => conditions(place, value),
        _ => {
            let wanted = with_suggestion(
                place.name,
                "`channel_types`, `channels` or `conditions`",
                &["channel_types", "channels", "conditions"],
            );
            Err(place.refuse("an unknown member", wanted))
        }
    })?;
    Ok(Node::Branch(branch))
}

/// The wanted names, with the most similar one as a suggestion.
fn with_suggestion(found: &str, wanted: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(suggestion) => format!("{wanted}; did you mean `{suggestion}`?"),
        None => wanted.to_owned(),
    }
}

fn channels(place: &Place<'_>, value: &Value) -> Result<Node, Invalid> {
    Ok(Node::Branch(branch(place, value, MAX_CHANNELS, switch)?))
}

fn switch(place: &Place<'_>, value: &Value) -> Result<Node, Invalid> {
    match value {
        Value::Bool(on) => Ok(Node::Switch(*on)),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(place.refuse(shown(value), "true or false"))
        }
    }
}

fn conditions(place: &Place<'_>, value: &Value) -> Result<Node, Invalid> {
    let list = value.as_array().ok_or_else(|| place.refuse(shown(value), "an array of event patterns"))?;
    if list.len() > MAX_CONDITIONS {
        return Err(place.refuse(shown(value), format!("at most {MAX_CONDITIONS} conditions")));
    }
    let mut read = Vec::new();
    for (index, source) in list.iter().enumerate() {
        // The pattern is compiled from the reference first, so that a pattern of a megabyte is refused without a
        // copy.
        let refused = Pattern::compile(source).err();
        let when = match refused {
            None => When::try_from(source.clone()),
            Some(invalid) => Err(invalid),
        };
        read.push(when.map_err(|error| Invalid {
            place: format!("{}[{index}], {}", place.text(), error.at),
            found: error.found,
            wanted: error.wanted,
        })?);
    }
    Ok(Node::Conditions(read))
}

/// Reads an object whose members `child` reads, except the strategy.
fn branch(
    place: &Place<'_>,
    value: &Value,
    limit: usize,
    child: impl Fn(&Place<'_>, &Value) -> Result<Node, Invalid>,
) -> Result<Branch, Invalid> {
    let members = value.as_object().ok_or_else(|| place.refuse(shown(value), "an object"))?;
    let strategy = strategy(place, members)?;
    let mut children = BTreeMap::new();
    for (name, value) in members.iter().filter(|(name, _)| *name != STRATEGY) {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            let found = format!("a name of {} bytes", name.len());
            return Err(place.refuse(found, format!("names of 1 to {MAX_NAME_BYTES} bytes")));
        }
        let node = child(&Place { parent: Some(place), name }, value)?;
        children.insert(name.clone(), node);
    }
    within(place, children.len(), limit)?;
    Ok(Branch { strategy, children })
}

fn within(place: &Place<'_>, count: usize, limit: usize) -> Result<(), Invalid> {
    if count > limit {
        return Err(place.refuse(format!("{count} names"), format!("at most {limit} names")));
    }
    Ok(())
}

fn strategy(place: &Place<'_>, members: &Map<String, Value>) -> Result<Option<Strategy>, Invalid> {
    let Some(value) = members.get(STRATEGY) else {
        return Ok(None);
    };
    match value.as_str() {
        Some("merge") => Ok(Some(Strategy::Merge)),
        Some("replace") => Ok(Some(Strategy::Replace)),
        Some(_) | None => {
            let place = Place { parent: Some(place), name: STRATEGY };
            Err(place.refuse(shown(value), "\"replace\" or \"merge\""))
        }
    }
}

/// Checks the limits again after a write has added names.
pub(super) fn check_limits(root: &Branch) -> Result<(), Invalid> {
    for (name, node) in &root.children {
        let Node::Branch(entries) = node else { continue };
        let place = Place { parent: Some(&ROOT), name };
        let limit = if name.starts_with("channel") { MAX_CHANNELS } else { MAX_NAMES };
        within(&place, entries.children.len(), limit)?;
        for (name, node) in &entries.children {
            let Node::Branch(entry) = node else { continue };
            let place = Place { parent: Some(&place), name };
            for (name, node) in &entry.children {
                let Node::Branch(channels) = node else { continue };
                within(&Place { parent: Some(&place), name }, channels.children.len(), MAX_CHANNELS)?;
            }
        }
    }
    Ok(())
}
