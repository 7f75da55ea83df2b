//! Rate limit on events per second of one tenant or source.

use aws::CallError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::Timestamp;

use super::{Counters, key};

/// The retention of one second's count.
const KEPT_SECONDS: i64 = 3_600;

impl Counters {
    /// Counts `events` more events of one tenant or source in this second and returns how many of them are within
    /// `most`. The first ones are. Events beyond the limit wait and are counted again after their redelivery.
    /// `whose` is the key: the kind of counter, and its name.
    ///
    /// # Errors
    /// The table could not be written. The caller decides without a count.
    pub async fn rate(
        &self,
        whose: &[&str],
        events: u32,
        most: u32,
        now: Timestamp,
    ) -> Result<u32, CallError> {
        let key = key(&[&["rate"], whose].concat());
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key))
            .key("sk", AttributeValue::S(now.as_second().to_string()))
            .update_expression("ADD n :n SET #ttl = :ttl")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":n", AttributeValue::N(events.to_string()))
            .expression_attribute_values(
                ":ttl",
                AttributeValue::N((crate::seconds(now) + KEPT_SECONDS).to_string()),
            )
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| CallError::new("count events of a tenant or source", error))?;
        let counted = answer
            .attributes
            .as_ref()
            .and_then(|attributes| attributes.get("n"))
            .and_then(|value| value.as_n().ok());
        let after: u32 = counted.and_then(|counted| counted.parse().ok()).unwrap_or(events);
        let before = after.saturating_sub(events);
        Ok(most.saturating_sub(before).min(events))
    }
}
