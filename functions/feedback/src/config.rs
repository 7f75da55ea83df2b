//! The environment, as values.

use runtime::{Env, Unset};

/// What the function is told by its template.
pub struct Config {
    pub ledger_table: String,
    pub people_table: String,
    pub counters_table: String,
    /// The queue that receipts come from.
    pub queue_url: String,
    pub dead_letters_url: String,
}

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            ledger_table: env.required("LEDGER_TABLE")?,
            people_table: env.required("PEOPLE_TABLE")?,
            counters_table: env.required("COUNTERS_TABLE")?,
            queue_url: env.required("QUEUE_URL")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
        })
    }
}
