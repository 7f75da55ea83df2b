//! Takes tokens of a provider's quota for a whole batch.

use std::time::Duration;

use domain::Timestamp;
use domain::delivery::rate_limit::{Bucket, Quota};
use domain::delivery::retry::chance;
use runtime::chain;
use store::{Kept, WriteResult};

use crate::cloud::SharedState;

/// How often a write that lost a race is repeated. At most ten processes compete, and each needs one
/// write.
const ROUNDS: u32 = 6;

/// The longest wait for a token inside an invocation. Waiting there costs money, but a redelivery costs
/// three calls to the queue.
const AHEAD: Duration = Duration::from_secs(5);

/// The longest wait of a batch for the table.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tokens of a batch.
pub(crate) struct Tokens {
    /// The times at which the tokens may be used.
    pub(crate) at: Vec<Timestamp>,
    /// The rest of the bucket, for jobs without a token.
    pub(crate) left: Bucket,
}

/// Takes up to `n` tokens. Returns `None` when the table does not answer. Jobs then do not wait, and the
/// provider applies its own limit.
pub(crate) async fn take(
    counters: &impl SharedState,
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
                WriteResult::Ours(kept) => return Ok(Tokens { at: slice.tokens, left: kept.value }),
                WriteResult::Theirs(kept) => read = kept,
            }
            // Processes that lost the same race retry at different times.
            let pause = chance(provider, round ^ now.subsec_nanosecond().unsigned_abs()) % (20 << round);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        // Other processes take the tokens faster.
        Ok::<_, aws::CallError>(Tokens { at: Vec::new(), left: read.value })
    };
    match tokio::time::timeout(PATIENCE, taking).await {
        Ok(Ok(tokens)) => Some(tokens),
        Ok(Err(refused)) => {
            tracing::warn!(
                code = "PROVIDER_RATE_UNKNOWN",
                provider,
                error = chain(&refused),
                "rate limit of the provider not read: the jobs are sent without waiting"
            );
            None
        }
        Err(_) => {
            tracing::warn!(
                code = "PROVIDER_RATE_UNKNOWN",
                provider,
                "rate limit of the provider not read in time: the jobs are sent without waiting"
            );
            None
        }
    }
}
