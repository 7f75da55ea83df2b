//! The attempts of an endpoint, and manual sends: a ping, one message again, or all undelivered
//! messages.
//!
//! The API sends no message itself. Pings and failed messages become jobs with their own keys in the
//! webhook queue. An event that was never sent to the endpoint goes to dispatch, for this endpoint only.
//! The answers appear among the endpoint's attempts a moment later.

use std::time::Duration;

use domain::Timestamp;
use domain::decide::continuation::Continuation;
use domain::delivery::job::Job;
use domain::delivery::manual;
use domain::event::key::Key;
use domain::webhook::endpoint::Endpoint;
use queue::Outgoing;
use serde::Deserialize;
use serde_json::{Value, json};
use store::RecoveryPlace;

use crate::page::Page;
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::tickets::chance;
use crate::{Api, ApiCall};

pub(crate) const SOURCE: &str = domain::event::own_events::API_SOURCE;

/// The number of rows that one call to a table reads, and the most messages of one request. A request
/// has 30 seconds.
const AT_ONCE: u32 = 100;
const MOST: usize = 1_000;

/// The most table calls of one request. An endpoint can have many rows that need no send.
const MOST_PARTS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovery {
    /// Failures and omissions since this time are sent again.
    since: Timestamp,
    /// Counts the messages without sending them.
    #[serde(default)]
    dry_run: bool,
}

impl Api {
    pub(crate) async fn ping_endpoint(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let endpoint = self.endpoint(&call.endpoint()?).await?;
        let job = manual::ping(&endpoint.id, SOURCE, &call.nonce()?, call.now);
        let message = job.key.clone();
        self.queue_jobs(&[job]).await?;
        Ok(Response::json(202, &json!({ "message": message })))
    }

    /// Lists the attempts with their answers, the newest first.
    pub(crate) async fn list_attempts(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.endpoint()?;
        let page = Page::of(call.request, call.scope, &["attempts", &id.id])?;
        self.endpoint(&id).await?;
        let found = self.endpoints.attempts_page(&id, page.after.as_deref(), page.limit).await?;
        Ok(Response::json(200, &json!({ "attempts": found.attempts, "next": page.next(found.next) })))
    }

    /// Sends one failed message again, in a single attempt now. An event that was not sent because of
    /// the endpoint's state is decided again.
    pub(crate) async fn retry_message(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let endpoint = self.endpoint(&call.endpoint()?).await?;
        is_on(&endpoint)?;
        let gone = || {
            let detail = "no message of this id has failed, or was missed, and is still kept";
            Problem::new(404, "no_message", detail)
        };
        let message = Key::parse(call.parameter(1)).ok_or_else(gone)?;
        if let Some(lost) = self.endpoints.undelivered(&endpoint.id, &message).await? {
            let job = manual::again(lost.job, &call.nonce()?).ok_or_else(gone)?;
            self.queue_jobs(&[job]).await?;
        } else {
            let continuation = self.recovery().one(&endpoint, &message).await?.ok_or_else(gone)?;
            self.queue_wakes(&[(continuation, endpoint.id.tenant.clone())]).await?;
        }
        Ok(Response::json(202, &json!({ "message": message })))
    }

    /// Sends all undelivered messages since a time: failed ones, and events not sent because of the
    /// endpoint's state. Handles up to 1,000 and returns a cursor for the rest.
    pub(crate) async fn recover_messages(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.endpoint()?;
        let Recovery { since, dry_run } = recovery(call)?;
        let page = Page::of(call.request, call.scope, &["recover", &id.id, &since.to_string()])?;
        let after =
            page.after.as_deref().map(|after| RecoveryPlace::parse(after).ok_or_else(Problem::bad_cursor));
        let mut next = after.transpose()?;
        let endpoint = self.endpoint(&id).await?;
        if !dry_run {
            is_on(&endpoint)?;
        }
        let (reader, mut messages, mut events, mut lost) = (self.recovery(), 0, 0, 0);
        for _ in 0..MOST_PARTS {
            let part = reader.part(&endpoint, since, next.as_ref(), AT_ONCE, call.now).await?;
            messages += part.jobs.len();
            events += part.continuations.len();
            lost += part.lost;
            if !dry_run {
                self.queue_jobs(&part.jobs).await?;
                self.queue_wakes(&part.continuations).await?;
            }
            next = part.next;
            if next.is_none() || messages + events + AT_ONCE as usize > MOST {
                break;
            }
        }
        let next = page.next(next.map(|next| next.to_text()));
        let status = if dry_run { 200 } else { 202 };
        let body =
            json!({ "messages": messages, "events": events, "lost": lost, "sent": !dry_run, "next": next });
        Ok(Response::json(status, &body))
    }

    fn recovery(&self) -> store::Recovery<'_> {
        store::Recovery { endpoints: &self.endpoints, ledger: &self.ledger, events: &self.events }
    }

    async fn queue_wakes(&self, continuations: &[(Continuation, Option<String>)]) -> Result<(), Problem> {
        let messages = continuations.iter().map(|(continuation, tenant)| Outgoing {
            body: continuation.to_json().into(),
            tenant: tenant.clone(),
            delay: Duration::ZERO,
        });
        for sent in self.dispatch.send(&messages.collect::<Vec<_>>()).await {
            sent?;
        }
        Ok(())
    }

    pub(crate) async fn queue_jobs(&self, jobs: &[Job]) -> Result<(), Problem> {
        let messages: Vec<Outgoing> = jobs
            .iter()
            .map(|job| Outgoing {
                body: serde_json::to_string(job).expect("a job is strings, numbers and JSON text").into(),
                tenant: job.event.tenant.clone(),
                delay: Duration::ZERO,
            })
            .collect();
        for sent in self.webhooks.send(&messages).await {
            sent?;
        }
        Ok(())
    }
}

impl ApiCall<'_> {
    /// A nonce that differs between requests and is the same for a repeated request.
    pub(crate) fn nonce(&self) -> Result<String, Problem> {
        match &self.name {
            Some(name) => Ok(name.clone()),
            None => chance(),
        }
    }
}

/// Checks that messages may be sent to an endpoint: it is verified and enabled.
fn is_on(endpoint: &Endpoint) -> Result<(), Problem> {
    if endpoint.unverified.is_some() {
        let detail = "the endpoint is not verified; POST /v1/endpoints/{id}/verify first";
        return Err(Problem::new(409, "unverified", detail));
    }
    match &endpoint.disabled {
        None => Ok(()),
        Some(off) => {
            let detail = format!("the endpoint is switched off: {}; enable it first", off.why.meaning());
            Err(Problem::new(409, "endpoint_disabled", detail))
        }
    }
}

fn recovery(call: &ApiCall<'_>) -> Result<Recovery, Problem> {
    let body = call.request.object()?;
    let recovery: Recovery = serde_json::from_value(Value::Object(body)).map_err(|_| {
        let wanted = "{since: a time such as 2026-11-20T00:00:00Z, dry_run: true or false}";
        Problem::refused("body", "an object of another shape", wanted)
    })?;
    if !manual::is_recoverable(recovery.since, call.now) {
        return Err(Problem::refused("since", "a time more than 14 days ago", "a later one"));
    }
    Ok(recovery)
}
