//! Reading what was put aside, and sending it back: for operators. No function uses it.

use std::collections::BTreeMap;

use aws::Refused;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use domain::Timestamp;

use crate::{Queue, Sqs};

/// What the name of every dead-letter queue ends in; what stands before it is the name of the queue it belongs to.
pub const SUFFIX: &str = "-dead-letters";

/// SQS hands out and takes back ten at a time.
const AT_ONCE: usize = 10;

/// Empty answers in a row that mean the queue has no more: SQS asks only some of its servers at a time.
const EMPTY_ANSWERS: u32 = 3;

/// One queue of what was put aside, and the queue it came from.
#[derive(Clone)]
pub struct DeadLetters {
    sqs: Sqs,
    url: String,
    source: Queue,
    /// The name of the queue it came from.
    pub name: String,
}

/// One message that was put aside. No `Debug`: its body may hold anything.
#[derive(Clone)]
pub struct Letter {
    pub id: String,
    pub body: String,
    /// `cause`, `detail`, `by`, and what EventBridge adds when it cannot deliver.
    pub attributes: BTreeMap<String, String>,
    /// On whose account it waited.
    pub group: Option<String>,
    /// When it was first put into a queue. A message that SQS moves keeps this time.
    pub sent_at: Option<Timestamp>,
    /// How often a queue has handed it out, people who looked at it included.
    pub receives: u32,
    handle: String,
}

impl Letter {
    /// A message that only has an id and a text.
    #[must_use]
    pub fn of(id: &str, body: &str) -> Letter {
        Letter {
            id: id.to_owned(),
            body: body.to_owned(),
            attributes: BTreeMap::new(),
            group: None,
            sent_at: None,
            receives: 1,
            handle: String::new(),
        }
    }
}

impl DeadLetters {
    /// The dead letters whose queue's name begins with `prefix`, by the names of the queues they belong to.
    ///
    /// # Errors
    /// SQS could not be asked.
    pub async fn all(sqs: &Sqs, prefix: &str) -> Result<Vec<DeadLetters>, Refused> {
        let (mut urls, mut next) = (Vec::new(), None);
        loop {
            let call = sqs.client().list_queues().queue_name_prefix(prefix).max_results(1_000);
            let answer = call.set_next_token(next.take()).send().await;
            let answer = answer.map_err(|error| Refused::new("list the queues", error))?;
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

    /// About how many there are, those that somebody is looking at included.
    ///
    /// # Errors
    /// SQS could not be asked.
    pub async fn count(&self) -> Result<u64, Refused> {
        let numbers = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let call = self.sqs.client().get_queue_attributes().queue_url(&self.url);
        let answer = call.set_attribute_names(Some(numbers.to_vec())).send().await;
        let answer = answer.map_err(|error| Refused::new("count dead letters", error))?;
        let found = answer.attributes.unwrap_or_default();
        Ok(numbers.iter().filter_map(|number| found.get(number)?.parse::<u64>().ok()).sum())
    }

    /// Up to `most` messages. Nobody else is shown them for `hidden` seconds, or until they are given back.
    ///
    /// # Errors
    /// SQS could not be asked; what it had handed out shows itself again after `hidden`.
    pub async fn take(&self, most: usize, hidden: u32) -> Result<Vec<Letter>, Refused> {
        let (mut letters, mut empty) = (Vec::new(), 0);
        while letters.len() < most && empty < EMPTY_ANSWERS {
            let some = self.receive((most - letters.len()).min(AT_ONCE), hidden).await?;
            empty = if some.is_empty() { empty + 1 } else { 0 };
            letters.extend(some);
        }
        Ok(letters)
    }

    async fn receive(&self, most: usize, hidden: u32) -> Result<Vec<Letter>, Refused> {
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
            .map_err(|error| Refused::new("read dead letters", error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(letter).collect())
    }

    /// Shows these to everybody again, at once. What cannot be given back shows itself when its time is over.
    pub async fn give_back(&self, letters: &[Letter]) {
        for some in letters.chunks(AT_ONCE) {
            let mut call = self.sqs.client().change_message_visibility_batch().queue_url(&self.url);
            for (at, it) in some.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(at.to_string())
                    .receipt_handle(&it.handle)
                    .visibility_timeout(0)
                    .build()
                    .expect("an id and a handle are all that an entry needs");
                call = call.entries(entry);
            }
            drop(call.send().await);
        }
    }

    /// Sends a message to the queue it came from, word by word, and takes it away from here when that queue has it. In
    /// between it is in both: whoever handles it finds what was done under its keys.
    ///
    /// # Errors
    /// It is still here.
    pub async fn send_back(&self, letter: &Letter) -> Result<(), Refused> {
        // When it was first put into a queue stays on record, however often it is sent back.
        let first_at = letter.attributes.get("first_at").cloned();
        let first_at = first_at.or_else(|| letter.sent_at.map(|sent_at| sent_at.to_string()));
        self.source.send_again(&letter.body, letter.group.as_deref(), first_at.as_deref()).await?;
        self.discard(letter).await
    }

    /// How long the queue that these come from hides what was handed out and not done with.
    ///
    /// # Errors
    /// SQS did not take it.
    pub async fn hide_for(&self, time: std::time::Duration) -> Result<(), Refused> {
        let call = self.sqs.client().set_queue_attributes().queue_url(&self.source.url);
        let call = call.attributes(QueueAttributeName::VisibilityTimeout, time.as_secs().to_string());
        call.send()
            .await
            .map(drop)
            .map_err(|error| Refused::new("set how long a queue hides messages", error))
    }

    /// Deletes a message for good.
    ///
    /// # Errors
    /// It is still here.
    pub async fn discard(&self, letter: &Letter) -> Result<(), Refused> {
        let call = self.sqs.client().delete_message().queue_url(&self.url).receipt_handle(&letter.handle);
        call.send().await.map(drop).map_err(|error| Refused::new("delete a dead letter", error))
    }
}

fn letter(message: Message) -> Option<Letter> {
    let system = message.attributes.unwrap_or_default();
    let of = |name: &MessageSystemAttributeName| system.get(name).map(String::as_str);
    let sent_at = of(&MessageSystemAttributeName::SentTimestamp).and_then(|it| it.parse().ok());
    let receives = of(&MessageSystemAttributeName::ApproximateReceiveCount).and_then(|it| it.parse().ok());
    let attributes = message.message_attributes.unwrap_or_default().into_iter();
    Some(Letter {
        id: message.message_id?,
        body: message.body?,
        attributes: attributes.filter_map(|(name, it)| Some((name, it.string_value?))).collect(),
        group: of(&MessageSystemAttributeName::MessageGroupId).map(str::to_owned),
        sent_at: sent_at.and_then(|sent_at| Timestamp::from_millisecond(sent_at).ok()),
        receives: receives.unwrap_or(1),
        handle: message.receipt_handle?,
    })
}
