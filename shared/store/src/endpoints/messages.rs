//! Messages that failed at the first attempt: their retry state, and the job to send.

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::delivery::job::Job;
use domain::event::key::Key;
use domain::webhook::endpoint::EndpointId;

use super::{Endpoints, was_executed};
use crate::item::{Item, sort_key};

/// The period in which a message can be resent manually: 14 days, and the four that its retry schedule may take.
const KEPT_SECONDS: i64 = 18 * 86_400;

/// The state of a message that has failed at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// The next attempt is scheduled.
    Retrying,
    /// No further attempt is scheduled.
    Failed,
    /// The message was delivered by a retry.
    Delivered,
}

impl MessageState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MessageState::Retrying => "retrying",
            MessageState::Failed => "failed",
            MessageState::Delivered => "delivered",
        }
    }

    fn from_name(name: &str) -> Option<MessageState> {
        let all = [MessageState::Retrying, MessageState::Failed, MessageState::Delivered];
        all.into_iter().find(|state| state.name() == name)
    }
}

/// The retry state of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub state: MessageState,
    /// The number of scheduled attempts so far.
    pub attempts: u32,
    /// The earliest time of the next attempt.
    pub next_at: Option<Timestamp>,
}

/// A message that can be sent again.
#[derive(Clone)]
pub struct Undelivered {
    pub message: Message,
    /// The time of the first failure.
    pub failed_at: Timestamp,
    /// The number of failed manual attempts.
    pub tried_by_hand: u32,
    pub job: Job,
}

impl Message {
    pub(super) fn read(item: &Item) -> Option<Message> {
        Some(Message {
            state: MessageState::from_name(item.get("state")?)?,
            attempts: item.get_number("attempts").and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
            next_at: item.get("next_at").and_then(|text| text.parse().ok()),
        })
    }
}

impl Undelivered {
    fn read(item: &Item) -> Option<Undelivered> {
        Some(Undelivered {
            message: Message::read(item)?,
            failed_at: item.get("failed_at")?.parse().ok()?,
            tried_by_hand: item
                .get_number("by_hand")
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(0),
            job: Job::read(item.get("job")?).ok()?,
        })
    }
}

impl Endpoints {
    /// Records a failed message: its next state, and the job for a manual resend. `false`: the message was
    /// delivered meanwhile and stays so.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn failed(
        &self,
        id: &EndpointId,
        job: &Job,
        message: &Message,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        let job_json = serde_json::to_string(job).expect("a job is strings, numbers and JSON text");
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: i64| AttributeValue::N(value.to_string());
        let (set_next, next) = match message.next_at {
            Some(time) => (", next_at = :next", Some(text(&time.to_string()))),
            None => (" REMOVE next_at", None),
        };
        let update = self
            .update(&message_key(id, &job.key))
            .update_expression(format!(
                "SET #state = :state, attempts = :attempts, failed_at = if_not_exists(failed_at, :now), \
                 job = if_not_exists(job, :job), event_id = :event, event_type = :kind, #ttl = :ttl{set_next}"
            ))
            .condition_expression("attribute_not_exists(#state) OR #state <> :delivered")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":state", text(message.state.name()))
            .expression_attribute_values(":delivered", text(MessageState::Delivered.name()))
            .expression_attribute_values(":attempts", number(i64::from(message.attempts)))
            .expression_attribute_values(":now", text(&now.to_string()))
            .expression_attribute_values(":job", text(&job_json))
            .expression_attribute_values(":event", text(&job.event.id))
            .expression_attribute_values(":kind", text(&job.event.kind))
            .expression_attribute_values(":ttl", number(crate::seconds(now) + KEPT_SECONDS));
        let update = match next {
            Some(next) => update.expression_attribute_values(":next", next),
            None => update,
        };
        was_executed("record a failed message", update.send().await)
    }

    /// Records that a failed message was delivered and deletes its content.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn delivered(&self, id: &EndpointId, message: &Key, now: Timestamp) -> Result<(), CallError> {
        let update = self
            .update(&message_key(id, message))
            .update_expression("SET #state = :delivered, delivered_at = :now REMOVE job, next_at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(
                ":delivered",
                AttributeValue::S(MessageState::Delivered.name().to_owned()),
            )
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()));
        was_executed("record a delivered message", update.send().await).map(drop)
    }

    /// Counts a failed manual attempt, so that the next recovery gets a new id.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn failed_by_hand(&self, id: &EndpointId, message: &Key) -> Result<(), CallError> {
        let update = self
            .update(&message_key(id, message))
            .update_expression("ADD by_hand :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        was_executed("count a manual attempt", update.send().await).map(drop)
    }

    /// A message that was not delivered. `None`: it was delivered, or it never failed.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn undelivered(
        &self,
        id: &EndpointId,
        message: &Key,
    ) -> Result<Option<Undelivered>, CallError> {
        let found = crate::lookup::get(&self.client, &self.table, message_key(id, message)).await?;
        Ok(found.as_ref().and_then(Undelivered::read))
    }

    /// Messages without a scheduled attempt that first failed at `since` or later: at most `most`, and the position
    /// of the next page. A page can be empty and still have a next one.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn lost(
        &self,
        id: &EndpointId,
        since: Timestamp,
        after: Option<&Key>,
        most: u32,
    ) -> Result<(Vec<Undelivered>, Option<Key>), CallError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .filter_expression("#state = :failed")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pk", AttributeValue::S(partition(id)))
            .expression_attribute_values(":failed", AttributeValue::S(MessageState::Failed.name().to_owned()))
            .consistent_read(true)
            .limit(i32::try_from(most.max(1)).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.map(|after| message_key(id, after).into_map()))
            .send()
            .await
            .map_err(|error| CallError::new("read failed messages", error))?;
        let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
        let lost = items
            .filter_map(|item| Undelivered::read(&item))
            .filter(|undelivered| undelivered.failed_at >= since);
        let next = answer.last_evaluated_key.map(Item::from);
        Ok((lost.collect(), next.and_then(|item| item.get("sk").map(|key| Key::from(key.to_owned())))))
    }
}

pub(super) fn partition(id: &EndpointId) -> String {
    sort_key(&["message", id.tenant.as_deref().unwrap_or(super::NO_TENANT), &id.id])
}

pub(super) fn message_key(id: &EndpointId, message: &Key) -> Item {
    Item::default().text("pk", partition(id)).text("sk", message.as_str())
}
