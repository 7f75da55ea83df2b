//! How fast callers and tenants may ask: token buckets in the counters table.
//!
//! Every request takes a token of its caller and one of its tenant. Tickets, retries and pings have tighter limits of
//! their own instead. The two tokens of a request are taken at the same time, so that a request waits for one call more.
//! A process that answers many requests of a tenant takes several of the tenant's tokens by one write.
//!
//! When the table does not answer, requests that send nothing pass, and tickets, retries and pings are refused.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws::Refused;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::quota::Quota;
use runtime::{Env, Error, chain};
use sha2::{Digest as _, Sha256};
use store::{Counters, Taken};

use crate::Asked;
use crate::caller::{Caller, Scope};
use crate::problem::Problem;
use crate::request::Request;
use crate::router::Operation;

/// The most tokens that a process takes ahead by one write, and for how much of a burst.
const MAX_SLICE: u32 = 10;
const BURST_PART: u32 = 10;

/// How many buckets a process remembers.
const MAX_REMEMBERED: usize = 10_000;

/// What stands for no tenant in a bucket's name.
const NO_TENANT: &str = "-";

/// The limits of the deployment, each as `<rate>/s:<burst>` or `<rate>/min:<burst>`.
#[derive(Debug, Clone)]
pub struct Limits {
    tenant: Quota,
    user: Quota,
    program: Quota,
    tickets: Quota,
    pings: Quota,
    tenant_pings: Quota,
    retries: Quota,
}

impl Limits {
    /// # Errors
    /// A variable is no limit. One that is not set has its default.
    pub fn from_env(env: &Env) -> Result<Limits, Error> {
        let read = |name: &str, default: &str| {
            let text = env.optional(name).unwrap_or_else(|| default.to_owned());
            Quota::parse(&text).map_err(|error| Error::from(format!("{name}: {error}")))
        };
        Ok(Limits {
            tenant: read("LIMIT_TENANT", "50/s:200")?,
            user: read("LIMIT_USER", "10/s:50")?,
            program: read("LIMIT_PROGRAM", "400/s:800")?,
            tickets: read("LIMIT_TICKETS", "1/s:10")?,
            pings: read("LIMIT_PINGS", "6/min:3")?,
            tenant_pings: read("LIMIT_TENANT_PINGS", "10/min:10")?,
            retries: read("LIMIT_RETRIES", "10/s:20")?,
        })
    }
}

/// What a request costs, beside the work of answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Call,
    Ticket,
    /// A request to an endpoint that may be anybody's.
    Ping,
    /// Something is sent a second time.
    Retry,
}

fn load(operation: Operation) -> Load {
    match operation {
        Operation::IssueTicket => Load::Ticket,
        Operation::PingEndpoint | Operation::VerifyEndpoint => Load::Ping,
        Operation::Retry | Operation::RetryMessage | Operation::RecoverMessages => Load::Retry,
        Operation::ListRecipients
        | Operation::GetRecipient
        | Operation::PutRecipient
        | Operation::PatchRecipient
        | Operation::DeleteRecipient
        | Operation::ListDevices
        | Operation::PutDevice
        | Operation::DeleteDevice
        | Operation::ListInbox
        | Operation::CountInbox
        | Operation::MarkInbox
        | Operation::ListReceived
        | Operation::GetPreferences
        | Operation::PutPreferences
        | Operation::PatchPreferences
        | Operation::GetTenant
        | Operation::PutTenant
        | Operation::Publish
        | Operation::ListDeliveries
        | Operation::ListEndpoints
        | Operation::GetEndpoint
        | Operation::PutEndpoint
        | Operation::DeleteEndpoint
        | Operation::RotateSecret
        | Operation::EnableEndpoint
        | Operation::DisableEndpoint
        | Operation::ListAttempts => Load::Call,
    }
}

/// A bucket that a request takes a token of.
#[derive(Debug, Clone, PartialEq)]
struct Bucket {
    kind: &'static str,
    /// Hashed: a user's id and a role's name need not stand in a key.
    whose: String,
    quota: Quota,
    /// Whether many callers share it, so that a process takes several tokens at once.
    shared: bool,
}

impl Bucket {
    fn of(kind: &'static str, whose: &[&str], quota: Quota) -> Bucket {
        let mut hash = Sha256::new();
        for part in whose {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let whose = URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]);
        Bucket { kind, whose, quota, shared: false }
    }

    fn shared(self) -> Bucket {
        Bucket { shared: true, ..self }
    }
}

/// The buckets of a request: two at most.
fn buckets(
    limits: &Limits,
    operation: Operation,
    caller: &Caller,
    scope: &Scope,
    arn: &str,
    endpoint: Option<&str>,
) -> Vec<Bucket> {
    let load = load(operation);
    let tenant = scope.tenant().unwrap_or(NO_TENANT);
    if load == Load::Ping {
        return pings(limits, tenant, endpoint.unwrap_or_default()).into();
    }
    let own = match (caller, load) {
        (Caller::Person(it), Load::Ticket) => Bucket::of("ticket", &[&it.tenant, &it.user], limits.tickets),
        (Caller::Person(it), Load::Call | Load::Ping | Load::Retry) => {
            Bucket::of("user", &[&it.tenant, &it.user], limits.user)
        }
        (Caller::Program, _) => Bucket::of("program", &[arn], limits.program),
    };
    match (load, scope) {
        (Load::Retry, _) => vec![own, Bucket::of("retry", &[tenant], limits.retries)],
        (Load::Call | Load::Ticket | Load::Ping, Scope::Tenant(_)) => {
            vec![own, Bucket::of("tenant", &[tenant], limits.tenant).shared()]
        }
        (Load::Call | Load::Ticket | Load::Ping, Scope::All) => vec![own],
    }
}

