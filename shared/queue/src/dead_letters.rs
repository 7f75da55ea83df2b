//! Lists, redrives and deletes dead letters, for operators. No function uses this module.

use std::collections::BTreeMap;

use aws::CallError;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use domain::Timestamp;
use domain::base::sensitive::Sensitive;

use crate::{Queue, Sqs};

/// The suffix of every dead-letter queue. The part before it is the name of the source queue.
pub const SUFFIX: &str = "-dead-letters";

/// The limit of SQS for one call.
const AT_ONCE: usize = 10;

/// The number of consecutive empty answers that mean an empty queue. SQS queries only some of its
/// servers for each call.
const EMPTY_ANSWERS: u32 = 3;

/// A dead-letter queue and its source queue.
#[derive(Clone)]
pub struct DeadLetters {
    sqs: Sqs,
    url: String,
    source: Queue,
    /// The name of the source queue.
    pub name: String,
}

/// A dead letter.
#[derive(Clone)]
pub struct DeadLetter {
    pub id: String,
    pub body: Sensitive<String>,
    /// `cause`, `detail`, `by`, and the attributes that EventBridge adds to undeliverable events.
    pub attributes: BTreeMap<String, String>,
    /// The message group, which is the tenant.
    pub group: Option<String>,
    /// When the message was first sent to a queue. Moves by SQS keep this time.
    pub sent_at: Option<Timestamp>,
    /// How often a queue has delivered the message, including reads by operators.
    pub receives: u32,
    handle: String,
}

impl DeadLetter {
    /// Creates a dead letter with only an id and a body.
    #[must_use]
    pub fn of(id: &str, body: &str) -> DeadLetter {
        DeadLetter {
            id: id.to_owned(),
            body: body.into(),
            attributes: BTreeMap::new(),
            group: None,
            sent_at: None,
            receives: 1,
            handle: String::new(),
        }
    }
}

