//! Idempotent requests: with an `Idempotency-Key`, a repeated request gets the first answer again.
//!
//! The key is scoped to a tenant, a method and a path. The first request holds the key until its answer
//! is stored. The same key with another body is refused. Answers that ask for a retry are never stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use jiff::SignedDuration;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Counters, Once, RequestClaim};

use crate::caller::{Caller, Scope};
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// How long an answer is kept, in seconds: default, minimum and maximum.
const KEPT: i64 = 24 * 3_600;
const SHORTEST: i64 = 3_600;
const LONGEST: i64 = 365 * 24 * 3_600;

/// The longest duration of a request: the function's 30 s with a margin.
const LEASE: SignedDuration = SignedDuration::from_secs(35);

/// A request with an idempotency key.
pub(crate) struct IdempotentRequest {
    scope: Vec<String>,
    body: String,
    holder: String,
    lease_until: Timestamp,
    expires_at: Timestamp,
}

/// The result of the look-up.
pub(crate) enum Found {
    /// The request is new and must be handled.
    New,
    Answered(Response),
}

impl IdempotentRequest {
    /// Reads the key of a request. `None` if there is none.
    ///
    /// # Errors
    /// 400: the key or the time is malformed. 413: the body is too large.
    pub(crate) fn of(
        request: &Request,
        caller: &Caller,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Option<IdempotentRequest>, Problem> {
        let Some(key) = request.header("idempotency-key") else { return Ok(None) };
        let bad = |detail: String| Err(Problem::new(400, "bad_idempotency", detail));
        if key.is_empty() || key.len() > MAX_KEY_BYTES || key.chars().any(char::is_control) {
            return bad(format!("Idempotency-Key: wanted 1 to {MAX_KEY_BYTES} printable bytes"));
        }
        let kept = match request.header("idempotency-expiry").map(str::parse) {
            None => KEPT,
            Some(Ok(seconds)) if (SHORTEST..=LONGEST).contains(&seconds) => seconds,
            Some(_) => return bad(format!("Idempotency-Expiry: wanted {SHORTEST} to {LONGEST} seconds")),
        };
        let whose = match caller {
            Caller::Program(_) => "program",
            Caller::Person(person) if person.is_admin => "admin",
            Caller::Person(person) => &person.user,
        };
        let kind = if caller.member().is_some() { "member" } else { "all" };
        let tenant =
            [if scope.tenant().is_some() { "tenant" } else { "none" }, scope.tenant().unwrap_or("-")];
        let path = request.path().join("/");
        let scope = [&tenant[..], &[kind, whose, request.method(), &path, key]].concat();
        Ok(Some(IdempotentRequest {
            scope: scope.into_iter().map(str::to_owned).collect(),
            body: fingerprint(request)?,
            holder: request.id().to_owned(),
            lease_until: now + LEASE,
            expires_at: now + SignedDuration::from_secs(kept),
        }))
    }

    /// A name that is the same for every repeat of the request.
    pub(crate) fn name(&self) -> String {
        let mut hash = Sha256::new();
        for part in &self.scope {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
    }

    /// Looks up the key, and holds it if it is new.
    ///
    /// # Errors
    /// 409: the first request is in progress. 422: the key was used with another body. 503: the table
    /// was not read.
    pub(crate) async fn begin(&self, counters: &Counters, now: Timestamp) -> Result<Found, Problem> {
        let scope: Vec<&str> = self.scope.iter().map(String::as_str).collect();
        match counters.begin(&self.once(&scope), now).await? {
            RequestClaim::Ours => Ok(Found::New),
            RequestClaim::Running => {
                let detail = "a request with this Idempotency-Key is under way; ask again";
                Err(Problem::new(409, "in_progress", detail).after(1))
            }
            RequestClaim::Other => {
                let detail = "this Idempotency-Key was used with another body; make a new one";
                Err(Problem::new(422, "idempotency_key_reused", detail))
            }
            RequestClaim::Done { status, body } => {
                let kind = if status < 300 { "application/json" } else { "application/problem+json" };
                let response = Response::text(status, kind, body);
                Ok(Found::Answered(response.with("idempotent-replayed", "true".to_owned())))
            }
        }
    }

    /// Stores the answer, or releases the key if the answer must not be stored. A failed write leaves
    /// the key held for a while, which is harmless. The failure is logged, and the answer is sent.
    pub(crate) async fn end(&self, counters: &Counters, response: &Response) {
        let scope: Vec<&str> = self.scope.iter().map(String::as_str).collect();
        let once = self.once(&scope);
        let written = match response.status_code {
            200..=299 | 400 | 422 => {
                counters.finish(&once, response.status_code, response.body.expose()).await.map(drop)
            }
            _ => counters.release(&once).await,
        };
        if let Err(refused) = written {
            tracing::warn!(
                code = "API_IDEMPOTENCY_NOT_STORED",
                error = runtime::chain(&refused),
                "idempotent response not stored: a repeated request is refused until the lease ends"
            );
        }
    }

    fn once<'a>(&'a self, scope: &'a [&'a str]) -> Once<'a> {
        Once {
            scope: scope.into(),
            body: &self.body,
            holder: &self.holder,
            lease_until: self.lease_until,
            expires_at: self.expires_at,
        }
    }
}

