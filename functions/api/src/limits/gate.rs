//! Takes the tokens of a request and caches the state of buckets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws::CallError;
use domain::Timestamp;
use runtime::chain;
use store::{Counters, Taken};

use super::{Bucket, Limits, Load, NO_TENANT, Wait, buckets, load, pings, program, refusal};
use crate::ApiCall;
use crate::caller::Scope;
use crate::problem::Problem;
use crate::router::Operation;

/// The most tokens that a process takes ahead in one write.
const MAX_SLICE: u32 = 10;
const BURST_PART: u32 = 10;

/// The number of buckets that a process caches.
const MAX_REMEMBERED: usize = 10_000;

/// Admits requests within the limits.
pub(crate) struct Gate {
    limits: Limits,
    known: Mutex<HashMap<(&'static str, String), Known>>,
}

/// The cached state of a bucket.
#[derive(Debug, Clone, Default)]
struct Known {
    full_at: Option<Timestamp>,
    /// Tokens taken ahead for this second.
    held: u32,
    second: i64,
    /// The number of requests in this second, and in the last earlier second with requests.
    call: u32,
    before: u32,
}

impl Known {
    /// The number of tokens to take from the table. `None` if a cached token was used.
    fn ask(&mut self, bucket: &Bucket, now: Timestamp) -> Option<u32> {
        let second = now.as_second();
        if self.second != second {
            (self.before, self.call, self.held, self.second) = (self.call, 0, 0, second);
        }
        self.call = self.call.saturating_add(1);
        if self.held > 0 {
            self.held -= 1;
            return None;
        }
        let most = MAX_SLICE.min(bucket.quota.burst() / BURST_PART);
        Some(if bucket.shared { self.before.clamp(1, most.max(1)) } else { 1 })
    }
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Gate {
        Gate { limits, known: Mutex::default() }
    }

    /// Takes the tokens of a request.
    ///
    /// # Errors
    /// 429: no token is left, and `Retry-After` names the wait. 503: the table does not answer, and the
    /// request would send a message.
    pub(crate) async fn admit(
        &self,
        counters: &Counters,
        operation: Operation,
        call: &ApiCall<'_>,
    ) -> Result<(), Problem> {
        let (caller, scope, first) = (call.caller, call.scope, call.parameters.first().map(String::as_str));
        let buckets = buckets(&self.limits, operation, caller, scope, &program(call.request), first);
        match self.take_all(counters, &buckets, call.now).await {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(problem),
            Err(refused) if load(operation) == Load::Call => {
                tracing::warn!(
                    error = chain(&refused),
                    code = "API_LIMIT_UNKNOWN",
                    "rate limits not available: the request is accepted without a check"
                );
                Ok(())
            }
            Err(refused) => Err(refused.into()),
        }
    }

    /// Whether an unrequested challenge may be sent to an endpoint now.
    ///
    /// # Errors
    /// The table was not read, so no challenge may be sent.
    pub(crate) async fn may_ping(
        &self,
        counters: &Counters,
        scope: &Scope,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        let buckets = pings(&self.limits, scope.tenant().unwrap_or(NO_TENANT), endpoint);
        Ok(self.take_all(counters, &buckets, now).await?.is_none())
    }

    async fn take_all(
        &self,
        counters: &Counters,
        buckets: &[Bucket],
        now: Timestamp,
    ) -> Result<Option<Problem>, CallError> {
        // Sequential, so that a request refused by its caller's bucket takes no token of the tenant.
        for bucket in buckets {
            if let Some(wait) = self.take(counters, bucket, now).await? {
                return Ok(refusal(Some(wait), None));
            }
        }
        Ok(None)
    }

    /// Takes one token. `None` means that the token was taken.
    async fn take(
        &self,
        counters: &Counters,
        bucket: &Bucket,
        now: Timestamp,
    ) -> Result<Option<Wait>, CallError> {
        let (wanted, last) = {
            let mut known = self.known(now);
            let known = known.entry((bucket.kind, bucket.whose.clone())).or_default();
            (known.ask(bucket, now), known.full_at)
        };
        let Some(mut wanted) = wanted else { return Ok(None) };
        let (key, quota) = ([bucket.kind, bucket.whose.as_str()], &bucket.quota);
        let mut taken = counters.take(&key, quota, wanted, last, now).await?;
        if let Taken::Refused(full_at) = taken
            && wanted > 1
            && quota.wait(full_at, now).is_zero()
        {
            wanted = 1;
            taken = counters.take(&key, quota, wanted, Some(full_at), now).await?;
        }
        let mut known = self.known(now);
        let known = known.entry((bucket.kind, bucket.whose.clone())).or_default();
        match taken {
            Taken::Ours(full_at) => {
                known.full_at = Some(full_at);
                known.held = known.held.saturating_add(wanted - 1);
                Ok(None)
            }
            Taken::Refused(full_at) => {
                known.full_at = Some(full_at);
                let wait = quota.wait(full_at, now);
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Ok(Some(Wait {
                    kind: bucket.kind,
                    seconds: u32::try_from(seconds.max(1)).unwrap_or(u32::MAX),
                }))
            }
        }
    }

    fn known(&self, now: Timestamp) -> MutexGuard<'_, HashMap<(&'static str, String), Known>> {
        // A count that is off by one request is harmless.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.retain(|_, bucket| bucket.full_at.is_some_and(|full_at| full_at > now));
            if known.len() >= MAX_REMEMBERED {
                known.clear();
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::limits;
    use super::*;
    use jiff::SignedDuration;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn busy_process_takes_several_tokens_at_once() {
        let bucket = Bucket::of("tenant", &["t"], limits().tenant).shared();
        let mut known = Known::default();
        let wanted: Vec<Option<u32>> = (0..30).map(|_| known.ask(&bucket, NOON)).collect();
        assert!(wanted.iter().all(|value| *value == Some(1)), "nothing is known yet");
        let next = NOON + SignedDuration::from_secs(1);
        assert_eq!(known.ask(&bucket, next), Some(10));
        known.held += 9;
        assert_eq!((known.ask(&bucket, next), known.held), (None, 8));
        let later = next + SignedDuration::from_secs(1);
        assert_eq!(
            (known.ask(&bucket, later), known.held),
            (Some(2), 0),
            "tokens of an earlier second are gone"
        );
        let own = Bucket::of("user", &["t", "u"], limits().user);
        assert_eq!(known.ask(&own, later + SignedDuration::from_secs(1)), Some(1), "one caller's own");
    }
}
