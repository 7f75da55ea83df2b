//! The settings of the function, from its environment.

use domain::base::stack_secret::StackSecret;
use domain::recipient::keyed_hash::KeyedHashes;
use runtime::{Env, Error};

/// The settings that the template gives the function.
pub struct Config {
    pub ledger_table: String,
    pub people_table: String,
    pub counters_table: String,
    /// The queue of receipts.
    pub queue_url: String,
    pub dead_letters_url: String,
    /// The key that hashes the numbers of inbound messages.
    pub hashes: KeyedHashes,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// A variable is missing, or `STACK_SECRET` is too short.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        Ok(Config {
            ledger_table: env.required("LEDGER_TABLE")?,
            people_table: env.required("PEOPLE_TABLE")?,
            counters_table: env.required("COUNTERS_TABLE")?,
            queue_url: env.required("QUEUE_URL")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
            hashes: KeyedHashes::of(&StackSecret::read(&env.required("STACK_SECRET")?)?),
        })
    }
}
