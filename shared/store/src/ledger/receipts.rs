//! Receipts: finds a sent notification by its key or its provider id, and updates its row on the condition that the
//! row is unchanged since it was read.

use aws::CallError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::event::key::Key;
use domain::feedback::receipt::{DeliveryState, StatusUpdate, overdue_hours};

use super::row::marks;
use super::{Ledger, number, pk, text};
use crate::item::Item;
use crate::lookup;

/// The index by provider id. Holds only rows whose channel has receipts.
const BY_PROVIDER: &str = "by_provider";

/// The index of rows that await a receipt, by the hour of their claim.
const BY_AWAITED: &str = "by_awaited";

/// The part of a ledger row that a receipt handler reads.
#[derive(Debug, Clone)]
pub struct StoredReceipts {
    pub key: Key,
    pub recipient: String,
    pub channel: Option<Channel>,
    /// The address as a keyed hash, see `domain::recipient::keyed_hash::KeyedHashes::address`.
    pub address: Option<String>,
    pub progress: DeliveryState,
    /// The number of receipts written so far. A condition on it makes one of two concurrent writers lose.
    news: Option<i64>,
}

impl Ledger {
    /// The key of the notification with this provider id. The index may lag behind a settlement by a second.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn called(&self, provider_id: &str) -> Result<Option<Key>, CallError> {
        let found = self.indexed(BY_PROVIDER, "provider_id", provider_id).await?;
        Ok(found.into_iter().next())
    }

    /// The row that a receipt applies to.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn stored(&self, key: &Key) -> Result<Option<StoredReceipts>, CallError> {
        let found = lookup::get(&self.client, &self.table, pk(key)).await?;
        Ok(found.as_ref().and_then(|found| StoredReceipts::read(key, found)))
    }

    /// Writes the new state of a notification. `false`: another writer changed the row meanwhile, so read it again.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn advance(
        &self,
        stored: &StoredReceipts,
        to: &DeliveryState,
        provider_id: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        let mut set = vec!["#status = :status".to_owned(), "news = :news".to_owned()];
        set.extend(["heard_at = :now".to_owned(), "settled_at = if_not_exists(settled_at, :now)".to_owned()]);
        let mut remove = Vec::new();
        let mut conditions = vec!["#status = :was"];
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(pk(&stored.key).into_map()))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(to.status.name()))
            .expression_attribute_values(":was", text(stored.progress.status.name()))
            .expression_attribute_values(":news", number(stored.news.unwrap_or(0) + 1))
            .expression_attribute_values(":now", text(&now.to_string()));
        match stored.news {
            Some(before) => {
                conditions.push("news = :before");
                call = call.expression_attribute_values(":before", number(before));
            }
            None => conditions.push("attribute_not_exists(news)"),
        }
        call = call.expression_attribute_names("#reason", "reason");
        match to.reason {
            Some(reason) => {
                set.push("#reason = :reason".to_owned());
                call = call.expression_attribute_values(":reason", text(reason.name()));
            }
            None => remove.push("#reason"),
        }
        if let Some(id) = provider_id {
            set.push("provider_id = if_not_exists(provider_id, :id)".to_owned());
            call = call.expression_attribute_values(":id", text(id));
        }
        if to.status != Status::Sent {
            remove.push("awaits");
        }
        let (marked, call) = mark(call, to, &stored.progress);
        set.extend(marked);
        let removed =
            if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let sent = call
            .update_expression(format!("SET {}{removed}", set.join(", ")))
            .condition_expression(conditions.join(" AND "))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(service_error) if service_error.is_conditional_check_failed_exception() => Ok(false),
                Some(_) | None => Err(CallError::new("write the receipt of a notification", error)),
            },
        }
    }

    /// The notifications whose receipt period has ended without a receipt. The sweep hands each of them to
    /// [`Ledger::mark_unconfirmed`].
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn overdue(&self, now: Timestamp) -> Result<Vec<Key>, CallError> {
        let mut keys = Vec::new();
        for hour in overdue_hours(now) {
            keys.extend(self.indexed(BY_AWAITED, "awaits", &hour).await?);
        }
        Ok(keys)
    }

    /// Records that no receipt will confirm a notification. `false`: a receipt came, or is being written at this
    /// moment.
    ///
    /// # Errors
    /// The table could not be read or written.
    pub async fn mark_unconfirmed(&self, key: &Key, now: Timestamp) -> Result<bool, CallError> {
        let Some(stored) = self.stored(key).await? else { return Ok(false) };
        let to = stored.progress.hear(StatusUpdate::Unconfirmed, now);
        if to == stored.progress {
            return Ok(false);
        }
        self.advance(&stored, &to, None, now).await
    }

    /// The keys under one value of a keys-only index.
    async fn indexed(&self, index: &str, name: &str, value: &str) -> Result<Vec<Key>, CallError> {
        let mut keys = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(index)
                .key_condition_expression("#name = :value")
                .expression_attribute_names("#name", name)
                .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| CallError::new("look up a notification", error))?;
            let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
            keys.extend(
                items.filter_map(|item| Some(Key::from(item.get("pk")?.to_owned() + item.get("sk")?))),
            );
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
    }
}

