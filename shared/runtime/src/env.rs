//! The environment, read once at start-up.

use std::collections::HashMap;

/// The process's environment variables.
pub struct Env(HashMap<String, String>);

/// A missing or unusable variable of the template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unset {
    #[error("environment variable {0} is not set; the template sets it for every function")]
    Missing(String),
    #[error("environment variable {name} is {found:?}, wanted {wanted}")]
    Unusable { name: String, found: String, wanted: &'static str },
}

impl Env {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn process() -> Env {
        Env(std::env::vars().collect())
    }

    /// The value of a required variable.
    ///
    /// # Errors
    /// [`Unset`] if the variable is missing or empty.
    pub fn required(&self, name: &str) -> Result<String, Unset> {
        self.optional(name).ok_or_else(|| Unset::Missing(name.to_owned()))
    }

    /// The value of an optional variable. `None` if it is missing or empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    /// A whole number, or `default` if the variable is not set.
    ///
    /// # Errors
    /// [`Unset`] if the value is not a whole number.
    pub fn number(&self, name: &str, default: u32) -> Result<u32, Unset> {
        let Some(found) = self.optional(name) else { return Ok(default) };
        let wanted = "a whole number";
        found.parse().map_err(|_| Unset::Unusable { name: name.to_owned(), found, wanted })
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Env {
        Env(variables.into_iter().collect())
    }
}
