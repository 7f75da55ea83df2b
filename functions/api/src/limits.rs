//! Rate limits of callers and tenants: token buckets in the counters table.
//!
//! Every request takes a token of its caller and one of its tenant. Tickets, retries and pings have
//! tighter limits of their own instead. The two tokens are taken in parallel, so a request waits for one
//! call only. A process with many requests of a tenant takes several of the tenant's tokens in one
//! write.
//!
//! When the table does not answer, ordinary requests are accepted. Tickets, retries and pings are
//! refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::delivery::rate_limit::Quota;
use runtime::{Env, Error};
use sha2::{Digest as _, Sha256};

use crate::caller::{Caller, Scope};
use crate::problem::Problem;
use crate::request::Request;
use crate::router::Operation;

mod gate;

pub(crate) use gate::Gate;

/// The placeholder for a missing tenant in a bucket's name.
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
    /// Reads the limits.
    ///
    /// # Errors
    /// A variable is not a limit. A missing variable means the default.
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

/// The kind of load that a request causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Call,
    Ticket,
    /// A request to an endpoint on the Internet.
    Ping,
    /// A repeated send.
    Retry,
}

fn load(operation: Operation) -> Load {
    match operation {
        Operation::IssueTicket => Load::Ticket,
        Operation::PingEndpoint | Operation::VerifyEndpoint => Load::Ping,
        Operation::Retry | Operation::RetryMessage | Operation::RecoverMessages => Load::Retry,
        Operation::ListRecipients
        | Operation::LookUpRecipients
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
        | Operation::CloseSockets
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

/// A bucket from which a request takes a token.
#[derive(Debug, Clone, PartialEq)]
struct Bucket {
    kind: &'static str,
    /// A hash, because user ids and role names should not appear in keys.
    whose: String,
    quota: Quota,
    /// Whether many callers share the bucket, so that a process takes several tokens at once.
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

/// The buckets of a request, at most two.
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
        (Caller::Person(person), Load::Ticket) => {
            Bucket::of("ticket", &[&person.tenant, &person.user], limits.tickets)
        }
        (Caller::Person(person), Load::Call | Load::Ping | Load::Retry) => {
            Bucket::of("user", &[&person.tenant, &person.user], limits.user)
        }
        (Caller::Program(_), _) => Bucket::of("program", &[arn], limits.program),
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

/// The name of a program: its ARN without the session name, which the program chooses.
fn program(request: &Request) -> String {
    let iam = request.authorizer().and_then(|authorizer| authorizer.iam.as_ref());
    let arn = iam.and_then(|iam| iam.user_arn.as_deref()).unwrap_or_default();
    match arn.rsplit_once('/') {
        Some((role, _session)) if arn.contains(":assumed-role/") => role.to_owned(),
        Some(_) | None => arn.to_owned(),
    }
}

/// An empty bucket, and the seconds until its next token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    kind: &'static str,
    seconds: u32,
}

/// The problem for the longer of two waits.
fn refusal(one: Option<Wait>, other: Option<Wait>) -> Option<Problem> {
    let Wait { kind, seconds } = one.into_iter().chain(other).max_by_key(|wait| wait.seconds)?;
    tracing::info!(limit = kind, seconds, code = "API_RATE_LIMITED", "request refused: rate limit exceeded");
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
