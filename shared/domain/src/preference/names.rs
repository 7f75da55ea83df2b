//! The names in a set that mean nothing: a mistake in `config/`, or a rule that is gone.

use std::collections::BTreeSet;

use super::{Branch, Node, Preferences};

/// The names that exist.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub rules: &'a BTreeSet<String>,
    pub categories: &'a BTreeSet<String>,
    /// As [`crate::channel::Channel::name`] writes them.
    pub channel_types: &'a BTreeSet<String>,
    /// Beside the names of the channel types, which are always good as ids.
    pub channels: &'a BTreeSet<String>,
}

/// A name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Such as `categories.billing.channel_types.fax`.
    pub place: String,
    /// What it would be the name of.
    pub kind: Kind,
    pub name: String,
}

/// What a name in a set names.
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
    /// The names that are not among `known`, in the order of the set. They never vote, so a set that people wrote is
    /// still good; in `config/` they are mistakes.
    #[must_use]
    pub fn unknown_names(&self, known: Known<'_>) -> Vec<Unknown> {
        let mut unknown = Vec::new();
        search(&self.root, "", known, &mut unknown);
        unknown
    }
}

fn search(branch: &Branch, place: &str, known: Known<'_>, unknown: &mut Vec<Unknown>) {
    for (section, node) in &branch.children {
        let Node::Branch(named) = node else { continue };
        let kind = match section.as_str() {
            "workflows" => Kind::Rule,
            "categories" => Kind::Category,
            "channel_types" => Kind::ChannelType,
            "channels" => Kind::Channel,
            // A section that names nothing a catalog knows.
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
