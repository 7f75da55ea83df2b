//! The seal function: seals every finished minute of the audit, in order.
//!
//! The function runs every minute. Its only state is the last seal in the bucket. After a crash or an
//! outage it continues from that seal.

use std::time::Duration;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::audit::seal::{Leaf, Sealed, Statement, is_always_sealed, minute_of};
use jiff::SignedDuration;
use runtime::{Env, Error, Invocation, Unset, now};
use seals::{SealStore, Signer};
use serde::Serialize;
use store::{Events, Leaves};

/// The delay between the end of a minute and its seal. The audit's writes carry the start time of their
/// invocation, which lasts up to 30 s, and the index lags behind the table.
const LAG: Duration = Duration::from_secs(180);

/// The number of minutes read in parallel. Each minute is one partition of the index, possibly empty.
const WINDOW_MINUTES: i64 = 60;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The events table, the signing key and the bucket of seals.
pub struct Sealer {
    events: Events,
    vault: SealStore,
    signer: Signer,
    environment: String,
    lag: Duration,
}

/// The result of one run.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The number of sealed minutes, and of the records in them.
    pub seals: usize,
    pub records: usize,
    /// The end of the sealed period. Earlier minutes without records have no seal. `None` before the
    /// first run has finished.
    pub sealed_until: Option<Timestamp>,
    /// Another process sealed a minute at the same time and continues with the rest.
    pub is_overtaken: bool,
}

impl Sealer {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Unset`] names the missing variable.
    pub fn from_env(aws: &SdkConfig, env: &Env) -> Result<Sealer, Unset> {
        let environment = env.required("ENVIRONMENT")?;
        let lag = env.optional("LAG_SECONDS").and_then(|optional| optional.parse().ok());
        Ok(Sealer {
            events: Events::new(&store::client(aws), env.required("EVENTS_TABLE")?),
            vault: SealStore::new(aws, env.required("SEALS_BUCKET")?, environment.clone()),
            signer: Signer::new(aws, env.required("SEALS_KEY")?),
            environment,
            lag: lag.map_or(LAG, Duration::from_secs),
        })
    }

    /// Seals the finished minutes, oldest first, until the time is up.
    ///
    /// # Errors
    /// A call to the table, the key or the bucket failed. Existing seals remain, and the next run
    /// continues after them.
    pub async fn run(&self, invocation: &Invocation) -> Result<Run, Error> {
        let began = now();
        let until = minute_of(began.saturating_sub(self.lag)?);
        let mut last = self.vault.last(began).await?.map(|sealed| sealed.statement);
        let mut from = begin(last.as_ref(), until);
        let mut run = Run { sealed_until: last.as_ref().map(|_| from), ..Run::default() };
        while from < until && has_time(invocation) {
            let to = until.min(from.saturating_add(MINUTE * WINDOW_MINUTES as i32)?);
            let mut leaves = self.events.leaves(from, to, |_| ()).await?;
            for minute in minutes(from, to, &leaves) {
                if !has_time(invocation) {
                    break;
                }
                let sealed =
                    self.seal(minute, leaves.remove(&minute).unwrap_or_default(), last.as_ref()).await?;
                if !self.vault.put(&sealed, now()).await? {
                    run.is_overtaken = true;
                    break;
                }
                run.seals += 1;
                run.records += sealed.leaves.len();
                run.sealed_until = Some(minute.saturating_add(MINUTE)?);
                last = Some(sealed.statement);
            }
            if run.is_overtaken {
                break;
            }
            from = to;
        }
        tracing::info!(
            code = "SEAL_RUN",
            seals = run.seals,
            records = run.records,
            sealed_until = run.sealed_until.map(tracing::field::display),
            is_overtaken = run.is_overtaken,
            "audit records sealed"
        );
        Ok(run)
    }

    async fn seal(
        &self,
        minute: Timestamp,
        leaves: Vec<Leaf>,
        before: Option<&Statement>,
    ) -> Result<Sealed, Error> {
        let statement = Statement::of(&self.environment, minute, &leaves, before, now());
        let signature = self.signer.sign(&statement.text(), now()).await?;
        Ok(Sealed { statement, signature, leaves })
    }
}

/// The first unsealed minute. The very first one starts an hour, which bounds the search for the last
/// seal.
fn begin(last: Option<&Statement>, until: Timestamp) -> Timestamp {
    let hour = || Timestamp::from_second(until.as_second().div_euclid(3_600) * 3_600).unwrap_or(until);
    last.map_or_else(hour, |last| last.minute.saturating_add(MINUTE).unwrap_or(last.minute))
}

/// The minutes that get a seal, in order.
fn minutes(from: Timestamp, to: Timestamp, leaves: &Leaves) -> Vec<Timestamp> {
    let all = (from.as_second()..to.as_second()).step_by(60);
    let all = all.filter_map(|second| Timestamp::from_second(second).ok());
    all.filter(|all| is_always_sealed(*all) || leaves.contains_key(all)).collect()
}

fn has_time(invocation: &Invocation) -> bool {
    !invocation.deadline.left(now()).is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_behind_the_last_seal_and_begins_with_an_hour() {
        let until = at("2026-11-20T12:34:00Z");
        assert_eq!(begin(None, until), at("2026-11-20T12:00:00Z"));
        let last = Statement::of("test", at("2026-11-19T05:59:00Z"), &[], None, until);
        assert_eq!(begin(Some(&last), until), at("2026-11-19T06:00:00Z"));
    }

    #[test]
    fn an_empty_minute_has_no_seal_unless_it_begins_an_hour() {
        let (from, to) = (at("2026-11-20T11:58:00Z"), at("2026-11-20T12:03:00Z"));
        let leaves = Leaves::from([(at("2026-11-20T12:01:00Z"), Vec::new())]);
        let expected = ["2026-11-20T12:00:00Z", "2026-11-20T12:01:00Z"].map(at);
        assert_eq!(minutes(from, to, &leaves), expected);
        assert_eq!(minutes(from, from, &leaves), []);
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }
}
