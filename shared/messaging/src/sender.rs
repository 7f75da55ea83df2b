//! One request for one message.

use std::time::Duration;

use domain::base::channel::Channel;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::base::sensitive::Sensitive;
use domain::delivery::job::{Content, Job, Message};
use domain::webhook::endpoint::attempt::Answer;
use domain::webhook::endpoint::target::Allow;
use https::{Http, Names};
use url::Url;

use crate::Credentials;

/// The pause after an answer that asks to slow down and names no time.
const THROTTLE_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause that an answer can ask for.
const MAX_THROTTLE: Duration = Duration::from_secs(900);

/// The provider of a channel.
pub struct Provider {
    pub channel: Channel,
    /// Makes the request of a message. The credentials are those of the job's tenant.
    pub request: fn(&Message, &Credentials, Option<&str>) -> Result<Request, Failure>,
    /// Reads an answer.
    pub classify: fn(&Reply<'_>) -> Result<Sent, Failure>,
    /// The header of an answer that names the message.
    pub id_header: Option<&'static str>,
}

/// A request for the provider.
pub struct Request {
    /// A webhook's URL is its secret.
    pub url: Sensitive<String>,
    /// The bearer token; the URL is the secret where it is absent.
    pub token: Option<Sensitive<String>>,
    /// One JSON object.
    pub body: Sensitive<String>,
}

/// An answer of the provider, whose body may repeat the message.
pub struct Reply<'a> {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub body: Sensitive<&'a str>,
    /// The value of [`Provider::id_header`].
    pub id: Option<&'a str>,
}

/// Sends the messages of one channel.
pub struct Sender {
    provider: Provider,
    credentials: Credentials,
    hosts: Vec<String>,
    endpoint: Option<String>,
    http: Http,
}

impl Sender {
    /// `endpoint` takes the requests in place of their hosts, which are checked all the same.
    ///
    /// # Errors
    /// `endpoint` is no origin.
    pub fn new(
        provider: Provider,
        credentials: Credentials,
        endpoint: Option<String>,
        hosts: Vec<String>,
    ) -> Result<Sender, String> {
        let allow = Allow::parse(endpoint.as_deref().unwrap_or_default())
            .map_err(|_| "PROVIDER_ENDPOINT is no origin".to_owned())?;
        Ok(Sender { provider, credentials, hosts, endpoint, http: Http::new(Names::System, allow) })
    }

    /// Calls the provider once.
    ///
    /// # Errors
    /// [`Failure`] names the reaction. An unanswered call is none: the provider may have accepted the message.
    pub async fn send(&self, job: &Job) -> Result<Sent, Failure> {
        let Content::Message(message) = &job.content else { return Err(self.misrouted(job)) };
        if message.channel != self.provider.channel {
            return Err(self.misrouted(job));
        }
        let request = (self.provider.request)(message, &self.credentials, job.event.tenant.as_deref())?;
        let url = self.target(request.url.expose())?;
        let bearer = request.token.map(|token| token.map(|token| format!("Bearer {token}")));
        let http = https::Request {
            headers: bearer.iter().map(|bearer| ("authorization", bearer.as_deref())).collect(),
            content_type: "application/json; charset=utf-8",
            body: request.body.map(Into::into),
            id_header: self.provider.id_header,
        };
        let reply = self.http.post(&url, &http).await;
        match &reply.answer {
            Answer::Status { status, retry_after, .. } => (self.provider.classify)(&Reply {
                status: *status,
                retry_after: *retry_after,
                body: reply.response.as_ref().map(Sensitive::as_deref).unwrap_or_default(),
                id: reply.id.as_deref(),
            }),
            Answer::Blocked => {
                Err(permanent(Reason::BlockedTarget, "the host of the URL has no public address"))
            }
            Answer::TimedOut | Answer::Unreachable if reply.maybe_received => Ok(Sent::Unknown),
            Answer::TimedOut | Answer::Unreachable => {
                Err(Failure::Transient(reply.error.unwrap_or("no answer").into()))
            }
        }
    }

    /// The failure of a job that belongs into another queue.
    fn misrouted(&self, job: &Job) -> Failure {
        let (found, queue) = (job.channel().name(), self.provider.channel.name());
        permanent(Reason::Rejected, format!("a {found} job in the {queue} queue"))
    }

    /// The URL of a request, if its host is allowed.
    fn target(&self, url: &str) -> Result<String, Failure> {
        let url = Url::parse(url).map_err(|_| permanent(Reason::BlockedTarget, "the text is no URL"))?;
        let host = url.host_str().unwrap_or_default();
        let is_allowed = self.hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.')),
            None => host == allowed,
        });
        if url.scheme() != "https" || url.port().is_some() || !is_allowed {
            let source = "the URL is not https, or its host is not in ALLOWED_HOSTS";
            return Err(permanent(Reason::BlockedTarget, source));
        }
        match &self.endpoint {
            Some(endpoint) => Ok(format!("{}/{host}{}", endpoint.trim_end_matches('/'), path_of(&url))),
            None => Ok(url.into()),
        }
    }
}

fn path_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// A final refusal of the message.
#[must_use]
pub fn permanent(reason: Reason, source: impl Into<String>) -> Failure {
    Failure::Permanent { reason, source: source.into().into() }
}

/// A failure that another attempt may not have.
#[must_use]
pub fn transient(source: impl Into<String>) -> Failure {
    Failure::Transient(source.into().into())
}

/// An answer that asks to slow down.
#[must_use]
pub fn throttled(reply: &Reply<'_>) -> Failure {
    let delay = reply.retry_after.unwrap_or(THROTTLE_PAUSE).clamp(Duration::from_secs(1), MAX_THROTTLE);
    Failure::Throttled { delay, source: format!("HTTP {}", reply.status).into() }
}

/// Missing or refused credentials: an operator must act, and the message is retried meanwhile. The alarm of the
/// channel counts the log code.
#[must_use]
pub fn configuration(channel: Channel, why: &'static str) -> Failure {
    tracing::error!(
        code = "PROVIDER_CREDENTIALS",
        channel = channel.name(),
        why,
        "provider refused or lacks credentials: the message is retried, replace the secret and deploy"
    );
    Failure::Transient(why.into())
}
