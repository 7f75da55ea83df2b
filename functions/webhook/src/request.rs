//! The request: what is sent, to the byte, and its signature.

use domain::Timestamp;
use domain::endpoint::secret::Secrets;
use domain::job::{Content, Job, Webhook};
use domain::key::Key;
use domain::outcome::{Failure, Reason};
use hyper::body::Bytes;

/// What is larger is not sent. A job fits a schedule with it, escaped as JSON in JSON.
pub const MAX_BODY_BYTES: usize = 100_000;

/// A request to an endpoint. No `Debug`: it holds what somebody is told.
pub struct Request {
    pub headers: [(&'static str, String); 3],
    pub body: Bytes,
}

impl Request {
    /// Signs the body of this attempt with every secret that signs at `now`.
    ///
    /// Source: Standard Webhooks 1.0, "Webhook headers".
    #[must_use]
    pub fn sign(id: &Key, body: &str, secrets: &Secrets, now: Timestamp) -> Request {
        let signature = signing::sign(secrets.signing(now), id.as_str(), now, body.as_bytes());
        Request {
            headers: [
                ("webhook-id", id.as_str().to_owned()),
                ("webhook-timestamp", now.as_second().to_string()),
                ("webhook-signature", signature),
            ],
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }
}

/// What the job says, if it is a webhook and not too large to be one.
///
/// # Errors
/// The job is no webhook, or its body is larger than one carries.
pub fn content(job: &Job) -> Result<&Webhook, Failure> {
    let Content::Webhook(webhook) = &job.content else {
        let source = format!("a {} job in the webhook queue", job.channel().name()).into();
        return Err(Failure::Permanent { reason: Reason::Rejected, source });
    };
    let bytes = webhook.body.len();
    if bytes > MAX_BODY_BYTES {
        let source = format!("the body has {bytes} bytes, a webhook carries {MAX_BODY_BYTES}").into();
        return Err(Failure::Permanent { reason: Reason::TooLarge, source });
    }
    Ok(webhook)
}
