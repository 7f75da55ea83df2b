//! A view of several sets as one, without copies. For every name it tracks which layers still apply.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Branch, Layer, Node, Preferences, Question, Vote, vote};
use crate::pattern::condition::When;
use crate::recipient::unsubscribe::Unsubscribed;

/// The sets that apply to one recipient of one event. `None` means that the set does not exist.
#[derive(Clone, Copy, Default)]
pub struct Layers<'a> {
    pub environment: Option<&'a Preferences>,
    pub tenant: Option<&'a Preferences>,
    pub recipient: Option<&'a Preferences>,
    pub recipient_in_tenant: Option<&'a Preferences>,
    /// The recipient's unsubscriptions.
    pub unsubscribed: Option<&'a Unsubscribed>,
}

/// The effective value after the merge, with its layer.
#[derive(Clone, PartialEq)]
pub struct Leaf {
    /// The names along the path, such as `categories`, `lab`, `channel_types`, `email`.
    pub path: Vec<String>,
    /// A bool, or the list of conditions.
    pub value: Value,
    pub layer: Layer,
    /// Whether higher layers are excluded here.
    pub locked: bool,
}

impl<'a> Layers<'a> {
    /// All effective values in alphabetical order of their paths, as a preference centre shows them.
    #[must_use]
    pub fn merged(&self, has_tenant: bool) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.stack(has_tenant).collect(&mut Vec::new(), &mut leaves);
        leaves
    }

    /// Whether a notification is allowed, with the deciding setting.
    #[must_use]
    pub fn vote(&self, question: &Question<'_>) -> Vote {
        vote::evaluate(&self.stack(question.has_tenant), self.unsubscribed, question)
    }

    /// Whether a set of the preferences locks a category.
    pub(crate) fn locks_category(&self, category: &str, has_tenant: bool) -> bool {
        self.stack(has_tenant).below("categories").below(category).is_locked()
    }

    /// The sets that apply, the lowest first.
    fn stack(&self, has_tenant: bool) -> Stack<'a> {
        let has_tenant_set = self.tenant.is_some() || self.recipient_in_tenant.is_some();
        let above = if has_tenant && has_tenant_set {
            [(Layer::Tenant, self.tenant), (Layer::RecipientInTenant, self.recipient_in_tenant)]
        } else {
            [(Layer::Recipient, self.recipient), (Layer::Recipient, None)]
        };
        let mut stack = Stack { entries: Vec::new(), locked: false };
        for (layer, set) in [(Layer::Environment, self.environment)].into_iter().chain(above) {
            if let Some(set) = set {
                stack.push(Entry { layer, part: Part::Branch(set.root.expose()), only_locks: false });
            }
            if stack.locked {
                break;
            }
        }
        stack
    }
}

/// The entries of all layers for one name, the lowest first: objects, and above them at most one value.
pub(super) struct Stack<'a> {
    entries: Vec<Entry<'a>>,
    /// Whether layers above the last one are excluded.
    locked: bool,
}

/// The entry of one layer.
#[derive(Clone, Copy)]
struct Entry<'a> {
    layer: Layer,
    part: Part<'a>,
    /// Whether a value overrides this object, so that only its locked objects still apply.
    only_locks: bool,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Branch(&'a Branch),
    Leaf(&'a Node),
}

/// A value with its layer.
pub(super) struct Effective<T> {
    pub(super) value: T,
    pub(super) layer: Layer,
    pub(super) locked: bool,
}

impl<'a> Stack<'a> {
    /// Adds the next higher layer.
    fn push(&mut self, mut entry: Entry<'a>) {
        match entry.part {
            Part::Branch(branch) => {
                self.entries.retain(|lower| matches!(lower.part, Part::Branch(_)));
                if branch.is_locked() && entry.layer < Layer::Recipient {
                    entry.only_locks = false;
                    self.locked = true;
                }
                self.entries.push(entry);
            }
            Part::Leaf(_) if entry.only_locks => {}
            Part::Leaf(_) => {
                self.entries.retain(|lower| matches!(lower.part, Part::Branch(_)));
                for lower in &mut self.entries {
                    lower.only_locks = true;
                }
                self.entries.push(entry);
            }
        }
    }

    /// The entries for a member with this name.
    pub(super) fn below(&self, name: &str) -> Stack<'a> {
        let mut below = Stack { entries: Vec::new(), locked: false };
        for entry in &self.entries {
            let Part::Branch(branch) = entry.part else { continue };
            let Some(node) = branch.children.get(name) else { continue };
            let part = match node {
                Node::Switch(_) | Node::Conditions(_) => Part::Leaf(node),
                Node::Branch(branch) => Part::Branch(branch),
            };
            below.push(Entry { part, ..*entry });
            if below.locked {
                break;
            }
        }
        below.locked |= self.locked;
        below
    }

    /// Whether a recipient's value is ignored here.
    pub(super) fn is_locked(&self) -> bool {
        self.locked
    }

    pub(super) fn switch(&self) -> Option<Effective<bool>> {
        match self.leaf()? {
            (layer, Node::Switch(on)) => Some(Effective { value: *on, layer, locked: self.locked }),
            (_, Node::Conditions(_) | Node::Branch(_)) => None,
        }
    }

    pub(super) fn conditions(&self) -> Option<Effective<&'a [When]>> {
        match self.leaf()? {
            (layer, Node::Conditions(list)) => Some(Effective { value: list, layer, locked: self.locked }),
            (_, Node::Switch(_) | Node::Branch(_)) => None,
        }
    }

    fn leaf(&self) -> Option<(Layer, &'a Node)> {
        let entry = self.entries.last()?;
        match entry.part {
            Part::Leaf(node) => Some((entry.layer, node)),
            Part::Branch(_) => None,
        }
    }

    fn collect(&self, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
        let value = match self.leaf() {
            Some((layer, Node::Switch(on))) => Some((layer, Value::Bool(*on))),
            Some((layer, Node::Conditions(list))) => {
                Some((layer, list.iter().cloned().map(Value::from).collect()))
            }
            Some((_, Node::Branch(_))) | None => None,
        };
        if let Some((layer, value)) = value {
            leaves.push(Leaf { path: path.clone(), value, layer, locked: self.locked });
        }
        let mut names = BTreeSet::new();
        for entry in &self.entries {
            if let Part::Branch(branch) = entry.part {
                names.extend(branch.children.keys());
            }
        }
        for name in names {
            path.push(name.clone());
            self.below(name).collect(path, leaves);
            path.pop();
        }
    }
}