fn pings(limits: &Limits, tenant: &str, endpoint: &str) -> [Bucket; 2] {
    [
        Bucket::of("ping", &[tenant, endpoint], limits.pings),
        Bucket::of("ping-tenant", &[tenant], limits.tenant_pings),
    ]
}

/// The name of a program: its ARN without the session, which it chooses for itself.
fn program(request: &Request) -> String {
    let iam = request.authorizer().and_then(|it| it.iam.as_ref());
    let arn = iam.and_then(|it| it.user_arn.as_deref()).unwrap_or_default();
    match arn.rsplit_once('/') {
        Some((role, _session)) if arn.contains(":assumed-role/") => role.to_owned(),
        Some(_) | None => arn.to_owned(),
    }
}

/// Lets requests through as fast as the limits allow.
pub(crate) struct Gate {
    limits: Limits,
    known: Mutex<HashMap<(&'static str, String), Known>>,
}

/// What a process knows of a bucket.
#[derive(Debug, Clone, Default)]
struct Known {
    full_at: Option<Timestamp>,
    /// Tokens that were taken ahead, for this second.
    held: u32,
    second: i64,
    /// Requests in this second, and in the last one in which there were any.
    asked: u32,
    before: u32,
}

impl Known {
    /// The number of tokens to take from the table. `None`: there was one at hand.
    fn ask(&mut self, bucket: &Bucket, now: Timestamp) -> Option<u32> {
        let second = now.as_second();
        if self.second != second {
            (self.before, self.asked, self.held, self.second) = (self.asked, 0, 0, second);
        }
        self.asked = self.asked.saturating_add(1);
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
    /// 429: there is none; `Retry-After` says when to ask again. 503: the table does not answer, and the request would
    /// send something.
    pub(crate) async fn admit(
        &self,
        counters: &Counters,
        operation: Operation,
        asked: &Asked<'_>,
    ) -> Result<(), Problem> {
        let (caller, scope, first) =
            (asked.caller, asked.scope, asked.parameters.first().map(String::as_str));
        let buckets = buckets(&self.limits, operation, caller, scope, &program(asked.request), first);
        match self.take_all(counters, &buckets, asked.now).await {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(problem),
            Err(refused) if load(operation) == Load::Call => {
                tracing::warn!(
                    error = chain(&refused),
                    code = "API_LIMIT_UNKNOWN",
                    "limits cannot be looked up; the request passes"
                );
                Ok(())
            }
            Err(refused) => Err(refused.into()),
        }
    }

    /// Whether an endpoint may be sent a request now that nobody asked for in so many words.
    ///
    /// # Errors
    /// The table could not be asked: then nothing is to be sent.
    pub(crate) async fn may_ping(
        &self,
        counters: &Counters,
        scope: &Scope,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<bool, Refused> {
        let buckets = pings(&self.limits, scope.tenant().unwrap_or(NO_TENANT), endpoint);
        Ok(self.take_all(counters, &buckets, now).await?.is_none())
    }

    async fn take_all(
        &self,
        counters: &Counters,
        buckets: &[Bucket],
        now: Timestamp,
    ) -> Result<Option<Problem>, Refused> {
        let (one, other) = match buckets {
            [one, other] => tokio::join!(self.take(counters, one, now), self.take(counters, other, now)),
            [one] => (self.take(counters, one, now).await, Ok(None)),
            [] | [_, _, _, ..] => (Ok(None), Ok(None)),
        };
        Ok(refusal(one?, other?))
    }

    /// `None`: the token is there.
    async fn take(
        &self,
        counters: &Counters,
        bucket: &Bucket,
        now: Timestamp,
    ) -> Result<Option<Wait>, Refused> {
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
        // A count that is off by one request does no harm.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.retain(|_, it| it.full_at.is_some_and(|full_at| full_at > now));
            if known.len() >= MAX_REMEMBERED {
                known.clear();
            }
        }
        known
    }
}

/// A bucket that has no token, and in how many seconds there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    kind: &'static str,
    seconds: u32,
}

/// The longer of two waits, as the caller reads it.
fn refusal(one: Option<Wait>, other: Option<Wait>) -> Option<Problem> {
    let Wait { kind, seconds } = one.into_iter().chain(other).max_by_key(|it| it.seconds)?;
    tracing::info!(
        limit = kind,
        seconds,
        code = "API_RATE_LIMITED",
        "request is over a limit; it is refused"
    );
    let whose = match kind {
        "tenant" => "requests of this tenant",
        "ticket" => "tickets of this user",
        "ping" => "pings and challenges of this endpoint",
        "ping-tenant" => "pings and challenges of this tenant",
        "retry" => "retries of this tenant",
        _ => "requests of this caller",
    };
    let detail = format!("too many {whose}; ask again in {seconds} s");
    Some(Problem::new(429, "rate_limited", detail).after(seconds))
}

#[cfg(test)]
mod tests;
