//! Sends messages to SQS: jobs to the queues of channels, refused messages to dead-letter queues.

mod dead_letters;
mod sources;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::{CallError, Verdict};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::base::batches::{Batch, split};
use domain::base::sensitive::Sensitive;

pub use dead_letters::{DeadLetter, DeadLetters, SUFFIX};
pub use sources::Sources;

/// The limit of SQS for a message and for a call, in bytes.
///
/// Source: SQS API reference, `SendMessageBatch`.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The limit of SQS for one call.
const MESSAGES_PER_CALL: usize = 10;

/// The longest delay before the first delivery.
///
/// Source: SQS API reference, `SendMessageBatchRequestEntry`, `DelaySeconds`.
pub const MAX_DELAY: Duration = Duration::from_secs(900);

/// The longest delay before a redelivery.
const MAX_PAUSE: Duration = Duration::from_secs(12 * 3_600);

/// How long a message of a newer release is hidden after this many deliveries. The pause starts at half
/// a minute and doubles up to 15 minutes. A deployment has an hour and a half before the tenth delivery,
/// after which the queue dead-letters the message.
#[must_use]
pub fn newer_release_pause(receives: u32) -> Duration {
    let doublings = receives.saturating_sub(1).min(5);
    Duration::from_secs((30_u64 << doublings).min(900))
}

/// A queue to send messages to.
#[derive(Clone)]
pub struct Queue {
    sqs: Sqs,
    url: String,
}

/// The client that all queues of a process share. It is created on first use. Most channels need it only
/// after failures, and creating it takes a fifth of their start-up time.
#[derive(Clone)]
pub struct Sqs {
    config: SdkConfig,
    client: Arc<OnceLock<Client>>,
}

impl Sqs {
    #[must_use]
    pub fn new(config: &SdkConfig) -> Sqs {
        Sqs { config: config.clone(), client: Arc::default() }
    }

    /// The queue with this name, for operators. Functions get the URLs of their queues from the
    /// template.
    ///
    /// # Errors
    /// The queue does not exist, or the call failed.
    pub async fn queue(&self, name: &str) -> Result<Queue, CallError> {
        let found = self.client().get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| CallError::new("find a queue", error))?;
        Ok(Queue::new(self, found.queue_url.unwrap_or_default()))
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }
}

/// A message to send.
#[derive(Clone)]
pub struct Outgoing {
    pub body: Sensitive<String>,
    /// The tenant, used as message group. Fair queues keep a busy tenant from delaying the others.
    pub tenant: Option<String>,
    /// The delay before the first delivery, up to [`MAX_DELAY`].
    pub delay: Duration,
}

/// The cause of a dead letter. It is stored in attributes that operators and dashboards read, and never
/// quotes a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A machine-readable class: `refused`, `unreadable`, `too_large`.
    pub class: &'static str,
    /// A sentence for operators.
    pub detail: String,
    /// The name of the function.
    pub by: &'static str,
}

/// The history of a dead-lettered message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageHistory {
    /// When a queue first accepted the message. `None` if it was never in a queue.
    pub first_at: Option<Timestamp>,
    /// How often a function received the message.
    pub attempts: u32,
}

/// The limit of a stored cause. SQS accepts 256 KiB of attributes, but longer causes are of no use.
const MAX_DETAIL_BYTES: usize = 500;

/// The message group of messages without a tenant.
const NO_TENANT: &str = "-";

impl Queue {
    #[must_use]
    pub fn new(sqs: &Sqs, url: String) -> Queue {
        Queue { sqs: sqs.clone(), url }
    }

    /// Sends all messages, in calls of up to ten messages and 1 MiB. The results are in the order of the
    /// messages.
    ///
    /// A refused message fails alone. The failed part of every answer is read.
    pub async fn send(&self, messages: &[Outgoing]) -> Vec<Result<(), CallError>> {
        let mut sent = Vec::with_capacity(messages.len());
        for some in
            split(messages, MESSAGES_PER_CALL, MAX_MESSAGE_BYTES, |message| message.body.expose().len())
        {
            match some {
                Batch::TooLarge(bytes) => {
                    let said = format!("{bytes} bytes, the queue takes {MAX_MESSAGE_BYTES}");
                    sent.push(Err(refused(Verdict::Permanent, said)));
                }
                Batch::Fits(some) => sent.extend(self.send_batch(some).await),
            }
        }
        sent
    }

