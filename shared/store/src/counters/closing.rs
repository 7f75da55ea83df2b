//! Suppressed addresses, whatever recipient they belong to.

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::recipient::Suppression;

use super::{Counters, one};
use crate::item::Item;
use crate::lookup;
use crate::writes::stood;

impl Counters {
    /// Suppresses an address by its hash. Of two suppressions the one that ends later counts, in any order of
    /// arrival. A suppression without an address or an end belongs to a recipient's profile and is ignored here.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn suppress_address(&self, suppression: &Suppression) -> Result<(), CallError> {
        let (Some(address), Some(until)) = (&suppression.address, suppression.until) else { return Ok(()) };
        let closed =
            serde_json::to_string(suppression).expect("a channel, a word and a time always serialize");
        let ends = until.as_second();
        let item = one(&["address", address])
            .with(Item::default().text("closed", closed).number("ends", ends).number("ttl", ends));
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.into_map()))
            .condition_expression("attribute_not_exists(pk) OR ends < :ends")
            .expression_attribute_values(":ends", AttributeValue::N(ends.to_string()))
            .send()
            .await;
        stood("suppress an address", sent).map(drop)
    }

    /// The suppression of an address, by its hash. May have ended.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn suppressed_address(&self, address: &str) -> Result<Option<Suppression>, CallError> {
        let found = lookup::get(&self.client, &self.table, one(&["address", address])).await?;
        Ok(found.and_then(|found| serde_json::from_str(found.get("closed")?).ok()))
    }
}
