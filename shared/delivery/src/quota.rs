//! Tokens of a provider's quota, taken by the batch.

use std::time::Duration;

use domain::Timestamp;
use domain::quota::{Bucket, Quota};
use domain::retry::chance;
use runtime::chain;
use store::{Kept, Stood};

use crate::cloud::Shared;

/// How often a write that lost is tried again. Ten processes are at it at most, and each needs one.
const ROUNDS: u32 = 6;

/// The longest that a message waits for its token inside of an invocation: waiting there is paid for, and coming back
/// costs three calls to the queue.
const AHEAD: Duration = Duration::from_secs(5);

/// The longest that a batch waits for the table.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a batch was given.
pub(crate) struct Tokens {
    /// When each may be used.
    pub(crate) at: Vec<Timestamp>,
    /// What is left, for those who got none.
    pub(crate) left: Bucket,
}

/// Takes up to `n` tokens. `None` when the table cannot say: then nobody waits, and the provider keeps its own count.
pub(crate) async fn take(
    counters: &impl Shared,
    provider: &str,
    quota: &Quota,
    n: usize,
    now: Timestamp,
) -> Option<Tokens> {
    let taking = async {
        let mut read: Kept<Bucket> = counters.bucket(provider).await?;
        for round in 0..ROUNDS {
            let slice = read.value.take(quota, n, now, AHEAD);
            if slice.tokens.is_empty() {
                return Ok(Tokens { at: Vec::new(), left: read.value });
            }
            match counters.keep_bucket(provider, &read, slice.next, now).await? {
                Stood::Ours(kept) => return Ok(Tokens { at: slice.tokens, left: kept.value }),
                Stood::Theirs(kept) => read = kept,
            }
            // Those who lost together come back apart.
            let pause = chance(provider, round ^ now.subsec_nanosecond().unsigned_abs()) % (20 << round);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        // Others take them faster than we can ask.
        Ok::<_, aws::Refused>(Tokens { at: Vec::new(), left: read.value })
    };
    match tokio::time::timeout(PATIENCE, taking).await {
        Ok(Ok(tokens)) => Some(tokens),
        Ok(Err(refused)) => {
            tracing::warn!(provider, error = chain(&refused), "a quota is not known; nobody waits");
            None
        }
        Err(_) => {
            tracing::warn!(provider, "a quota is not known in time; nobody waits");
            None
        }
    }
}
