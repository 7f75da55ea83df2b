//! What people, tenants and the environment have said they want to hear of, and the vote over one notification.
//! It knows names and JSON documents; who stores a set, and who may write it, is decided elsewhere.
//!
//! A set is JSON, and every part of it may be missing:
//!
//! ```json
//! {
//!   "channel_types": { "email": true },
//!   "channels": { "email-marketing": false },
//!   "commercial_subscribed": true,
//!   "workflows": { "invoice-overdue": false },
//!   "categories": {
//!     "lab": {
//!       "channel_types": { "email": false, "__strategy__": "replace" },
//!       "conditions": [{ "detail": { "data": { "severity": [{ "numeric": [">", 3] }] } } }]
//!     }
//!   }
//! }
//! ```
//!
//! A workflow is one of our rules, by its name. A channel id is a provider's, or the channel type's name where the
//! type has one provider. An entry of `workflows` and `categories` is a bool, or an object with `channel_types`,
//! `channels` and `conditions`. A condition is an EventBridge pattern over [`crate::event::Event::document`], the same
//! document that rules match; all conditions of an entry must hold.
//!
//! **Merge.** Sets are merged by key, and the highest that has a value wins. Without a tenant on the event: the
//! recipient's, then the environment's. With one: the recipient's set for the tenant, then the tenant's, then the
//! environment's; the first list again only if both tenant sets are missing. An entry's `conditions` are one value. A
//! bool above an object takes its place, and an object above a bool likewise.
//!
//! **Lock.** `"__strategy__": "replace"` in an object of a lower set shuts out every higher set for that object,
//! missing keys included: an empty locked object means "allowed, and nobody may change it". A bool above does not
//! remove a lock further down, and a mark in a recipient's set means nothing. What was shut out is still stored, so it
//! counts again as soon as the mark is gone.
//!
//! **Vote.** A critical rule is allowed and nobody is asked. A commercial rule needs `commercial_subscribed` not to be
//! false. Then the top level, the rule and each category vote, as far as they exist: a bool, the conditions, and
//! `channels` by id or, only where that is silent, `channel_types`. One no is enough. Where nobody says anything, it is
//! allowed. The order of evaluation is the order of [`Vote::votes`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rule::When;

mod because;
mod merge;
mod names;
mod read;
mod vote;
mod write;

pub use because::{Because, Scope, Setting};
pub use merge::{Layers, Leaf};
pub use names::{Kind, Known, Unknown, check_channels};
pub use read::Invalid;
pub use vote::{Question, Vote};
pub use write::Persistence;

/// How many rules, and how many categories, a set may name.
pub const MAX_NAMES: usize = 500;

/// How many channel types, and how many channels, one object of a set may name.
pub const MAX_CHANNELS: usize = 50;

/// How many conditions an entry may have.
pub const MAX_CONDITIONS: usize = 10;

/// The longest name in a set, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// The member that says how an object is merged.
const STRATEGY: &str = "__strategy__";

/// A preference set that was read and found good. No `Debug`: what somebody does not want to hear of is theirs.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Preferences {
    root: Branch,
}

impl Preferences {
    /// Reads a set as people and programs write it.
    ///
    /// # Errors
    /// [`Invalid`] for the first fault: a member that is none, a value of another type, a pattern that does not
    /// compile, or a limit exceeded. Whether rules, categories and channels exist is asked by
    /// [`Preferences::unknown_names`].
    pub fn read(value: &Value) -> Result<Preferences, Invalid> {
        Ok(Preferences { root: read::set(value)? })
    }

    /// The set as it was written, names in alphabetical order.
    #[must_use]
    pub fn to_value(&self) -> Value {
        write::value_of(&self.root)
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.children.is_empty() && self.root.strategy.is_none()
    }
}

impl TryFrom<Value> for Preferences {
    type Error = Invalid;

    fn try_from(value: Value) -> Result<Preferences, Invalid> {
        Preferences::read(&value)
    }
}

impl From<Preferences> for Value {
    fn from(set: Preferences) -> Value {
        set.to_value()
    }
}

/// Whose set it is, from the lowest to the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The default of the whole installation.
    Environment,
    /// The default of the event's tenant.
    Tenant,
    /// The recipient's own, for events without a tenant.
    Recipient,
    /// The recipient's own for the event's tenant.
    RecipientInTenant,
}

impl Layer {
    /// The name as it is written in decisions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Layer::Environment => "environment",
            Layer::Tenant => "tenant",
            Layer::Recipient => "recipient",
            Layer::RecipientInTenant => "recipient in tenant",
        }
    }
}

/// One object of a set.
#[derive(Clone, Default, PartialEq)]
struct Branch {
    /// `None` where nothing is written, which means [`Strategy::Merge`].
    strategy: Option<Strategy>,
    children: BTreeMap<String, Node>,
}

/// What stands under a name.
#[derive(Clone, PartialEq)]
enum Node {
    Switch(bool),
    Conditions(Vec<When>),
    Branch(Branch),
}

/// How an object meets the same object of a higher set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// By key; the higher one wins.
    Merge,
    /// Not at all: the higher ones are shut out.
    Replace,
}

impl Strategy {
    fn name(self) -> &'static str {
        match self {
            Strategy::Merge => "merge",
            Strategy::Replace => "replace",
        }
    }
}

impl Branch {
    fn is_locked(&self) -> bool {
        self.strategy == Some(Strategy::Replace)
    }
}

#[cfg(test)]
mod tests;
