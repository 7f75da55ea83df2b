//! The environment, as values.

use delivery::DeskConfig;
use runtime::{Env, Unset};

/// What the function is told by its template.
pub struct Config {
    /// The address letters come from, with or without a name: `Carillon <hello@example.com>`.
    pub sender: String,
    pub desk: DeskConfig,
}

/// SES's sandbox and most new accounts allow 14 letters a second; five under way at once stay below that.
const CONCURRENCY: usize = 5;

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            sender: env.required("SENDER_ADDRESS")?,
            desk: DeskConfig::from_env(env, "email", CONCURRENCY)?,
        })
    }
}
