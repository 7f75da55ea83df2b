//! What the answer to a challenge proves.

use domain::Timestamp;
use domain::endpoint::attempt::Next;
use domain::endpoint::challenge::{self, VERIFY};
use domain::job::{Job, Webhook};
use domain::outcome::Reason;
use store::{Endpoints, Sending};

use crate::courier::is_ping;
use https::Reply;

/// Why a challenge is not met, for the attempt and the ledger.
pub(crate) const NOT_MET: &str = "the answer is not the challenge";

/// Whether a request is a challenge. Its answer is kept nowhere: it may hold the challenge, and whoever reads it in the
/// list of attempts could prove control of a server that is not theirs.
pub(crate) fn is_challenge(job: &Job, webhook: &Webhook) -> bool {
    is_ping(webhook) && job.event.kind == VERIFY
}

/// What follows from the answer to a challenge. An endpoint that has met it is verified.
///
/// # Errors
/// The proof is not on record: the challenge is to be sent again.
pub(crate) async fn judge(
    endpoints: &Endpoints,
    webhook: &Webhook,
    found: &Sending,
    reply: &Reply,
    now: Timestamp,
) -> Result<Next, aws::Refused> {
    if !reply.answer.is_success() || found.endpoint.unverified.is_none() {
        return Ok(if reply.answer.is_success() { Next::Delivered } else { Next::Never(Reason::Rejected) });
    }
    let answer = challenge::answer(reply.challenge.as_deref(), reply.response.as_deref());
    let met = match (&found.challenge, answer) {
        (Some(sent), Some(text)) if sent.is_met_by(&text, now) => endpoints.verify(&webhook.to, sent).await?,
        (Some(_) | None, _) => false,
    };
    if !met {
        return Ok(Next::Never(Reason::Rejected));
    }
    tracing::info!(
        code = "WEBHOOK_VERIFIED",
        "endpoint has met its challenge; it is told of events from now on"
    );
    Ok(Next::Delivered)
}
