//! Sends webhook jobs to their endpoints and interprets the answers.

use std::cell::RefCell;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::delivery::job::{ByHand, Job, Webhook};
use domain::event::key::Key;
use domain::webhook::endpoint::DisabledBecause;
use domain::webhook::endpoint::attempt::{Answer, Next};
use jiff::SignedDuration;
use kms::SecretReader;
use publish::EventBridge;
use runtime::{chain, now};
use store::{Attempt, Endpoints, Message, MessageState, Sending};

use crate::config::WebhookSenderConfig;
use crate::request::{Request, content};
use crate::{attempt_log, proof};
use https::{Http, Names, Reply};

/// The reason why an endpoint gets no messages before its verification.
const UNVERIFIED: &str = "the endpoint is not verified";

/// The tolerated clock difference for deferred jobs.
const EARLY: SignedDuration = SignedDuration::from_secs(1);

/// The sender of webhook messages.
pub struct WebhookSender {
    pub(crate) endpoints: Endpoints,
    secrets: SecretReader,
    pub(crate) bus: EventBridge,
    http: Http,
    /// The attempts of this invocation.
    attempts: RefCell<Vec<Attempt>>,
}

impl WebhookSender {
    #[must_use]
    pub fn new(aws: &SdkConfig, tables: &store::Client, config: WebhookSenderConfig) -> WebhookSender {
        WebhookSender {
            endpoints: Endpoints::new(tables, config.endpoints_table),
            secrets: SecretReader::new(aws, config.secrets_key),
            bus: EventBridge::new(aws, config.bus),
            http: Http::new(Names::System, config.allow),
            attempts: RefCell::default(),
        }
    }

    /// Calls the endpoint once, if the attempt is due and the endpoint is enabled.
    ///
    /// # Errors
    /// [`Failure::Permanent`] if the endpoint refused or the retry schedule has ended.
    /// [`Failure::Transient`] if a call to a table failed.
    pub async fn send(&self, job: &Job) -> Result<Sent, Failure> {
        let webhook = content(job)?;
        let id = webhook.id(&job.key);
        let found = self.endpoints.sending(&webhook.to, id).await;
        let Some(found) = found.map_err(|error| Failure::Transient(Box::new(error)))? else {
            return Err(permanent(Reason::UnknownRecipient, "there is no such endpoint any more"));
        };
        let instead = match webhook.by_hand {
            None => self.instead(job, webhook, &found).await,
            Some(ByHand::Retry { .. }) => self.instead_of_retry(id, webhook, &found).await,
            Some(ByHand::Ping) => None,
        };
        if let Some(instead) = instead {
            return instead;
        }
        let begun = now();
        let secrets = self.secrets.signing(&found.secrets, &webhook.to, begun).await;
        let secrets = secrets.map_err(|refused| {
            tracing::error!(
                code = "WEBHOOK_SECRET_UNREADABLE",
                endpoint.id = webhook.to.id,
                error = chain(&refused),
                "webhook message retried: the endpoint's secret was not decrypted"
            );
            Failure::Transient(Box::new(refused))
        })?;
        if secrets.signing(begun).next().is_none() {
            return Err(Failure::Transient("the endpoint has no secret; rotate it to get one".into()));
        }
        let custom = self.secrets.headers(found.headers.as_ref(), &webhook.to, begun).await;
        let custom = custom.map_err(|refused| {
            tracing::error!(
                code = "WEBHOOK_HEADERS_UNREADABLE",
                endpoint.id = webhook.to.id,
                error = chain(&refused),
                "webhook message retried: the endpoint's custom headers were not decrypted"
            );
            Failure::Transient(Box::new(refused))
        })?;
        let format = found.endpoint.format.unwrap_or_default();
        let message = (webhook.body.expose().as_str(), &job.event);
        let request = Request::sign_in(format, id, message, &secrets, begun).with_headers(custom);
        let reply = self.http.post(&found.endpoint.url, &request.to_http()).await;
        self.conclude(job, webhook, &found, begun, &reply).await
    }

    /// Stores the attempts since the last call. A failure affects only the attempt log.
    pub async fn keep_attempts(&self) {
        let attempts = self.attempts.take();
        if let Err(refused) = self.endpoints.keep(&attempts).await {
            tracing::error!(
                code = "WEBHOOK_ATTEMPTS_NOT_STORED",
                error = chain(&refused),
                attempts = attempts.len(),
                "webhook attempts not stored: the attempt log lacks them"
            );
        }
    }

    /// The result of a scheduled message that is not sent now.
    async fn instead(&self, job: &Job, webhook: &Webhook, found: &Sending) -> Option<Result<Sent, Failure>> {
        let now = now();
        let due = match &found.message {
            // A manual retry was faster, and the endpoint has the message.
            Some(Message { state: MessageState::Delivered, .. }) => {
                return Some(Ok(Sent::Accepted { provider_id: "by hand".to_owned() }));
            }
            Some(Message { state: MessageState::Failed, .. }) => {
                return Some(Err(permanent(Reason::Exhausted, "its schedule is over")));
            }
            Some(Message { state: MessageState::Retrying, next_at, .. }) => *next_at,
            None => None,
        };
        if let Some((reason, said)) = closed(found) {
            let failed = Message { state: MessageState::Failed, attempts: attempts(found), next_at: None };
            let kept = self.endpoints.failed(&webhook.to, job, &failed, now).await;
            return Some(match kept {
                Ok(_) => Err(permanent(reason, said)),
                Err(refused) => Err(Failure::Transient(Box::new(refused))),
            });
        }
        let early = due.filter(|due| due.duration_since(now) > EARLY);
        early.or_else(|| found.health.paused_until(job.key.as_str(), now)).map(|early| Ok(Sent::Later(early)))
    }

