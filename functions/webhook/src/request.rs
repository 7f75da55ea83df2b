//! Shapes and signs requests.

use domain::Timestamp;
use domain::base::outcome::{Failure, Reason};
use domain::base::sensitive::Sensitive;
use domain::delivery::job::{Content, Job, Origin, Webhook};
use domain::event::key::Key;
use domain::webhook::endpoint::format::Format;
use domain::webhook::endpoint::headers::CustomHeaders;
use domain::webhook::endpoint::secret::Secrets;
use hyper::body::Bytes;

/// The size limit of a body. A job of this size, doubly escaped as JSON, fits into a schedule.
pub const MAX_BODY_BYTES: usize = 100_000;

/// A request to an endpoint.
pub struct Request {
    pub headers: [(&'static str, String); 3],
    /// The custom headers of the endpoint. Their names differ from those of our headers.
    pub custom: CustomHeaders,
    pub content_type: &'static str,
    pub body: Sensitive<Bytes>,
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
            custom: CustomHeaders::default(),
            content_type: Format::Standard.content_type(),
            body: Bytes::copy_from_slice(body.as_bytes()).into(),
        }
    }

    /// Adds the custom headers of the endpoint.
    #[must_use]
    pub fn with_headers(self, custom: CustomHeaders) -> Request {
        Request { custom, ..self }
    }

    /// The request for the HTTP client.
    #[must_use]
    pub fn to_http(&self) -> https::Request<'_> {
        let own = self.headers.iter().map(|(name, value)| (*name, Sensitive::new(value.as_str())));
        https::Request {
            headers: own.chain(self.custom.iter()).collect(),
            content_type: self.content_type,
            body: self.body.clone(),
            id_header: None,
        }
    }

    /// Signs a message in the format of its endpoint. `body` is in the standard format.
    #[must_use]
    pub fn sign_in(
        format: Format,
        id: &Key,
        (body, origin): (&str, &Origin),
        secrets: &Secrets,
        now: Timestamp,
    ) -> Request {
        let request = Request::sign(id, &format.body(body, origin), secrets, now);
        Request { content_type: format.content_type(), ..request }
    }
}

/// The webhook message of a job.
///
/// # Errors
/// The job belongs to another channel, or its body is too large.
pub fn content(job: &Job) -> Result<&Webhook, Failure> {
    let Content::Webhook(webhook) = &job.content else {
        let source = format!("a {} job in the webhook queue", job.channel().name()).into();
        return Err(Failure::Permanent { reason: Reason::Rejected, source });
    };
    let bytes = webhook.body.expose().len();
    if bytes > MAX_BODY_BYTES {
        let source = format!("the body has {bytes} bytes, a webhook carries {MAX_BODY_BYTES}").into();
        return Err(Failure::Permanent { reason: Reason::TooLarge, source });
    }
    Ok(webhook)
}
