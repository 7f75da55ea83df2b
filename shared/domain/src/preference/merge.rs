//! Several sets seen as one, without copying any of them: at every name, which layers still have a say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Branch, Layer, Node, Preferences, Question, Vote, vote};
use crate::event::Priority;
use crate::rule::{Rule, When};
use crate::unsubscribe::{Scope, Unsubscribed};

/// The sets that bear on one recipient of one event. `None`: there is no such set.
#[derive(Clone, Copy, Default)]
pub struct Layers<'a> {
    pub environment: Option<&'a Preferences>,
    pub tenant: Option<&'a Preferences>,
    pub recipient: Option<&'a Preferences>,
    pub recipient_in_tenant: Option<&'a Preferences>,
    /// From what the recipient unsubscribed.
    pub unsubscribed: Option<&'a Unsubscribed>,
}

/// A value that counts after the merge, and who gave it.
#[derive(Clone, PartialEq)]
pub struct Leaf {
    /// The names on the way, such as `categories`, `lab`, `channel_types`, `email`.
    pub path: Vec<String>,
    /// A bool, or the list of conditions.
    pub value: Value,
    pub layer: Layer,
    /// Whether higher layers are shut out here.
    pub locked: bool,
}

impl<'a> Layers<'a> {
    /// Every value that counts, by path in alphabetical order: what a preference centre shows.
    #[must_use]
    pub fn merged(&self, has_tenant: bool) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.stack(has_tenant).collect(&mut Vec::new(), &mut leaves);
        leaves
    }

    /// Whether a notification may go out, and who says so.
    #[must_use]
    pub fn vote(&self, question: &Question<'_>) -> Vote {
        vote::hold(&self.stack(question.has_tenant), self.unsubscribed, question)
    }

    /// From what a letter of this rule lets its reader unsubscribe by one click; `None` where it must not offer that.
    ///
    /// What is critical offers nothing. What is commercial always does. Anything else does if its category is one of
    /// `optional` and nobody has locked it: what is neither is transactional.
    #[must_use]
    pub fn way_out(&self, rule: &Rule, optional: &BTreeSet<String>, has_tenant: bool) -> Option<Scope> {
        if rule.priority == Some(Priority::Critical) {
            return None;
        }
        if rule.commercial {
            return Some(Scope::Commercial);
        }
        let is_locked = || self.stack(has_tenant).below("categories").below(&rule.category).is_locked();
        let is_optional = optional.contains(&rule.category) && !is_locked();
        is_optional.then(|| Scope::Category(rule.category.clone()))
    }

    /// The sets that count, the lowest first.
    fn stack(&self, has_tenant: bool) -> Stack<'a> {
        let has_tenant_set = self.tenant.is_some() || self.recipient_in_tenant.is_some();
        let above = if has_tenant && has_tenant_set {
            [(Layer::Tenant, self.tenant), (Layer::RecipientInTenant, self.recipient_in_tenant)]
        } else {
            [(Layer::Recipient, self.recipient), (Layer::Recipient, None)]
        };
        let mut stack = Stack { says: Vec::new(), locked: false };
        for (layer, set) in [(Layer::Environment, self.environment)].into_iter().chain(above) {
            if let Some(set) = set {
                stack.push(Say { layer, part: Part::Branch(&set.root), only_locks: false });
            }
            if stack.locked {
                break;
            }
        }
        stack
    }
}

/// What the layers say under one name, the lowest first: objects, and above them at most one value.
pub(super) struct Stack<'a> {
    says: Vec<Say<'a>>,
    /// Whether layers above the last one are shut out.
    locked: bool,
}

/// What one layer says there.
#[derive(Clone, Copy)]
struct Say<'a> {
    layer: Layer,
    part: Part<'a>,
    /// A value stands above this object, so that only the locked objects in it still count.
    only_locks: bool,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Branch(&'a Branch),
    Leaf(&'a Node),
}

/// A value with its layer.
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) layer: Layer,
    pub(super) locked: bool,
}

impl<'a> Stack<'a> {
    /// Puts the next higher layer on top.
    fn push(&mut self, mut say: Say<'a>) {
        match say.part {
            Part::Branch(branch) => {
                self.says.retain(|it| matches!(it.part, Part::Branch(_)));
                if branch.is_locked() && say.layer < Layer::Recipient {
                    say.only_locks = false;
                    self.locked = true;
                }
                self.says.push(say);
            }
            Part::Leaf(_) if say.only_locks => {}
            Part::Leaf(_) => {
                self.says.retain(|it| matches!(it.part, Part::Branch(_)));
                for it in &mut self.says {
                    it.only_locks = true;
                }
                self.says.push(say);
            }
        }
    }

    /// What they say one name further down.
    pub(super) fn below(&self, name: &str) -> Stack<'a> {
        let mut below = Stack { says: Vec::new(), locked: false };
        for say in &self.says {
            let Part::Branch(branch) = say.part else { continue };
            let Some(node) = branch.children.get(name) else { continue };
            let part = match node {
                Node::Switch(_) | Node::Conditions(_) => Part::Leaf(node),
                Node::Branch(branch) => Part::Branch(branch),
            };
            below.push(Say { part, ..*say });
            if below.locked {
                break;
            }
        }
        below.locked |= self.locked;
        below
    }

    /// Whether what a recipient says here counts for nothing.
    pub(super) fn is_locked(&self) -> bool {
        self.locked
    }

    pub(super) fn switch(&self) -> Option<Said<bool>> {
        match self.leaf()? {
            (layer, Node::Switch(on)) => Some(Said { value: *on, layer, locked: self.locked }),
            (_, Node::Conditions(_) | Node::Branch(_)) => None,
        }
    }

    pub(super) fn conditions(&self) -> Option<Said<&'a [When]>> {
        match self.leaf()? {
            (layer, Node::Conditions(list)) => Some(Said { value: list, layer, locked: self.locked }),
            (_, Node::Switch(_) | Node::Branch(_)) => None,
        }
    }

    fn leaf(&self) -> Option<(Layer, &'a Node)> {
        let say = self.says.last()?;
        match say.part {
            Part::Leaf(node) => Some((say.layer, node)),
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
        for say in &self.says {
            if let Part::Branch(branch) = say.part {
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
