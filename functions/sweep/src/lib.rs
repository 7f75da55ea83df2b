//! sweep: finds by the clock what nothing else would find.
//!
//! It publishes what stayed pending in the outbox, and counts it: whatever was lost between a producer's transaction and
//! the audit is found here, be it a relay that died, a stream that was down for longer than it keeps records, or an event
//! that the bus dropped. And it says of what awaited its receipt for three days that nobody will confirm it. It runs
//! every few minutes and writes nothing when there is nothing to do.

mod metrics;
mod outbox;
mod unconfirmed;

use std::time::Duration;

use aws_types::SdkConfig;
use domain::outbox_mark::MarkKey;
use domain::stack_secret::StackSecret;
use publish::{Bus, Outbox, Relay};
use runtime::{Env, Error, Invocation, now};
use serde::Serialize;
use store::Ledger;

pub use outbox::{Backwater, Looks, MIN_AGE};

/// The sweep's ends of the outbox and of the ledger.
pub struct Sweep {
    outbox: Backwater,
    ledger: Ledger,
    /// What metrics are kept apart by: the function's name.
    name: String,
}

/// What was found, and what was done about it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How many events are pending, whatever their age, and how old the oldest is, in seconds.
    pub pending: usize,
    pub oldest_seconds: u64,
    /// How many the bus refused, these among them.
    pub failed: usize,
    pub published: usize,
    pub set_aside: usize,
    pub again: usize,
    /// How many messages wait for a receipt no longer.
    pub unconfirmed: usize,
}

impl Sweep {
    /// # Errors
    /// A variable is missing, the stack's secret is too short, or the policy that lies beside the program cannot be used.
    pub fn from_env(aws: &SdkConfig, env: &Env) -> Result<Sweep, Error> {
        let client = store::client(aws);
        let waiting = Outbox::new(env.required("EVENTS_TABLE")?).waiting(&client);
        let ledger = Ledger::new(&client, env.required("LEDGER_TABLE")?);
        let relay = Relay::new(Bus::new(aws, env.required("BUS_NAME")?), waiting.clone());
        let relay = relay.holding_to(runtime::producers(env)?);
        let name = env.optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "sweep".to_owned());
        let min_age = env.optional("MIN_AGE_SECONDS").and_then(|optional| optional.parse().ok());
        let min_age = min_age.map_or(MIN_AGE, Duration::from_secs);
        let marks = MarkKey::of(&StackSecret::read(&env.required("STACK_SECRET")?)?);
        Ok(Sweep { outbox: Backwater::new(waiting, relay, marks, min_age), ledger, name })
    }

    /// Publishes what has been pending for too long, oldest first and each stream in its order; then gives up waiting
    /// for receipts that will not come.
    ///
    /// # Errors
    /// An index or a table could not be read or written. The next run begins anew.
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
