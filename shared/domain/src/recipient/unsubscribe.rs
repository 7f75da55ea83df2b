//! Unsubscriptions and their scopes. [`Keys`] creates and reads the token in an e-mail's unsubscribe link.
//!
//! An unsubscription overrides preferences. For commercial messages it overrides all layers, and for a category it
//! applies unless the category is locked. Critical messages ignore it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod page;
mod token;

pub use token::{AHEAD, BadKeys, Claim, Forged, Keys, LIFE};

/// The prefix of category scopes.
const CATEGORY: &str = "category:";

/// The scope of an unsubscription, written as `commercial` or `category:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// All commercial messages of any category.
    Commercial,
    /// All non-critical messages of one category.
    Category(String),
}

/// A text that is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an unsubscribe scope; write `commercial` or `category:<name>`")]
pub struct InvalidScope;

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Scope, InvalidScope> {
        match text.strip_prefix(CATEGORY) {
            Some(name) if !name.is_empty() => Ok(Scope::Category(name.to_owned())),
            None if text == "commercial" => Ok(Scope::Commercial),
            Some(_) | None => Err(InvalidScope),
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Commercial => f.write_str("commercial"),
            Scope::Category(name) => write!(f, "{CATEGORY}{name}"),
        }
    }
}

/// The time of an unsubscription, and the message whose link was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscription {
    pub at: Timestamp,
    /// The key of the e-mail. Empty if an operator or a producer unsubscribed the user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// The unsubscriptions of a user.
pub type Unsubscribed = BTreeMap<Scope, Unsubscription>;

#[cfg(test)]
mod tests;
