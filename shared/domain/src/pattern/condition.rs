//! Conditions of rules, preferences and endpoints.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pattern::{Invalid, Pattern};

/// A pattern with its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct When {
    source: Value,
    pattern: Pattern,
}

impl When {
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The source of the pattern.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }
}

impl TryFrom<Value> for When {
    type Error = Invalid;

    fn try_from(source: Value) -> Result<When, Self::Error> {
        Ok(When { pattern: Pattern::compile(&source)?, source })
    }
}

impl From<When> for Value {
    fn from(when: When) -> Value {
        when.source
    }
}
