//! Unsubscribing: from what, and whose word it is. [`Keys`] makes and reads the token in a letter's link.
//!
//! An unsubscription is a person's own word, stronger than their preferences: for what is commercial it stands whatever
//! a layer says, for a category it stands unless that category is locked. What is critical never asks.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod page;
mod token;

pub use token::{AHEAD, BadKeys, Claim, Forged, Keys, LIFE};

/// What every scope of a category begins with.
const CATEGORY: &str = "category:";

/// From what somebody unsubscribes. It is written `commercial` or `category:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// All that is advertising, of whatever category.
    Commercial,
    /// All of one category that is not critical.
    Category(String),
}

/// A text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no scope of an unsubscription; write `commercial` or `category:<name>`")]
pub struct NoScope;

impl TryFrom<String> for Scope {
    type Error = NoScope;

    fn try_from(text: String) -> Result<Scope, NoScope> {
        match text.strip_prefix(CATEGORY) {
            Some(name) if !name.is_empty() => Ok(Scope::Category(name.to_owned())),
            None if text == "commercial" => Ok(Scope::Commercial),
            Some(_) | None => Err(NoScope),
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

/// When somebody unsubscribed, and by the link of which message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscription {
    pub at: Timestamp,
    /// The key of the letter; empty where an operator or a producer says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// From what a person has unsubscribed.
pub type Unsubscribed = BTreeMap<Scope, Unsubscription>;

#[cfg(test)]
mod tests;
