//! What the template tells every channel function.

use aws_types::SdkConfig;
use queue::{Queue, Sqs};
use runtime::{Env, Unset};
use store::{Counters, Ledger};

use crate::{Desk, LaterConfig};

/// The environment of a channel function, as values.
pub struct DeskConfig {
    pub name: &'static str,
    pub ledger_table: String,
    pub counters_table: String,
    pub queue_url: String,
    pub critical_queue_url: String,
    pub dead_letters_url: String,
    pub concurrency: usize,
}

impl DeskConfig {
    /// `name` is the function's; `concurrency` how many sends it has under way at once.
    ///
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env, name: &'static str, concurrency: usize) -> Result<DeskConfig, Unset> {
        Ok(DeskConfig {
            name,
            ledger_table: env.required("LEDGER_TABLE")?,
            counters_table: env.required("COUNTERS_TABLE")?,
            queue_url: env.required("QUEUE_URL")?,
            critical_queue_url: env.required("CRITICAL_QUEUE_URL")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
            concurrency,
        })
    }

    /// The desk of a channel whose jobs may come again later than SQS can hide them.
    #[must_use]
    pub fn open_with(self, aws: &SdkConfig, tables: &store::Client, later: LaterConfig) -> Desk {
        Desk { later: Some(later.open(aws)), ..self.open(aws, tables) }
    }

    #[must_use]
    pub fn open(self, aws: &SdkConfig, tables: &store::Client) -> Desk {
        let sqs = Sqs::new(aws);
        Desk {
            name: self.name,
            ledger: Ledger::new(tables, self.ledger_table),
            counters: Counters::new(tables, self.counters_table),
            queue: Queue::new(&sqs, self.queue_url),
            critical: Queue::new(&sqs, self.critical_queue_url),
            dead_letters: Queue::new(&sqs, self.dead_letters_url),
            later: None,
            concurrency: self.concurrency,
        }
    }
}