    async fn send_batch(&self, messages: &[Outgoing]) -> Vec<Result<(), CallError>> {
        let mut call = self.sqs.client().send_message_batch().queue_url(&self.url);
        for (at, message) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(message.body.expose())
                .message_group_id(group(message.tenant.as_deref()))
                .set_delay_seconds(delay(message.delay))
                .build()
                .expect("an id and a body are all that an entry needs");
            call = call.entries(entry);
        }
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let verdict = aws::classify_call(&error);
                let said = aws::chain(&error);
                return messages.iter().map(|_| Err(refused(verdict, said.clone()))).collect();
            }
        };
        // A message in neither list got no answer.
        let mut sent: Vec<Result<(), CallError>> = messages
            .iter()
            .map(|_| Err(refused(Verdict::Unanswered, "the queue gave no answer for this message".into())))
            .collect();
        for entry in answer.successful {
            if let Some(result) = entry.id.parse::<usize>().ok().and_then(|at| sent.get_mut(at)) {
                *result = Ok(());
            }
        }
        for entry in answer.failed {
            let verdict = if entry.sender_fault { Verdict::Permanent } else { Verdict::Transient };
            let said = format!("{}: {}", entry.code, entry.message.unwrap_or_default());
            if let Some(result) = entry.id.parse::<usize>().ok().and_then(|at| sent.get_mut(at)) {
                *result = Err(refused(verdict, said));
            }
        }
        sent
    }

    /// Sends a message of the dead-letter queue, with the time of its first send.
    async fn send_again(
        &self,
        body: &str,
        tenant: Option<&str>,
        first_at: Option<&str>,
    ) -> Result<(), CallError> {
        let call = self.sqs.client().send_message().queue_url(&self.url).message_body(body);
        let mut call = call.message_group_id(group(tenant));
        if let Some(first_at) = first_at {
            call = call.message_attributes("first_at", attribute(first_at));
        }
        call.send().await.map(drop).map_err(|error| CallError::new("send to a queue", error))
    }

    /// Redelivers a received message after `pause` instead of the queue's visibility timeout.
    ///
    /// # Errors
    /// The call failed, and the queue's visibility timeout applies.
    pub async fn show_after(&self, receipt_handle: &str, pause: Duration) -> Result<(), CallError> {
        let seconds = i32::try_from(pause.min(MAX_PAUSE).as_secs()).unwrap_or(i32::MAX);
        self.sqs
            .client()
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds)
            .send()
            .await
            .map(drop)
            .map_err(|error| CallError::new("set when a message is shown again", error))
    }

    /// Sends a message to the dead-letter queue with its cause and history. `body` is the unchanged
    /// text.
    ///
    /// # Errors
    /// The queue did not accept the message. The original must stay in its queue.
    pub async fn dead_letter(
        &self,
        body: &str,
        tenant: Option<&str>,
        cause: &Cause,
        past: MessageHistory,
    ) -> Result<(), CallError> {
        let first_at = past.first_at.map(|first_at| attribute(&first_at.to_string()));
        let mut detail = cause.detail.clone();
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL_BYTES));
        let mut call = self
            .sqs
            .client()
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_group_id(group(tenant))
            .message_attributes("cause", attribute(cause.class))
            .message_attributes("detail", attribute(&detail))
            .message_attributes("by", attribute(cause.by))
            .message_attributes("attempts", attribute(&past.attempts.to_string()));
        if let Some(first_at) = first_at {
            call = call.message_attributes("first_at", first_at);
        }
        call.send()
            .await
            .map(drop)
            .map_err(|error| CallError::new("put a message into the dead-letter queue", error))
    }
}

/// The delay in whole seconds, rounded up. `None` for no delay.
fn delay(delay: Duration) -> Option<i32> {
    let seconds = delay.min(MAX_DELAY).as_millis().div_ceil(1_000);
    i32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
}

/// The message group of a tenant. SQS allows 128 characters of letters, digits and punctuation. Other
/// tenants share the group of messages without a tenant.
fn group(tenant: Option<&str>) -> String {
    let fits =
        |tenant: &&str| (1..=128).contains(&tenant.len()) && tenant.bytes().all(|b| b.is_ascii_graphic());
    tenant.filter(fits).unwrap_or(NO_TENANT).to_owned()
}

fn attribute(text: &str) -> MessageAttributeValue {
    let text = if text.is_empty() { "-" } else { text };
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(text)
        .build()
        .expect("a type is all that an attribute needs")
}

fn refused(verdict: Verdict, said: String) -> CallError {
    CallError { doing: "send to a queue", verdict, source: said.into() }
}

#[cfg(test)]
mod tests;
