//! The last inbound message of a phone number, by the number's keyed hash. WhatsApp accepts free text for one day
//! after it.

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::delivery::render_checks::WINDOW;

use super::{Counters, one};
use crate::lookup;
use crate::writes::stood;

impl Counters {
    /// Records an inbound message at `received_at`. `caller` is the number's [`domain::recipient::keyed_hash::KeyedHashes::caller`]. An
    /// earlier message that arrives later changes nothing.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn hear(&self, caller: &str, received_at: Timestamp) -> Result<(), CallError> {
        let ttl = (crate::seconds(received_at) + WINDOW.as_secs()).to_string();
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(one(&["heard", caller]).into_map()))
            .update_expression("SET heard = :at, heard_at = :text, #ttl = :ttl")
            .condition_expression("attribute_not_exists(heard) OR heard < :at")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":at", AttributeValue::N(received_at.as_nanosecond().to_string()))
            .expression_attribute_values(":text", AttributeValue::S(received_at.to_string()))
            .expression_attribute_values(":ttl", AttributeValue::N(ttl))
            .send()
            .await;
        stood("record an inbound message", sent).map(drop)
    }

    /// The time of the last inbound message of the number with this keyed hash. `None` if that is more than a day
    /// ago, or if there was none.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn heard(&self, caller: &str) -> Result<Option<Timestamp>, CallError> {
        let found = lookup::get(&self.client, &self.table, one(&["heard", caller])).await?;
        Ok(found.and_then(|found| found.get("heard_at")?.parse().ok()))
    }
}
