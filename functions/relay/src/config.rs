//! The settings of the function, from its environment.

use domain::base::stack_secret::StackSecret;
use domain::event::outbox_mark::MarkKey;
use domain::event::producers::Producers;
use runtime::{Env, Error};

/// The settings that the template gives the relay.
pub struct Config {
    pub bus: String,
    pub events_table: String,
    pub ledger_table: String,
    pub critical_queue_url: String,
    pub dead_letters_url: String,
    /// The types of critical events.
    pub critical_types: Vec<String>,
    /// The key that marks the relay's events for the audit.
    pub marks: MarkKey,
    /// The rights of each source on the bus.
    pub producers: Producers,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// A variable is missing, the stack's secret is too short, or the policy file is unusable.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        let types = env.required("CRITICAL_TYPES")?;
        Ok(Config {
            bus: env.required("BUS_NAME")?,
            events_table: env.required("EVENTS_TABLE")?,
            ledger_table: env.required("LEDGER_TABLE")?,
            critical_queue_url: env.required("CRITICAL_QUEUE_URL")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
            marks: MarkKey::of(&StackSecret::read(&env.required("STACK_SECRET")?)?),
            critical_types: types
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .collect(),
            producers: runtime::producers(env)?,
        })
    }
}
