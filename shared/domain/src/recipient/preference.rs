//! Preferences of recipients, tenants and the environment, and the vote over one notification. This module knows
//! names and JSON documents only. Other modules store the sets and decide who may write them.
//!
//! A set is JSON, and all of its members are optional:
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
//! A workflow is a rule, by its name. A channel id is the name of a provider. It equals the channel type where the
//! type has one provider. An entry of `workflows` and `categories` is a bool, or an object with `channel_types`,
//! `channels` and `conditions`. A condition is an EventBridge pattern over [`crate::event::Event::document`], which
//! rules match as well. All conditions of an entry must hold.
//!
//! **Merge.** Sets are merged by key, and the highest set with a value wins. Without a tenant on the event, the order
//! is the recipient's set, then the environment's. With a tenant, the order is the recipient's set for the tenant,
//! then the tenant's, then the environment's. If both tenant sets are missing, the first order applies again. The
//! `conditions` of an entry are merged as one value. A bool replaces an object of a lower set, and an object replaces
//! a bool.
//!
//! **Lock.** `"__strategy__": "replace"` in an object of a lower set locks the object: it excludes every higher set,
//! also for missing keys. An empty locked object therefore means "allowed, and not changeable". A bool in a
//! higher set does not remove a lock below it, and a lock in a recipient's set has no effect. Excluded values stay
//! stored, so they apply again as soon as the lock is removed.
//!
//! **Vote.** A critical rule is always allowed, without a vote. A commercial rule is denied if
//! `commercial_subscribed` is false. Then the top level, the rule and each category vote, as far as they exist. Their
//! votes are the bool, the conditions, and `channels` by id. Where `channels` has no value, `channel_types` votes
//! instead. A single no denies the notification. Without any vote it is allowed. The evaluation order is the order of
//! [`Vote::votes`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::sensitive::Sensitive;
use crate::pattern::condition::When;

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

/// Maximum number of rules, and of categories, in a set.
pub const MAX_NAMES: usize = 500;

/// Maximum number of channel types, and of channels, in one object of a set.
pub const MAX_CHANNELS: usize = 50;

/// Maximum number of conditions of an entry.
pub const MAX_CONDITIONS: usize = 10;

/// Maximum length of a name in a set, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// The member that selects how an object is merged.
const STRATEGY: &str = "__strategy__";

/// A valid preference set.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Preferences {
    root: Sensitive<Branch>,
}

impl Preferences {
    /// Reads a set from JSON.
    ///
    /// # Errors
    /// [`Invalid`] for the first fault: an unknown member, a value of another type, a pattern that does not compile,
    /// or a limit exceeded. [`Preferences::unknown_names`] checks that the rules, categories and channels exist.
    pub fn read(value: &Value) -> Result<Preferences, Invalid> {
        Ok(Preferences { root: Sensitive::new(read::set(value)?) })
    }

    /// The set as it was written, with names in alphabetical order.
    #[must_use]
    pub fn to_value(&self) -> Value {
        write::value_of(self.root.expose())
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.expose().children.is_empty() && self.root.expose().strategy.is_none()
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

/// The owner of a set, from the lowest layer to the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The default of the installation.
    Environment,
    /// The default of the event's tenant.
    Tenant,
    /// The recipient's set for events without a tenant.
    Recipient,
    /// The recipient's set for the event's tenant.
    RecipientInTenant,
}

impl Layer {
    /// The name in decisions.
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
    /// `None` if no strategy is written, which means [`Strategy::Merge`].
    strategy: Option<Strategy>,
    children: BTreeMap<String, Node>,
}

/// The value of a name.
#[derive(Clone, PartialEq)]
enum Node {
    Switch(bool),
    Conditions(Vec<When>),
    Branch(Branch),
}

/// The way in which an object is merged with the same object of a higher set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// Merged by key. The higher set wins.
    Merge,
    /// Not merged. Higher sets are excluded.
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