impl StoredReceipts {
    fn read(key: &Key, item: &Item) -> Option<StoredReceipts> {
        let reason = item.get("reason").and_then(|name| Reason::ALL.into_iter().find(|r| r.name() == name));
        let status = Status::from_name(item.get("status")?)?;
        Some(StoredReceipts {
            key: key.clone(),
            recipient: item.get("recipient")?.to_owned(),
            channel: item.get("channel").and_then(Channel::from_name),
            address: item.get("address").map(str::to_owned),
            progress: DeliveryState { marks: marks(item), ..DeliveryState::of(status, reason) },
            news: item.get_number("news"),
        })
    }
}

/// The assignments of the timestamps that are new. A timestamp that the recipient set meanwhile is replaced only by
/// an earlier one that was read before.
fn mark(
    mut call: UpdateItemFluentBuilder,
    to: &DeliveryState,
    from: &DeliveryState,
) -> (Vec<String>, UpdateItemFluentBuilder) {
    let mut set = Vec::new();
    for (name, after, before) in [
        ("delivered_at", to.marks.delivered_at, from.marks.delivered_at),
        ("bounced_at", to.marks.bounced_at, from.marks.bounced_at),
        ("complained_at", to.marks.complained_at, from.marks.complained_at),
        ("seen_at", to.marks.seen_at, from.marks.seen_at),
    ] {
        let Some(time) = after.filter(|_| after != before) else { continue };
        set.push(match before {
            Some(_) => format!("{name} = :{name}"),
            None => format!("{name} = if_not_exists({name}, :{name})"),
        });
        call = call.expression_attribute_values(format!(":{name}"), text(&time.to_string()));
    }
    (set, call)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::mock;

    use super::*;
    use crate::canned;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[tokio::test]
    async fn receipt_updates_only_the_row_that_was_read() {
        let stored = stored();
        let to = stored.progress.hear(StatusUpdate::Delivered, NOON);
        let asked = mock!(Client::update_item)
            .match_requests(|input| {
                let values = input.expression_attribute_values().unwrap();
                let update = input.update_expression().unwrap();
                input.condition_expression() == Some("#status = :was AND news = :before")
                    && values[":was"] == text("sent")
                    && values[":before"] == number(2)
                    && values[":news"] == number(3)
                    && update.contains("delivered_at = if_not_exists(delivered_at, :delivered_at)")
                    && update.ends_with("REMOVE #reason, awaits")
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let ledger = Ledger::new(&canned::client(&[&asked]), "ledger".into());
        assert!(ledger.advance(&stored, &to, Some("p-1"), NOON).await.unwrap());
        let lost = mock!(Client::update_item).then_error(|| {
            UpdateItemError::ConditionalCheckFailedException(
                ConditionalCheckFailedException::builder().build(),
            )
        });
        let ledger = Ledger::new(&canned::client(&[&lost]), "ledger".into());
        assert!(!ledger.advance(&stored, &to, None, NOON).await.unwrap(), "another writer was first");
    }

    fn stored() -> StoredReceipts {
        let item = Item::default()
            .text("status", "sent")
            .text("recipient", "ann")
            .text("channel", "sms")
            .text("address", "hash")
            .number("news", 2);
        StoredReceipts::read(&Key::parse(&"k".repeat(43)).unwrap(), &item).unwrap()
    }
}