/// The SHA-256 of a request: its query, the CloudEvents attributes in its headers, and its body without
/// whitespace and with sorted members.
fn fingerprint(request: &Request) -> Result<String, Problem> {
    let body = request.body()?;
    let canonical = match serde_json::from_str::<Value>(&body) {
        Ok(mut value) => {
            value.sort_all_objects();
            value.to_string()
        }
        Err(_) => body,
    };
    let mut hash = Sha256::new();
    for (name, value) in request.queries() {
        hash.update(format!("{}:{name}{}:{value}", name.len(), value.len()));
    }
    for (name, value) in request.headers_after("ce-") {
        hash.update(format!("{}:ce-{name}{}:{value}", name.len(), value.len()));
    }
    hash.update([0]);
    hash.update(canonical);
    Ok(URL_SAFE_NO_PAD.encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::read as request;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn bodies_that_say_the_same_are_the_same() {
        let of = |body: &str| keyed(&json!({ "idempotency-key": "k" }), body).unwrap().unwrap().body;
        assert_eq!(of(r#"{"a":1,"b":[2]}"#), of("{ \"b\": [2],\n \"a\": 1 }"));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
        assert_ne!(of("{"), of("{{"));
    }

    #[test]
    fn attributes_in_headers_are_part_of_the_fingerprint() {
        let of =
            |id: &str| keyed(&json!({ "idempotency-key": "k", "ce-id": id }), "{}").unwrap().unwrap().body;
        assert_eq!(of("1"), of("1"));
        assert_ne!(of("1"), of("2"));
    }

    #[test]
    fn a_key_belongs_to_its_tenant_and_member() {
        let of = |caller: &Caller, tenant: &str| {
            let request = call(&json!({ "idempotency-key": "k" }), "{}");
            let scope = Scope::Tenant(tenant.into());
            IdempotentRequest::of(&request, caller, &scope, NOW).unwrap().unwrap().name()
        };
        let names = [
            of(&Caller::Program("arn".into()), "clinic-7"),
            of(&Caller::Program("arn".into()), "clinic-8"),
            of(&person("ann", false), "clinic-7"),
            of(&person("ben", false), "clinic-7"),
            of(&person("ann", true), "clinic-7"),
        ];
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{at}");
        }
        assert_eq!(of(&person("ann", true), "clinic-7"), of(&person("ben", true), "clinic-7"));
    }

    #[test]
    fn a_key_has_a_length_and_an_answer_is_kept_between_an_hour_and_a_year() {
        let until = |headers: Value| {
            keyed(&headers, "").map(|item| item.map(|value| value.expires_at.as_second() - 1_795_000_000))
        };
        assert_eq!(until(json!({})), Ok(None));
        assert_eq!(until(json!({ "idempotency-key": "k" })), Ok(Some(86_400)));
        assert_eq!(until(json!({ "idempotency-key": "k", "idempotency-expiry": "3600" })), Ok(Some(3_600)));
        for (name, value) in [
            ("idempotency-key", "x".repeat(256)),
            ("idempotency-key", String::new()),
            ("idempotency-expiry", "3599".to_owned()),
            ("idempotency-expiry", "31536001".to_owned()),
            ("idempotency-expiry", "day".to_owned()),
        ] {
            let mut headers = json!({ "idempotency-key": "k" });
            headers[name] = value.into();
            assert_eq!(until(headers).unwrap_err().status, 400);
        }
    }

    fn keyed(headers: &Value, body: &str) -> Result<Option<IdempotentRequest>, Problem> {
        IdempotentRequest::of(&call(headers, body), &Caller::Program("arn".into()), &Scope::All, NOW)
    }

    fn call(headers: &Value, body: &str) -> Request {
        request(&json!({
            "rawPath": "/v1/events", "headers": headers, "body": body,
            "requestContext": { "requestId": "r", "http": { "method": "POST" } },
        }))
    }

    fn person(user: &str, is_admin: bool) -> Caller {
        let (user, tenant) = (user.to_owned(), "clinic-7".to_owned());
        Caller::Person(crate::caller::Person { user, tenant, is_admin, rooms: Vec::new() })
    }
}