    /// The result of a manual retry that is not sent now. A message that has arrived meanwhile is not
    /// sent twice. An endpoint that was disabled again gets no message.
    async fn instead_of_retry(
        &self,
        message: &Key,
        webhook: &Webhook,
        found: &Sending,
    ) -> Option<Result<Sent, Failure>> {
        if found.message.as_ref().is_some_and(|message| message.state == MessageState::Delivered) {
            return Some(Ok(Sent::Accepted { provider_id: "arrived before".to_owned() }));
        }
        let (reason, said) = closed(found)?;
        Some(match self.endpoints.failed_by_hand(&webhook.to, message).await {
            Ok(()) => Err(permanent(reason, said)),
            Err(refused) => Err(Failure::Transient(Box::new(refused))),
        })
    }

    /// Stores the attempt and turns the answer into a result of the job.
    async fn conclude(
        &self,
        job: &Job,
        webhook: &Webhook,
        found: &Sending,
        begun: Timestamp,
        reply: &Reply,
    ) -> Result<Sent, Failure> {
        let now = now();
        let attempt = attempts(found) + 1;
        let is_challenge = proof::is_challenge(job, webhook);
        let next = match webhook.by_hand {
            Some(_) if is_challenge => {
                let judged = proof::judge(&self.endpoints, webhook, found, reply, now).await;
                judged.map_err(|refused| Failure::Transient(Box::new(refused)))?
            }
            None => reply.answer.next(&job.key, attempt, now),
            // A manual send is a single attempt.
            Some(_) => match reply.answer.next(&job.key, attempt, now) {
                Next::Again(_) => Next::Never(Reason::Rejected),
                Next::Never(Reason::Exhausted) => Next::Never(Reason::Rejected),
                other @ (Next::Delivered | Next::Never(_) | Next::Disable(_)) => other,
            },
        };
        let error = match (reply.error, &next) {
            (None, Next::Never(_)) if is_challenge && reply.answer.is_success() => Some(proof::NOT_MET),
            (error, _) => error,
        };
        self.attempts.borrow_mut().push(Attempt {
            to: webhook.to.clone(),
            at: begun,
            message: webhook.id(&job.key).clone(),
            event_id: job.event.id.clone(),
            event_type: job.event.kind.clone(),
            attempt,
            by_hand: webhook.by_hand.is_some(),
            status: status(&reply.answer),
            took_ms: u64::try_from(now.duration_since(begun).as_millis()).unwrap_or(0),
            error: error.map(str::to_owned),
            response: reply.response.clone().filter(|_| !is_challenge),
            location: reply.location.clone(),
            next_at: match next {
                Next::Again(at) => Some(at),
                Next::Delivered | Next::Never(_) | Next::Disable(_) => None,
            },
        });
        match attempt_log::remember(self, job, webhook, found, attempt, &next, now).await {
            Ok(()) => {}
            // The endpoint has the message. A retry because of the failed write would send it twice.
            Err(refused) if next == Next::Delivered => {
                tracing::error!(
                    code = "WEBHOOK_DELIVERED_NOT_STORED",
                    job.key = job.key.as_str(),
                    error = chain(&refused),
                    "webhook message delivered and its state not stored: the API shows the message as still being tried"
                );
            }
            Err(refused) => return Err(Failure::Transient(Box::new(refused))),
        }
        let to =
            reply.location.as_ref().map(|location| format!(", a redirect to {location}")).unwrap_or_default();
        let said = || error.map_or_else(|| format!("{}{to}", describe(&reply.answer)), str::to_owned);
        match next {
            Next::Delivered => Ok(Sent::Accepted { provider_id: describe(&reply.answer) }),
            Next::Again(at) => Ok(Sent::Later(at)),
            Next::Never(reason) => Err(permanent(reason, said())),
            Next::Disable(_) => Err(permanent(Reason::EndpointGone, said())),
        }
    }
}

/// Why an endpoint currently gets no messages except pings, if that is the case.
fn closed(found: &Sending) -> Option<(Reason, &'static str)> {
    match (&found.endpoint.disabled, found.endpoint.unverified) {
        (Some(_), _) => Some((Reason::EndpointDisabled, "the endpoint is switched off")),
        (None, Some(_)) => Some((Reason::EndpointUnverified, UNVERIFIED)),
        (None, None) => None,
    }
}

/// The number of earlier scheduled attempts.
fn attempts(found: &Sending) -> u32 {
    found.message.as_ref().map_or(0, |message| message.attempts)
}

/// Why an answer disables the endpoint, if it does.
pub(crate) fn switched_off(next: &Next, give_up: bool) -> Option<DisabledBecause> {
    match next {
        Next::Disable(why) => Some(*why),
        Next::Delivered | Next::Again(_) | Next::Never(_) => give_up.then_some(DisabledBecause::Failing),
    }
}

/// Whether the message is a ping.
pub(crate) fn is_ping(webhook: &Webhook) -> bool {
    matches!(webhook.by_hand, Some(ByHand::Ping))
}

fn status(answer: &Answer) -> Option<u16> {
    match answer {
        Answer::Status { status, .. } => Some(*status),
        Answer::TimedOut | Answer::Unreachable | Answer::Blocked => None,
    }
}

fn describe(answer: &Answer) -> String {
    status(answer).map_or_else(|| "no answer".to_owned(), |status| format!("HTTP {status}"))
}

fn permanent(reason: Reason, said: impl Into<String>) -> Failure {
    Failure::Permanent { reason, source: said.into().into() }
}
