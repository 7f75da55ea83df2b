//! The sweep function: finds stale outbox entries and missing receipts.
//!
//! The sweep publishes and counts outbox entries that are still pending. It finds events lost between a
//! producer's transaction and the audit: by a crashed relay, by a stream that was down for longer than
//! its retention, or by the bus. It also settles notifications without a receipt for three days as
//! unconfirmed. It runs every few minutes and writes no data when all is well.

mod metrics;
mod outbox;
mod unconfirmed;

use std::time::Duration;

use aws_types::SdkConfig;
use domain::base::stack_secret::StackSecret;
use domain::event::outbox_mark::MarkKey;
use outbox_relay::Relay;
use publish::EventBridge;
use runtime::{Env, Error, Invocation, now};
use serde::Serialize;
use store::{Ledger, Waiting};

pub use outbox::{MIN_AGE, OutboxView, StaleOutbox};

/// The clients of the outbox and the ledger.
pub struct Sweep {
    outbox: StaleOutbox,
    ledger: Ledger,
    /// The function's name, which is the dimension of its metrics.
    name: String,
}

/// The result of one run.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// The number of pending events of any age, and the age of the oldest in seconds.
    pub pending: usize,
    pub oldest_seconds: u64,
    /// The number of events that the bus refused, including this run.
    pub failed: usize,
    pub published: usize,
    pub set_aside: usize,
    pub again: usize,
    /// The number of notifications that no longer wait for a receipt.
    pub unconfirmed: usize,
}

impl Sweep {
    /// Reads the settings.
    ///
    /// # Errors
    /// A variable is missing, the stack's secret is too short, or the policy file is unusable.
    pub fn from_env(aws: &SdkConfig, env: &Env) -> Result<Sweep, Error> {
        let client = store::client(aws);
        let waiting = Waiting::new(&client, env.required("EVENTS_TABLE")?);
        let ledger = Ledger::new(&client, env.required("LEDGER_TABLE")?);
        let relay = Relay::new(EventBridge::new(aws, env.required("BUS_NAME")?), waiting.clone());
        let relay = relay.restricted_to(runtime::producers(env)?);
        let name = env.optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "sweep".to_owned());
        let min_age = env.optional("MIN_AGE_SECONDS").and_then(|optional| optional.parse().ok());
        let min_age = min_age.map_or(MIN_AGE, Duration::from_secs);
        let marks = MarkKey::of(&StackSecret::read(&env.required("STACK_SECRET")?)?);
        Ok(Sweep { outbox: StaleOutbox::new(waiting, relay, marks, min_age), ledger, name })
    }

    /// Publishes stale entries, oldest first and each stream in order. Then settles notifications whose
    /// receipts did not arrive.
    ///
    /// # Errors
    /// An index or table was not read or written. The next run starts again.
    pub async fn run(&self, invocation: &Invocation) -> Result<Swept, Error> {
        let began = now();
        let has_time = || !invocation.deadline.left(now()).is_zero();
        let (mut swept, is_cut) = self.outbox.publish(began, has_time).await?;
        let given_up = unconfirmed::give_up(&self.ledger, began, has_time).await;
        swept.unconfirmed = given_up.as_ref().copied().unwrap_or_default();
        metrics::write(&swept, &self.name, is_cut, began);
        given_up?;
        Ok(swept)
    }
}
