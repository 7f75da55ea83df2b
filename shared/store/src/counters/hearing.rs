//! When a number last wrote to us, by the number's keyed hash: WhatsApp takes free text for a day after it.

use aws::Refused;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::proof::WINDOW;

use super::{Counters, one};
use crate::lookup;
use crate::writes::stood;

impl Counters {
    /// Remembers that a number wrote to us at `at`. `caller` is its [`domain::keyed_hash::KeyedHashes::caller`]. An earlier
    /// message that is heard of later changes nothing.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn hear(&self, caller: &str, at: Timestamp) -> Result<(), Refused> {
        let ttl = (crate::seconds(at) + WINDOW.as_secs()).to_string();
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(one(&["heard", caller]).into_map()))
            .update_expression("SET heard = :at, heard_at = :text, #ttl = :ttl")
            .condition_expression("attribute_not_exists(heard) OR heard < :at")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":at", AttributeValue::N(at.as_nanosecond().to_string()))
            .expression_attribute_values(":text", AttributeValue::S(at.to_string()))
            .expression_attribute_values(":ttl", AttributeValue::N(ttl))
            .send()
            .await;
        stood("remember that somebody wrote", sent).map(drop)
    }

    /// When the number with this keyed hash last wrote to us; `None` when that is more than a day ago, or never.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn heard(&self, caller: &str) -> Result<Option<Timestamp>, Refused> {
        let found = lookup::get(&self.client, &self.table, one(&["heard", caller])).await?;
        Ok(found.and_then(|found| found.get("heard_at")?.parse().ok()))
    }
}
