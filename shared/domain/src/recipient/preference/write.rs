//! Serialization of a set, and writes to a stored set.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::sensitive::Sensitive;

use super::{Branch, Invalid, Node, Preferences, STRATEGY, read};

/// The effect of a write on the stored set. Every write states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persistence {
    /// Merged by key. Members that the change does not name stay.
    Merge,
    /// The change replaces the stored set.
    Replace,
}

impl Preferences {
    /// The set after a write.
    ///
    /// # Errors
    /// As for [`Preferences::merged_with`].
    pub fn written(&self, change: &Preferences, persistence: Persistence) -> Result<Preferences, Invalid> {
        match persistence {
            Persistence::Merge => self.merged_with(change),
            Persistence::Replace => Ok(change.clone()),
        }
    }

    /// The set merged with `change` by key. Both belong to one layer, so a lock in this set does not block the
    /// change. `"__strategy__": "merge"` in the change removes the lock.
    ///
    /// # Errors
    /// [`Invalid`] if the merged set has too many names.
    pub fn merged_with(&self, change: &Preferences) -> Result<Preferences, Invalid> {
        let root = merge(self.root.expose().clone(), change.root.expose());
        read::check_limits(&root)?;
        Ok(Preferences { root: Sensitive::new(root) })
    }
}

fn merge(mut stored: Branch, change: &Branch) -> Branch {
    stored.strategy = change.strategy.or(stored.strategy);
    for (name, node) in &change.children {
        let merged = match (stored.children.remove(name), node) {
            (Some(Node::Branch(stored)), Node::Branch(change)) => Node::Branch(merge(stored, change)),
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
