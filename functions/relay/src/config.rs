//! The environment, as values.

use domain::outbox_mark::MarkKey;
use domain::producers::Producers;
use domain::stack_secret::StackSecret;
use runtime::{Env, Error};

/// What the relay is told by its template.
pub struct Config {
    pub bus: String,
    pub events_table: String,
    pub ledger_table: String,
    pub critical_queue_url: String,
    pub dead_letters_url: String,
    /// The types of event of which a rule is critical.
    pub critical_types: Vec<String>,
    /// What the audit knows the relay by.
    pub marks: MarkKey,
    /// Which source of the bus may say what.
    pub producers: Producers,
}

impl Config {
    /// # Errors
    /// A variable is missing, the stack's secret is too short, or the policy that lies beside the program cannot be used.
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
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect(),
            producers: runtime::producers(env)?,
        })
    }
}