impl DeadLetters {
    /// The dead-letter queues whose source queue's name begins with `prefix`.
    ///
    /// # Errors
    /// A call to SQS failed.
    pub async fn all(sqs: &Sqs, prefix: &str) -> Result<Vec<DeadLetters>, CallError> {
        let (mut urls, mut next) = (Vec::new(), None);
        loop {
            let call = sqs.client().list_queues().queue_name_prefix(prefix).max_results(1_000);
            let answer = call.set_next_token(next.take()).send().await;
            let answer = answer.map_err(|error| CallError::new("list the queues", error))?;
            urls.extend(answer.queue_urls.unwrap_or_default());
            next = answer.next_token;
            if next.is_none() {
                break;
            }
        }
        let mut found: Vec<DeadLetters> =
            urls.into_iter().filter_map(|url| DeadLetters::of(sqs, url)).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn of(sqs: &Sqs, url: String) -> Option<DeadLetters> {
        let source = Queue::new(sqs, url.strip_suffix(SUFFIX)?.to_owned());
        let name = source.url.rsplit('/').next()?.to_owned();
        Some(DeadLetters { sqs: sqs.clone(), url, source, name })
    }

    /// The approximate number of messages, including hidden ones.
    ///
    /// # Errors
    /// A call to SQS failed.
    pub async fn count(&self) -> Result<u64, CallError> {
        let numbers = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let call = self.sqs.client().get_queue_attributes().queue_url(&self.url);
        let answer = call.set_attribute_names(Some(numbers.to_vec())).send().await;
        let answer = answer.map_err(|error| CallError::new("count dead letters", error))?;
        let found = answer.attributes.unwrap_or_default();
        Ok(numbers.iter().filter_map(|number| found.get(number)?.parse::<u64>().ok()).sum())
    }

    /// Receives up to `most` messages. They are hidden from other readers for `hidden` seconds or until
    /// they are given back.
    ///
    /// # Errors
    /// A call to SQS failed. Messages received before the failure reappear after `hidden` seconds.
    pub async fn take(&self, most: usize, hidden: u32) -> Result<Vec<DeadLetter>, CallError> {
        let (mut dead_letters, mut empty) = (Vec::new(), 0);
        while dead_letters.len() < most && empty < EMPTY_ANSWERS {
            let some = self.receive((most - dead_letters.len()).min(AT_ONCE), hidden).await?;
            empty = if some.is_empty() { empty + 1 } else { 0 };
            dead_letters.extend(some);
        }
        Ok(dead_letters)
    }

    async fn receive(&self, most: usize, hidden: u32) -> Result<Vec<DeadLetter>, CallError> {
        let answer = self
            .sqs
            .client()
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most).unwrap_or(1))
            .visibility_timeout(i32::try_from(hidden).unwrap_or(i32::MAX))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| CallError::new("read dead letters", error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(dead_letter).collect())
    }

    /// Makes messages visible again at once. A message for which this fails reappears after its time.
    pub async fn make_visible(&self, dead_letters: &[DeadLetter]) {
        for some in dead_letters.chunks(AT_ONCE) {
            let mut call = self.sqs.client().change_message_visibility_batch().queue_url(&self.url);
            for (at, dead_letter) in some.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(at.to_string())
                    .receipt_handle(&dead_letter.handle)
                    .visibility_timeout(0)
                    .build()
                    .expect("an id and a handle are all that an entry needs");
                call = call.entries(entry);
            }
            drop(call.send().await);
        }
    }

    /// Sends a message unchanged to its source queue and then deletes the dead letter. In between it is
    /// in both queues. Its consumer finds the earlier work by its keys.
    ///
    /// # Errors
    /// The dead letter still exists.
    pub async fn redrive(&self, dead_letter: &DeadLetter) -> Result<(), CallError> {
        // The time of the first send is kept over any number of redrives.
        let first_at = dead_letter.attributes.get("first_at").cloned();
        let first_at = first_at.or_else(|| dead_letter.sent_at.map(|sent_at| sent_at.to_string()));
        self.source
            .send_again(dead_letter.body.expose(), dead_letter.group.as_deref(), first_at.as_deref())
            .await?;
        self.discard(dead_letter).await
    }

    /// Sets the visibility timeout of the source queue.
    ///
    /// # Errors
    /// SQS refused the change.
    pub async fn hide_for(&self, time: std::time::Duration) -> Result<(), CallError> {
        let call = self.sqs.client().set_queue_attributes().queue_url(&self.source.url);
        let call = call.attributes(QueueAttributeName::VisibilityTimeout, time.as_secs().to_string());
        call.send()
            .await
            .map(drop)
            .map_err(|error| CallError::new("set how long a queue hides messages", error))
    }

    /// Deletes a message for good.
    ///
    /// # Errors
    /// The dead letter still exists.
    pub async fn discard(&self, dead_letter: &DeadLetter) -> Result<(), CallError> {
        let call =
            self.sqs.client().delete_message().queue_url(&self.url).receipt_handle(&dead_letter.handle);
        call.send().await.map(drop).map_err(|error| CallError::new("delete a dead letter", error))
    }
}

fn dead_letter(message: Message) -> Option<DeadLetter> {
    let system = message.attributes.unwrap_or_default();
    let of = |name: &MessageSystemAttributeName| system.get(name).map(String::as_str);
    let sent_at = of(&MessageSystemAttributeName::SentTimestamp).and_then(|text| text.parse().ok());
    let receives =
        of(&MessageSystemAttributeName::ApproximateReceiveCount).and_then(|text| text.parse().ok());
    let attributes = message.message_attributes.unwrap_or_default().into_iter();
    Some(DeadLetter {
        id: message.message_id?,
        body: message.body?.into(),
        attributes: attributes.filter_map(|(name, value)| Some((name, value.string_value?))).collect(),
        group: of(&MessageSystemAttributeName::MessageGroupId).map(str::to_owned),
        sent_at: sent_at.and_then(|sent_at| Timestamp::from_millisecond(sent_at).ok()),
        receives: receives.unwrap_or(1),
        handle: message.receipt_handle?,
    })
}
