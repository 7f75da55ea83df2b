//! Engagement: recipients report that they saw or acknowledged a notification.

use aws::CallError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::Timestamp;
use domain::catalog::rule::Unless;
use domain::event::key::Key;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Ledger, pk, text};
use crate::item::Item;
use crate::lookup;

/// The number of rows written concurrently for one request.
const AT_ONCE: usize = 10;

/// The prefix of the recipient name of a room.
const ROOM: &str = "room:";

/// The result of an engagement report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// The engagement is recorded.
    Remembered,
    /// The recipient has no notification with this key.
    NotTheirs,
    /// The notification went to a room, and no member can report for the whole room.
    ToARoom,
}

impl Ledger {
    /// The strongest engagement with any of these notifications.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn noticed(&self, keys: &[Key]) -> Result<Option<Unless>, CallError> {
        let mut most = None;
        for key in keys {
            let Some(row) = lookup::get(&self.client, &self.table, pk(key)).await? else { continue };
            let how = match (row.get("acknowledged_at"), row.get("seen_at")) {
                (Some(_), _) => Some(Unless::Acknowledged),
                (None, Some(_)) => Some(Unless::Seen),
                (None, None) => None,
            };
            most = most.max(how);
        }
        Ok(most)
    }

    /// Records that a recipient saw or acknowledged a notification. A recipient can report only their own
    /// notifications, and not those of a room. The first time counts.
    ///
    /// `recipient` is the name in keys and rows, see `domain::decide::plan::Audience::name`.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn notice(
        &self,
        key: &Key,
        recipient: &str,
        tenant: Option<&str>,
        how: Unless,
        now: Timestamp,
    ) -> Result<Noticed, CallError> {
        let update = match how {
            Unless::Seen => "SET seen_at = if_not_exists(seen_at, :now)",
            Unless::Acknowledged => {
                "SET seen_at = if_not_exists(seen_at, :now), acknowledged_at = if_not_exists(acknowledged_at, :now)"
            }
        };
        let whose = match tenant {
            Some(_) => "recipient = :recipient AND (attribute_not_exists(tenant) OR tenant = :tenant)",
            None => "recipient = :recipient",
        };
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(pk(key).into_map()))
            .update_expression(update)
            .condition_expression(whose)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_values(":now", text(&now.to_string()))
            .expression_attribute_values(":recipient", text(recipient));
        if let Some(tenant) = tenant {
            call = call.expression_attribute_values(":tenant", text(tenant));
        }
        let Err(error) = call.send().await else { return Ok(Noticed::Remembered) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(conditional_check_failed_exception)) => {
                Ok(not_noticed(
                    conditional_check_failed_exception.item().cloned().map(Item::from).as_ref(),
                    tenant,
                ))
            }
            Some(_) | None => Err(CallError::new("record that a notification was seen", error)),
        }
    }
}

impl Ledger {
    /// Records the same engagement with several notifications and returns the results in their order.
    ///
    /// # Errors
    /// The table could not be written. Some reports may be recorded. A repetition is harmless.
    pub async fn record_engagements(
        &self,
        keys: Vec<Key>,
        recipient: &str,
        tenant: Option<&str>,
        how: Unless,
        now: Timestamp,
    ) -> Result<Vec<(Key, Noticed)>, CallError> {
        let asked = keys.into_iter().map(async |key| {
            let noticed = self.notice(&key, recipient, tenant, how, now).await?;
            Ok((key, noticed))
        });
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }
}

/// The reason why the recipient cannot report engagement with this notification.
fn not_noticed(row: Option<&Item>, tenant: Option<&str>) -> Noticed {
    let Some(row) = row else { return Noticed::NotTheirs };
    let is_other = |theirs: &str| tenant.is_some_and(|tenant| tenant != theirs);
    let to_a_room = row.get("recipient").is_some_and(|name| name.starts_with(ROOM));
    if to_a_room && !row.get("tenant").is_some_and(is_other) { Noticed::ToARoom } else { Noticed::NotTheirs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::{Rule, mock};

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[tokio::test]
    async fn engagement_is_written_only_for_its_recipient_and_tenant() {
        let asked = mock!(Client::update_item)
            .match_requests(|input| {
                let values = input.expression_attribute_values().unwrap();
                input.condition_expression()
                    == Some("recipient = :recipient AND (attribute_not_exists(tenant) OR tenant = :tenant)")
                    && values[":recipient"] == text("ann")
                    && values[":tenant"] == text("clinic-7")
                    && input
                        .update_expression()
                        .is_some_and(|update_expression| update_expression.contains("acknowledged_at"))
            })
            .then_output(|| UpdateItemOutput::builder().build());
        assert_eq!(notice(&asked).await, Noticed::Remembered);
    }

    #[tokio::test]
    async fn room_notification_is_recognised_only_within_its_tenant() {
        let row = |recipient: &str, tenant: Option<&str>| {
            Some(Item::default().text("recipient", recipient).maybe("tenant", tenant))
        };
        for (row, expected) in [
            (None, Noticed::NotTheirs),
            (row("ben", Some("clinic-7")), Noticed::NotTheirs),
            (row("user:room:x", Some("clinic-7")), Noticed::NotTheirs),
            (row("room:x", Some("clinic-7")), Noticed::ToARoom),
            (row("room:x", None), Noticed::ToARoom),
            (row("room:x", Some("clinic-8")), Noticed::NotTheirs),
        ] {
            let refused = mock!(Client::update_item).then_error(move || {
                let row = row.clone().map(Item::into_map);
                let error = ConditionalCheckFailedException::builder().set_item(row).build();
                UpdateItemError::ConditionalCheckFailedException(error)
            });
            assert_eq!(notice(&refused).await, expected);
        }
    }

    async fn notice(rule: &Rule) -> Noticed {
        let ledger = Ledger::new(&canned::client(&[rule]), "ledger".into());
        let key = Key::parse(&"k".repeat(43)).unwrap();
        ledger.notice(&key, "ann", Some("clinic-7"), Unless::Acknowledged, NOON).await.unwrap()
    }
}
