//! Sending to SQS: jobs to a channel's queue, and what cannot be handled to a dead-letter queue; and back from there.

mod dead_letters;
mod sources;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::{Refused, Verdict};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::batches::{Batch, split};

pub use dead_letters::{DeadLetters, Letter, SUFFIX};
pub use sources::Sources;

/// SQS's limit for a message and for a call, in bytes.
///
/// Source: SQS API reference, `SendMessageBatch`.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// SQS's limit for one call.
const MESSAGES_PER_CALL: usize = 10;

/// The longest that a message can be kept from being shown for the first time.
///
/// Source: SQS API reference, `SendMessageBatchRequestEntry`, `DelaySeconds`.
pub const MAX_DELAY: Duration = Duration::from_secs(900);

/// The longest that a message can be kept from being shown again.
const MAX_PAUSE: Duration = Duration::from_secs(12 * 3_600);

/// How long a message of a newer release is hidden after it was received so often: half a minute, doubled each time, at
/// most 15 minutes. A deployment has an hour and a half before the queue has shown the message ten times and moves it to
/// the dead letters.
#[must_use]
pub fn newer_pause(receives: u32) -> Duration {
    let doublings = receives.saturating_sub(1).min(5);
    Duration::from_secs((30_u64 << doublings).min(900))
}

/// A queue that messages are sent to.
#[derive(Clone)]
pub struct Queue {
    sqs: Sqs,
    url: String,
}

/// The client that every queue of a process shares. It is made when it is first used: most channels only ever need it
/// when something goes wrong, and making it is a fifth of their start-up.
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

    /// The queue of this name, for people who look: functions are told the URLs of theirs.
    ///
    /// # Errors
    /// There is no such queue, or it could not be asked for.
    pub async fn queue(&self, name: &str) -> Result<Queue, Refused> {
        let found = self.client().get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| Refused::new("find a queue", error))?;
        Ok(Queue::new(self, found.queue_url.unwrap_or_default()))
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }
}

/// A message that is to be sent.
#[derive(Clone)]
pub struct Outgoing {
    pub body: String,
    /// On whose account it waits: fair queues keep a busy tenant from holding the others up.
    pub tenant: Option<String>,
    /// How long the queue keeps it before it shows it, up to [`MAX_DELAY`].
    pub delay: Duration,
}

/// Why a message is put aside. It travels in attributes that operators and dashboards read, so it never quotes a
/// payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A word for machines: `refused`, `unreadable`, `too_large`.
    pub class: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// Which function put it aside.
    pub by: &'static str,
}

/// What a message had been through when it was put aside, for whoever looks at it later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Past {
    /// When its queue took it over; none for what never was in a queue.
    pub first_at: Option<Timestamp>,
    /// How often it was handed to a function, the last time included.
    pub attempts: u32,
}

/// SQS takes 256 KiB of attributes; a cause that is longer than this helps nobody.
const MAX_DETAIL_BYTES: usize = 500;

/// Messages that wait on nobody's account are one tenant of their own.
const NO_TENANT: &str = "-";

impl Queue {
    #[must_use]
    pub fn new(sqs: &Sqs, url: String) -> Queue {
        Queue { sqs: sqs.clone(), url }
    }

    /// Sends all messages, up to ten and up to 1 MiB to a call. The answers are in the order of the messages.
    ///
    /// A message that is refused for itself fails alone; the failed part of every answer is read.
    pub async fn send(&self, messages: &[Outgoing]) -> Vec<Result<(), Refused>> {
        let mut sent = Vec::with_capacity(messages.len());
        for some in split(messages, MESSAGES_PER_CALL, MAX_MESSAGE_BYTES, |it| it.body.len()) {
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

    async fn send_batch(&self, messages: &[Outgoing]) -> Vec<Result<(), Refused>> {
        let mut call = self.sqs.client().send_message_batch().queue_url(&self.url);
        for (at, message) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(&message.body)
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
        // What is in neither list got no answer.
        let mut sent: Vec<Result<(), Refused>> = messages
            .iter()
            .map(|_| Err(refused(Verdict::Unanswered, "the queue gave no answer for this message".into())))
            .collect();
        for entry in answer.successful {
            if let Some(it) = entry.id.parse::<usize>().ok().and_then(|at| sent.get_mut(at)) {
                *it = Ok(());
            }
        }
        for entry in answer.failed {
            let verdict = if entry.sender_fault { Verdict::Permanent } else { Verdict::Transient };
            let said = format!("{}: {}", entry.code, entry.message.unwrap_or_default());
            if let Some(it) = entry.id.parse::<usize>().ok().and_then(|at| sent.get_mut(at)) {
                *it = Err(refused(verdict, said));
            }
        }
        sent
    }

    /// Sends one message that was in a queue before, with the time at which that was.
    async fn send_again(
        &self,
        body: &str,
        tenant: Option<&str>,
        first_at: Option<&str>,
    ) -> Result<(), Refused> {
        let call = self.sqs.client().send_message().queue_url(&self.url).message_body(body);
        let mut call = call.message_group_id(group(tenant));
        if let Some(first_at) = first_at {
            call = call.message_attributes("first_at", attribute(first_at));
        }
        call.send().await.map(drop).map_err(|error| Refused::new("send to a queue", error))
    }

    /// Shows a message that is being handled again after `pause`, instead of after the queue's own time.
    ///
    /// # Errors
    /// The queue keeps its own time for this message.
    pub async fn show_after(&self, receipt_handle: &str, pause: Duration) -> Result<(), Refused> {
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
            .map_err(|error| Refused::new("set when a message is shown again", error))
    }

    /// Puts one message aside with its cause and its past. `body` is the text as it came.
    ///
    /// # Errors
    /// The queue did not take it: the original must stay where it is.
    pub async fn bury(
        &self,
        body: &str,
        tenant: Option<&str>,
        cause: &Cause,
        past: Past,
    ) -> Result<(), Refused> {
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
            .map_err(|error| Refused::new("put a message into the dead-letter queue", error))
    }
}

/// Whole seconds, never fewer than asked for; none when there is nothing to wait for.
fn delay(delay: Duration) -> Option<i32> {
    let seconds = delay.min(MAX_DELAY).as_millis().div_ceil(1_000);
    i32::try_from(seconds).ok().filter(|it| *it > 0)
}

/// SQS allows 128 characters of letters, digits and punctuation; what does not fit is its own hash-free stand-in.
fn group(tenant: Option<&str>) -> String {
    let fits = |it: &&str| (1..=128).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_graphic());
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

fn refused(verdict: Verdict, said: String) -> Refused {
    Refused { doing: "send to a queue", verdict, source: said.into() }
}

#[cfg(test)]
mod tests;
