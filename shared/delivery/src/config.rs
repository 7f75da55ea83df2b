//! The settings of a channel function, from its environment.

use aws_types::SdkConfig;
use domain::delivery::rate_limit::Quota;
use queue::{Queue, Sqs};
use runtime::{Env, Unset};
use store::{Counters, Ledger};

use crate::{DeliveryWorker, Dispatch, LaterConfig, Providers};

/// The environment of a channel function, as values.
pub struct DeliveryWorkerConfig {
    pub name: &'static str,
    pub ledger_table: String,
    pub counters_table: String,
    pub queue_url: String,
    pub critical_queue_url: String,
    pub dead_letters_url: String,
    /// The URLs of dispatch's normal and critical queue. `None` disables failover.
    pub dispatch_urls: Option<(String, String)>,
    /// The names of the providers, the preferred one first. With an empty list no provider is watched.
    pub providers: Vec<String>,
    /// The rate limit of each provider, in calls a second. `None` sets no limit.
    pub quota: Option<Quota>,
    pub concurrency: usize,
}

impl DeliveryWorkerConfig {
    /// Reads the settings. `name` is the function's name, `concurrency` the number of parallel sends.
    ///
    /// # Errors
    /// [`Unset`] names the missing variable.
    pub fn from_env(
        env: &Env,
        name: &'static str,
        concurrency: usize,
    ) -> Result<DeliveryWorkerConfig, Unset> {
        Ok(DeliveryWorkerConfig {
            name,
            ledger_table: env.required("LEDGER_TABLE")?,
            counters_table: env.required("COUNTERS_TABLE")?,
            queue_url: env.required("QUEUE_URL")?,
            critical_queue_url: env.required("CRITICAL_QUEUE_URL")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
            dispatch_urls: env
                .optional("DISPATCH_QUEUE_URL")
                .zip(env.optional("DISPATCH_CRITICAL_QUEUE_URL")),
            providers: names(&env.optional("PROVIDERS").unwrap_or_default()),
            quota: Quota::per_second(env.number("PER_SECOND", 0)?),
            concurrency,
        })
    }

    /// Creates the worker of a channel that defers jobs for longer than SQS can hide a message.
    #[must_use]
    pub fn open_with(self, aws: &SdkConfig, tables: &store::Client, later: LaterConfig) -> DeliveryWorker {
        DeliveryWorker { later: Some(later.open(aws)), ..self.open(aws, tables) }
    }

    #[must_use]
    pub fn open(self, aws: &SdkConfig, tables: &store::Client) -> DeliveryWorker {
        let sqs = Sqs::new(aws);
        let counters = Counters::new(tables, self.counters_table);
        let queue = |url| Queue::new(&sqs, url);
        DeliveryWorker {
            name: self.name,
            ledger: Ledger::new(tables, self.ledger_table),
            providers: Providers::new(&counters, &self.providers, self.quota),
            counters,
            queue: queue(self.queue_url),
            critical: queue(self.critical_queue_url),
            dead_letters: queue(self.dead_letters_url),
            dispatch: self
                .dispatch_urls
                .map(|(normal, critical)| Dispatch { normal: queue(normal), critical: queue(critical) }),
            later: None,
            concurrency: self.concurrency,
        }
    }
}

/// Splits a list of names at its commas.
fn names(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}
