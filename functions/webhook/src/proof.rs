//! Checks the answer to a challenge.

use domain::Timestamp;
use domain::base::outcome::Reason;
use domain::delivery::job::{Job, Webhook};
use domain::webhook::endpoint::attempt::Next;
use domain::webhook::endpoint::challenge::{self, VERIFY};
use store::{Endpoints, Sending};

use crate::sender::is_ping;
use https::Reply;

/// The reason of a failed challenge, for the attempt log and the ledger.
pub(crate) const NOT_MET: &str = "the answer is not the challenge";

/// Whether a request is a challenge. Its answer is not stored, because it may contain the challenge. A
/// reader of the attempt log could otherwise verify a server that they do not control.
pub(crate) fn is_challenge(job: &Job, webhook: &Webhook) -> bool {
    is_ping(webhook) && job.event.kind == VERIFY
}

/// Verifies the endpoint if its answer meets the challenge.
///
/// # Errors
/// The verification was not stored, and the challenge must be sent again.
pub(crate) async fn judge(
    endpoints: &Endpoints,
    webhook: &Webhook,
    found: &Sending,
    reply: &Reply,
    now: Timestamp,
) -> Result<Next, aws::CallError> {
    if !reply.answer.is_success() || found.endpoint.unverified.is_none() {
        return Ok(if reply.answer.is_success() { Next::Delivered } else { Next::Never(Reason::Rejected) });
    }
    let challenge = reply.challenge.as_ref().map(|text| text.expose().as_str());
    let answer = challenge::answer(challenge, reply.response.as_ref().map(|text| text.expose().as_str()));
    let met = match (&found.challenge, answer) {
        (Some(sent), Some(text)) if sent.is_met_by(&text, now) => endpoints.verify(&webhook.to, sent).await?,
        (Some(_) | None, _) => false,
    };
    if !met {
        return Ok(Next::Never(Reason::Rejected));
    }
    tracing::info!(code = "WEBHOOK_VERIFIED", "webhook endpoint verified: messages are sent from now on");
    Ok(Next::Delivered)
}
