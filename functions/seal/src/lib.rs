//! seal: seals every minute of the audit that is over, each after the one before.
//!
//! It runs every minute. All it remembers is the last seal in the bucket, so whoever comes after a crash, or after an
//! outage of hours, goes on where that one ends.

use std::time::Duration;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::seal::{Leaf, Sealed, Statement, is_always_sealed, minute_of};
use jiff::SignedDuration;
use runtime::{Env, Error, Invocation, Unset, now};
use seals::{Signer, Vault};
use serde::Serialize;
use store::{Events, Leaves};

/// How long after its end a minute is sealed. The audit's writes carry the time at which their invocation began, and
/// that ends within 30 s; the index is a moment behind the table.
const LAG: Duration = Duration::from_secs(180);

/// How many minutes are read at once: one part of the index after the other, whether there is anything in it or not.
const WINDOW_MINUTES: i64 = 60;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The audit's end and the seals' end.
pub struct Sealer {
    events: Events,
    vault: Vault,
    signer: Signer,
    environment: String,
    lag: Duration,
}

/// What one run did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// How many minutes were sealed, and how many records are in them.
    pub seals: usize,
    pub records: usize,
    /// The end of what is sealed; minutes before it without a record have no seal. None before the first run is over.
    pub sealed_until: Option<Timestamp>,
    /// Somebody else sealed a minute at the same time: the rest is theirs.
    pub is_overtaken: bool,
}

impl Sealer {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(aws: &SdkConfig, env: &Env) -> Result<Sealer, Unset> {
        let environment = env.required("ENVIRONMENT")?;
        let lag = env.optional("LAG_SECONDS").and_then(|optional| optional.parse().ok());
        Ok(Sealer {
            events: Events::new(&store::client(aws), env.required("EVENTS_TABLE")?),
            vault: Vault::new(aws, env.required("SEALS_BUCKET")?, environment.clone()),
            signer: Signer::new(aws, env.required("SEALS_KEY")?),
            environment,
            lag: lag.map_or(LAG, Duration::from_secs),
        })
    }

    /// Seals what is due, oldest first, as long as there is time.
    ///
    /// # Errors
    /// Table, key or bucket could not be asked. What was sealed stays sealed; the next run goes on behind it.
    pub async fn run(&self, invocation: &Invocation) -> Result<Run, Error> {
        let began = now();
        let until = minute_of(began.saturating_sub(self.lag)?);
        let mut last = self.vault.last(began).await?.map(|it| it.statement);
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
            seals = run.seals,
            records = run.records,
            sealed_until = run.sealed_until.map(tracing::field::display),
            is_overtaken = run.is_overtaken,
            "audit sealed"
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

/// The first minute that is not sealed. The first of all begins an hour, so that it is never sought further back.
fn begin(last: Option<&Statement>, until: Timestamp) -> Timestamp {
    let hour = || Timestamp::from_second(until.as_second().div_euclid(3_600) * 3_600).unwrap_or(until);
    last.map_or_else(hour, |it| it.minute.saturating_add(MINUTE).unwrap_or(it.minute))
}

/// The minutes that get a seal, in their order.
fn minutes(from: Timestamp, to: Timestamp, leaves: &Leaves) -> Vec<Timestamp> {
    let all = (from.as_second()..to.as_second()).step_by(60);
    let all = all.filter_map(|it| Timestamp::from_second(it).ok());
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
