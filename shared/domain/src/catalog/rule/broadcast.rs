//! Broadcasts: events that go to open sockets, without a template and without an inbox entry.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActorPolicy, Operand, Rule, Selector};
use crate::catalog::policy::BroadcastPolicy;

/// Maximum number of users that one event may exclude. Each is looked up once per room of the broadcast.
pub const MAX_EXCLUDED: usize = 500;

/// The default category of broadcast rules.
pub const BROADCAST_CATEGORY: &str = "broadcast";

/// The settings of a broadcast rule. Its targets are the rule's `to`, and its only step sends on the channel
/// `socket`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Broadcast {
    /// Users whose sockets do not receive the event, also in rooms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Operand>,
    /// Whether the message carries the whole payload instead of the rule's `expose`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expose_all: bool,
    /// The ledger record. Where it is `None`, the policy's applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// The ledger record of a broadcast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// One row per target.
    #[default]
    Targets,
    /// No row and no claim. A message that SQS delivers twice is shown twice.
    None,
}

impl Record {
    /// All values, by the word that rules and the policy use.
    pub const ALL: [(&'static str, Record); 2] = [("targets", Record::Targets), ("none", Record::None)];

    /// Whether this is the default, which is not written.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Record::default()
    }
}

/// The reason why the excluded users of an event are unknown. The broadcast is then not sent, because an excluded
/// user might receive it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExcluded {
    /// The path as written in the rule.
    #[error("`{0}` of the event names a user by a value that is neither a text nor an integer")]
    Unreadable(String),
    #[error("the event excludes {0} users, at most {MAX_EXCLUDED} are possible")]
    TooMany(usize),
}

impl Broadcast {
    /// Returns the ledger record of this broadcast: its own setting, or the one of the policy.
    #[must_use]
    pub fn record_by(&self, policy: &BroadcastPolicy) -> Record {
        self.record.unwrap_or(policy.record)
    }

    /// The ids of the users whose sockets do not receive the event, in alphabetical order. `null` and an empty text
    /// are ignored.
    ///
    /// # Errors
    /// [`NotExcluded`] for a value that is not an id, and for too many users.
    pub fn excluded(&self, rule: &Rule, envelope: &Value) -> Result<BTreeSet<String>, NotExcluded> {
        let mut users = excluded_users(&self.exclude, envelope)?;
        if rule.actor == Some(ActorPolicy::Exclude) {
            users.extend(envelope["actor"].as_str().map(str::to_owned));
        }
        match users.len() {
            ..=MAX_EXCLUDED => Ok(users),
            count => Err(NotExcluded::TooMany(count)),
        }
    }
}

/// The ids of the users that the entries of `exclude` name in an event, in alphabetical order.
///
/// # Errors
/// [`NotExcluded`] for a value that is not an id, and for too many users.
pub fn excluded_users(exclude: &[Operand], envelope: &Value) -> Result<BTreeSet<String>, NotExcluded> {
    let mut users = BTreeSet::new();
    for operand in exclude {
        if let Operand::Path(path) = operand {
            let values = path.find(envelope).into_iter().filter(|value| !is_blank(value)).count();
            if path.find_names(envelope).len() != values {
                return Err(NotExcluded::Unreadable(path.to_string()));
            }
        }
        users.extend(operand.names(envelope));
    }
    match users.len() {
        ..=MAX_EXCLUDED => Ok(users),
        count => Err(NotExcluded::TooMany(count)),
    }
}

/// The target of a selector with a value of the event (a room, role or topic), as text for people, and the operand
/// that finds the value.
#[must_use]
pub fn described_target(selector: &Selector) -> Option<(String, &Operand)> {
    match selector {
        Selector::Room { name, of } => Some((format!("the room `{name}`"), of)),
        Selector::Role { role, scope } => Some((format!("the role `{role}`"), scope)),
        Selector::Topic { name, of } => Some((format!("the topic `{name}`"), of)),
        Selector::User(_) | Selector::Address { .. } | Selector::Endpoints(_) => None,
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}
