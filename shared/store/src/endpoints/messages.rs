//! Messages that did not arrive at the first attempt: how far their schedule has come, and what was to be sent.

use aws::Refused;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::endpoint::EndpointId;
use domain::job::Job;
use domain::key::Key;

use super::{Endpoints, happened};
use crate::item::{Item, sort_key};

/// How long a message can be sent again by hand: 14 days, and the four that its own schedule may take.
const KEPT_SECONDS: i64 = 18 * 86_400;

/// Where a message stands that has failed at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It is tried again at its time.
    Retrying,
    /// It is not tried again by itself.
    Failed,
    /// It arrived after all.
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
        all.into_iter().find(|it| it.name() == name)
    }
}

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub state: MessageState,
    /// Attempts of its schedule that were made.
    pub attempts: u32,
    /// When the next one may be made.
    pub next_at: Option<Timestamp>,
}

/// A message that can be sent again. No `Debug`: it holds a job.
#[derive(Clone)]
pub struct Undelivered {
    pub message: Message,
    /// When it first failed.
    pub failed_at: Timestamp,
    /// Attempts that somebody asked for and that failed.
    pub tried_by_hand: u32,
    pub job: Job,
}

impl Message {
    pub(super) fn read(item: &Item) -> Option<Message> {
        Some(Message {
            state: MessageState::from_name(item.get("state")?)?,
            attempts: item.get_number("attempts").and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
            next_at: item.get("next_at").and_then(|it| it.parse().ok()),
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
    /// Remembers a message that did not arrive: what is to happen next, and the job, so that it can be sent again by
    /// hand. `false`: it has arrived meanwhile, and that stands.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn failed(
        &self,
        id: &EndpointId,
        job: &Job,
        message: &Message,
        now: Timestamp,
    ) -> Result<bool, Refused> {
        let job_json = serde_json::to_string(job).expect("a job is strings, numbers and JSON text");
        let text = |it: &str| AttributeValue::S(it.to_owned());
        let number = |it: i64| AttributeValue::N(it.to_string());
        let (set_next, next) = match message.next_at {
            Some(at) => (", next_at = :next", Some(text(&at.to_string()))),
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
        happened("remember a message that did not arrive", update.send().await)
    }

    /// A message that had failed has arrived. What it said is not kept any longer.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn delivered(&self, id: &EndpointId, message: &Key, now: Timestamp) -> Result<(), Refused> {
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
        happened("remember that a message has arrived", update.send().await).map(drop)
    }

    /// Counts an attempt that somebody asked for and that failed, so that the next recovery is another one.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn failed_by_hand(&self, id: &EndpointId, message: &Key) -> Result<(), Refused> {
        let update = self
            .update(&message_key(id, message))
            .update_expression("ADD by_hand :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        happened("count an attempt by hand", update.send().await).map(drop)
    }

    /// A message that has not arrived. `None`: it has, or it never failed.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn undelivered(&self, id: &EndpointId, message: &Key) -> Result<Option<Undelivered>, Refused> {
        let found = crate::lookup::get(&self.client, &self.table, message_key(id, message)).await?;
        Ok(found.as_ref().and_then(Undelivered::read))
    }

    /// Messages that are not tried again by themselves and first failed at `since` or later, at most `most` of them,
    /// and where the next page begins. A page can be empty and still have a next one.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn lost(
        &self,
        id: &EndpointId,
        since: Timestamp,
        after: Option<&Key>,
        most: u32,
    ) -> Result<(Vec<Undelivered>, Option<Key>), Refused> {
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
            .map_err(|error| Refused::new("read messages that did not arrive", error))?;
        let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
        let lost = items.filter_map(|item| Undelivered::read(&item)).filter(|it| it.failed_at >= since);
        let next = answer.last_evaluated_key.map(Item::from);
        Ok((lost.collect(), next.and_then(|it| it.get("sk").map(|it| Key::from(it.to_owned())))))
    }
}

pub(super) fn partition(id: &EndpointId) -> String {
    sort_key(&["message", id.tenant.as_deref().unwrap_or(super::NO_TENANT), &id.id])
}

pub(super) fn message_key(id: &EndpointId, message: &Key) -> Item {
    Item::default().text("pk", partition(id)).text("sk", message.as_str())
}
