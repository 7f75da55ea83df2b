//! Cancellations: what was cancelled, and the time of the cancelling event.

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::limits::cancel::{CancelKey, Cancellation};
use jiff::SignedDuration;

use super::{Counters, one};
use crate::lookup;
use crate::writes::stood;

/// The retention of a cancellation. A schedule may lie a year ahead.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Counters {
    /// Cancels everything under this key that events up to this time asked for. An earlier cancellation that
    /// arrives later never replaces a later one.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn cancel(
        &self,
        key: &CancelKey,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<(), CallError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(one(&["cancel", key.as_str()]).into_map()))
            .update_expression("SET cancelled_at = :at, happened = :text, cancelled_by = :by, #ttl = :ttl")
            .condition_expression("attribute_not_exists(cancelled_at) OR cancelled_at < :at")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(
                ":at",
                AttributeValue::N(cancellation.at.as_nanosecond().to_string()),
            )
            .expression_attribute_values(":text", AttributeValue::S(cancellation.at.to_string()))
            .expression_attribute_values(":by", AttributeValue::S(cancellation.by.clone()))
            .expression_attribute_values(
                ":ttl",
                AttributeValue::N((crate::seconds(now) + REMEMBERED.as_secs()).to_string()),
            )
            .send()
            .await;
        stood("record a cancellation", sent).map(drop)
    }

    /// The latest cancellation under this key.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn cancelled(&self, key: &CancelKey) -> Result<Option<Cancellation>, CallError> {
        let found = lookup::get(&self.client, &self.table, one(&["cancel", key.as_str()])).await?;
        Ok(found.and_then(|found| {
            let by = found.get("cancelled_by").unwrap_or_default().to_owned();
            Some(Cancellation { at: found.get("happened")?.parse().ok()?, by })
        }))
    }
}
