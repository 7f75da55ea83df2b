//! The first half of a decision: which rules match an event, and whom they address. It names the people that must be
//! looked up before [`crate::decide`] can go on.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::catalog::{Catalog, Rule, Selector};
use crate::event::Event;

/// An event, the rules that match it, and their audiences.
pub struct Plan<'a> {
    pub event: &'a Event,
    pub catalog: &'a Catalog,
    /// [`Event::document`], made once; null when no rule matches, for nobody asks then.
    pub document: Value,
    pub matches: Vec<Match<'a>>,
}

/// One rule that matches.
pub struct Match<'a> {
    pub rule: &'a Rule,
    /// Everybody the rule addresses, each once, in the order in which the rule names them.
    pub audience: Vec<Audience>,
    /// They are more than [`MAX_AUDIENCE`]; nobody of them is in `audience`.
    pub is_too_large: bool,
}

/// The most that one rule addresses for one event. More is a fan-out, not a list in an event: telling a part of them
/// would look as if all had been told.
pub const MAX_AUDIENCE: usize = 1_000;

/// Somebody or some people a rule addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Audience {
    User(String),
    /// `<name>:<value>`
    Room(String),
}

impl Audience {
    /// As keys, ledger and logs write it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            // A user of this name must not pass for a room.
            Audience::User(id) if id.starts_with("room:") => format!("user:{id}"),
            Audience::User(id) => id.clone(),
            Audience::Room(room) => format!("room:{room}"),
        }
    }
}

impl<'a> Plan<'a> {
    #[must_use]
    pub fn of(event: &'a Event, catalog: &'a Catalog) -> Plan<'a> {
        let rules = catalog.matching(event);
        let document = if rules.is_empty() { Value::Null } else { event.document() };
        let matches = rules
            .into_iter()
            .map(|rule| {
                let found = audience(rule, &document["detail"]);
                let is_too_large = found.len() > MAX_AUDIENCE;
                Match { rule, audience: if is_too_large { Vec::new() } else { found }, is_too_large }
            })
            .collect();
        Plan { event, catalog, document, matches }
    }

    /// The ids of everybody whose profile is needed.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&str> {
        let audiences = self.matches.iter().flat_map(|it| &it.audience);
        audiences
            .filter_map(|it| match it {
                Audience::User(id) => Some(id.as_str()),
                Audience::Room(_) => None,
            })
            .collect()
    }

    /// The event's envelope; null when no rule matches.
    #[must_use]
    pub fn envelope(&self) -> &Value {
        &self.document["detail"]
    }
}

fn audience(rule: &Rule, envelope: &Value) -> Vec<Audience> {
    let mut found: Vec<Audience> = Vec::new();
    for selector in &rule.to {
        match selector {
            Selector::User(operand) => {
                found.extend(operand.names(envelope).into_iter().map(Audience::User));
            }
            Selector::Room { name, of } => {
                let rooms = of.names(envelope).into_iter();
                found.extend(rooms.map(|it| Audience::Room(format!("{name}:{it}"))));
            }
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|it| seen.insert(it.name()));
    found
}

#[cfg(test)]
mod tests;
