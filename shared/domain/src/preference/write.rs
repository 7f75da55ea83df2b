//! Writing a set: back to JSON, and one write over another.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Branch, Invalid, Node, Preferences, STRATEGY, read};

/// What a write does to the set that is stored. Every write says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persistence {
    /// By key: what the change does not name stays.
    Merge,
    /// The change is all that is left.
    Replace,
}

impl Preferences {
    /// The set after a write.
    ///
    /// # Errors
    /// As [`Preferences::merged_with`].
    pub fn written(&self, change: &Preferences, persistence: Persistence) -> Result<Preferences, Invalid> {
        match persistence {
            Persistence::Merge => self.merged_with(change),
            Persistence::Replace => Ok(change.clone()),
        }
    }

    /// This set with `change` over it, by key. Both belong to one layer, so a lock in this set does not hinder the
    /// change; `"__strategy__": "merge"` in the change lifts it.
    ///
    /// # Errors
    /// [`Invalid`] when the two together have more names than one set may.
    pub fn merged_with(&self, change: &Preferences) -> Result<Preferences, Invalid> {
        let root = over(self.root.clone(), &change.root);
        read::check_limits(&root)?;
        Ok(Preferences { root })
    }
}

fn over(mut stored: Branch, change: &Branch) -> Branch {
    stored.strategy = change.strategy.or(stored.strategy);
    for (name, node) in &change.children {
        let merged = match (stored.children.remove(name), node) {
            (Some(Node::Branch(stored)), Node::Branch(change)) => Node::Branch(over(stored, change)),
            (_, node) => node.clone(),
        };
        stored.children.insert(name.clone(), merged);
    }
    stored
}

pub(super) fn value_of(branch: &Branch) -> Value {
    let mut members = Map::new();
    if let Some(strategy) = branch.strategy {
        members.insert(STRATEGY.to_owned(), strategy.name().into());
    }
    for (name, node) in &branch.children {
        let value = match node {
            Node::Switch(on) => Value::Bool(*on),
            Node::Conditions(list) => list.iter().cloned().map(Value::from).collect(),
            Node::Branch(branch) => value_of(branch),
        };
        members.insert(name.clone(), value);
    }
    Value::Object(members)
}
