//! What an endpoint was asked, and what it is to be asked by hand: a ping, one message again, all that were lost.
//!
//! Nothing is sent from here. Each is a job of a key of its own in the queue for webhooks; the answers are among the
//! endpoint's attempts a moment later.

use std::time::Duration;

use domain::Timestamp;
use domain::endpoint::{Endpoint, by_hand};
use domain::job::Job;
use domain::key::Key;
use queue::Outgoing;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::page::Page;
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::tickets::chance;
use crate::{Api, Asked};

pub(crate) const SOURCE: &str = domain::producers::API_SOURCE;

/// So many lost messages are looked at in one call to the table, and sent at most by one request: it has 30 seconds.
const AT_ONCE: u32 = 100;
const MOST: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovery {
    /// What first failed then or later.
    since: Timestamp,
    /// They are counted, and not sent.
    #[serde(default)]
    dry_run: bool,
}

impl Api {
    pub(crate) async fn ping_endpoint(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let endpoint = self.endpoint(&asked.endpoint()?).await?;
        let job = by_hand::ping(&endpoint.id, SOURCE, &asked.nonce()?, asked.now);
        let message = job.key.clone();
        self.queue_jobs(&[job]).await?;
        Ok(Response::json(202, &json!({ "message": message })))
    }

    /// The newest first, with what was answered.
    pub(crate) async fn list_attempts(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let id = asked.endpoint()?;
        let page = Page::of(asked.request, asked.scope, &["attempts", &id.id])?;
        self.endpoint(&id).await?;
        let found = self.endpoints.attempts_page(&id, page.after.as_deref(), page.limit).await?;
        Ok(Response::json(200, &json!({ "attempts": found.attempts, "next": page.next(found.next) })))
    }

    /// Sends one message again that did not arrive: one attempt, now.
    pub(crate) async fn retry_message(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let endpoint = self.endpoint(&asked.endpoint()?).await?;
        is_on(&endpoint)?;
        let gone = || {
            let detail = "this message has arrived, has never failed, or is not kept any more";
            Problem::new(404, "no_message", detail)
        };
        let message = Key::parse(asked.parameter(1)).ok_or_else(gone)?;
        let lost = self.endpoints.undelivered(&endpoint.id, &message).await?.ok_or_else(gone)?;
        let job = by_hand::again(lost.job, &asked.nonce()?).ok_or_else(gone)?;
        self.queue_jobs(&[job]).await?;
        Ok(Response::json(202, &json!({ "message": message })))
    }

    /// Sends everything again that failed since a time and never arrived: 1,000 messages, and then where to go on.
    pub(crate) async fn recover_messages(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let id = asked.endpoint()?;
        let Recovery { since, dry_run } = recovery(asked)?;
        let page = Page::of(asked.request, asked.scope, &["recover", &id.id, &since.to_string()])?;
        let after = page.after.as_deref().map(|it| Key::parse(it).ok_or_else(Problem::bad_cursor));
        let mut next = after.transpose()?;
        let endpoint = self.endpoint(&id).await?;
        if !dry_run {
            is_on(&endpoint)?;
        }
        let (nonce, mut count) = (asked.nonce()?, 0);
        loop {
            let (lost, more) = self.endpoints.lost(&id, since, next.as_ref(), AT_ONCE).await?;
            let jobs: Vec<Job> = lost.into_iter().filter_map(|it| by_hand::again(it.job, &nonce)).collect();
            count += jobs.len();
            if !dry_run {
                self.queue_jobs(&jobs).await?;
            }
            next = more;
            if next.is_none() || count + AT_ONCE as usize > MOST {
                break;
            }
        }
        let next = page.next(next.map(|it| it.as_str().to_owned()));
        let status = if dry_run { 200 } else { 202 };
        Ok(Response::json(status, &json!({ "messages": count, "sent": !dry_run, "next": next })))
    }

    pub(crate) async fn queue_jobs(&self, jobs: &[Job]) -> Result<(), Problem> {
        let messages: Vec<Outgoing> = jobs
            .iter()
            .map(|job| Outgoing {
                body: serde_json::to_string(job).expect("a job is strings, numbers and JSON text"),
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

impl Asked<'_> {
    /// What keeps this request apart from every other, and is the same for it when it is asked again.
    pub(crate) fn nonce(&self) -> Result<String, Problem> {
        match &self.name {
            Some(name) => Ok(name.clone()),
            None => chance(),
        }
    }
}

/// Whether messages may be sent to an endpoint: its owner has proved control, and nobody has switched it off.
fn is_on(endpoint: &Endpoint) -> Result<(), Problem> {
    if endpoint.unverified.is_some() {
        let detail =
            "the endpoint's owner has not proved control of it; POST /v1/endpoints/{id}/verify first";
        return Err(Problem::new(409, "unverified", detail));
    }
    match &endpoint.disabled {
        None => Ok(()),
        Some(off) => {
            let detail = format!("the endpoint is switched off: {}; enable it first", off.why.meaning());
            Err(Problem::new(409, "switched_off", detail))
        }
    }
}

fn recovery(asked: &Asked<'_>) -> Result<Recovery, Problem> {
    let body = asked.request.object()?;
    let recovery: Recovery = serde_json::from_value(Value::Object(body)).map_err(|_| {
        let wanted = "{since: a time such as 2026-11-20T00:00:00Z, dry_run: true or false}";
        Problem::refused("body", "an object of another shape", wanted)
    })?;
    if !by_hand::is_recoverable(recovery.since, asked.now) {
        return Err(Problem::refused("since", "a time more than 14 days ago", "a later one"));
    }
    Ok(recovery)
}
