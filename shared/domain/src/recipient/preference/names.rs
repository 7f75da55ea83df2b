//! Names in a set that do not exist: mistakes in `config/`, or rules that were removed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Branch, Invalid, Node, Preferences, STRATEGY};
use crate::base::channel::Channel;
use crate::base::suggestions::nearest;

/// The names that exist.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub rules: &'a BTreeSet<String>,
    pub categories: &'a BTreeSet<String>,
    /// The names as [`crate::base::channel::Channel::name`] writes them.
    pub channel_types: &'a BTreeSet<String>,
    /// The channel ids in addition to the channel types, which are always valid ids.
    pub channels: &'a BTreeSet<String>,
}

/// A name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// A path such as `categories.billing.channel_types.fax`.
    pub place: String,
    /// The kind of thing that the name should refer to.
    pub kind: Kind,
    pub name: String,
}

/// The kind of thing that a name in a set refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rule,
    Category,
    ChannelType,
    Channel,
}

impl Known<'_> {
    fn has(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Rule => self.rules.contains(name),
            Kind::Category => self.categories.contains(name),
            Kind::ChannelType => self.channel_types.contains(name),
            Kind::Channel => self.channels.contains(name) || self.channel_types.contains(name),
        }
    }
}

impl Preferences {
    /// The names that are not in `known`, in the order of the set. They never vote, so a recipient's set with such
    /// names is still valid. In `config/` they are mistakes.
    #[must_use]
    pub fn unknown_names(&self, known: Known<'_>) -> Vec<Unknown> {
        let mut unknown = Vec::new();
        search(self.root.expose(), "", known, &mut unknown);
        unknown
    }
}

impl Preferences {
    /// Whether the set names an unknown channel. An earlier release accepted such names. They never vote.
    #[must_use]
    pub fn names_unknown_channel(&self) -> bool {
        let sections =
            ["categories", "workflows"].into_iter().filter_map(|name| self.root.expose().children.get(name));
        let entries = sections.filter_map(|node| match node {
            Node::Branch(named) => Some(named.children.values()),
            Node::Switch(_) | Node::Conditions(_) => None,
        });
        has_unknown_channel(self.root.expose())
            || entries.flatten().any(|node| match node {
                Node::Branch(entry) => has_unknown_channel(entry),
                Node::Switch(_) | Node::Conditions(_) => false,
            })
    }
}

fn has_unknown_channel(branch: &Branch) -> bool {
    ["channel_types", "channels"].into_iter().any(|section| match branch.children.get(section) {
        Some(Node::Branch(named)) => named.children.keys().any(|name| Channel::from_name(name).is_none()),
        Some(Node::Switch(_) | Node::Conditions(_)) | None => false,
    })
}

/// Checks that a set, or a merge patch of a set, names only existing channels. A `null` in a patch may remove any
/// name. Members of an invalid shape are left to the parser.
///
/// # Errors
/// [`Invalid`] for the first unknown name, with the most similar channel. An unknown name never votes, so the
/// preference would have no effect.
pub fn check_channels(set: &Value) -> Result<(), Invalid> {
    let Some(members) = set.as_object() else { return Ok(()) };
    channels_of("", members)?;
    for section in ["categories", "workflows"] {
        let entries = members.get(section).and_then(Value::as_object);
        for (name, entry) in entries.into_iter().flatten() {
            if let Some(entry) = entry.as_object() {
                channels_of(&format!("{section}.{name}."), entry)?;
            }
        }
    }
    Ok(())
}

fn channels_of(place: &str, members: &Map<String, Value>) -> Result<(), Invalid> {
    let names = Channel::ALL.map(Channel::name);
    for section in ["channel_types", "channels"] {
        let named = members.get(section).and_then(Value::as_object);
        for (name, value) in named.into_iter().flatten() {
            if name == STRATEGY || value.is_null() || names.contains(&name.as_str()) {
                continue;
            }
            let wanted = match nearest(name, names) {
                Some(suggestion) => format!("one of {}; did you mean `{suggestion}`?", names.join(", ")),
                None => format!("one of {}", names.join(", ")),
            };
            let found = format!("the unknown channel `{name}`");
            return Err(Invalid { place: format!("{place}{section}.{name}"), found, wanted });
        }
    }
    Ok(())
}

fn search(branch: &Branch, place: &str, known: Known<'_>, unknown: &mut Vec<Unknown>) {
    for (section, node) in &branch.children {
        let Node::Branch(named) = node else { continue };
        let kind = match section.as_str() {
            "workflows" => Kind::Rule,
            "categories" => Kind::Category,
            "channel_types" => Kind::ChannelType,
            "channels" => Kind::Channel,
            // Other sections have no names that a catalog knows.
            _ => continue,
        };
        for (name, node) in &named.children {
            let place = format!("{place}{section}.{name}");
            if !known.has(kind, name) {
                unknown.push(Unknown { place: place.clone(), kind, name: name.clone() });
            }
            if let Node::Branch(entry) = node {
                search(entry, &format!("{place}."), known, unknown);
            }
        }
    }
}
