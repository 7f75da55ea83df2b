//! Deletion of the inbox of a deleted user.

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{Inbox, head_key, under, user_pk};
use crate::item::Item;
use crate::{lookup, pause, transactions, writes};

/// The number of items per call.
const AT_ONCE: u32 = 500;

const DOING: &str = "delete an inbox";

impl Inbox {
    /// Deletes a user's inbox with the entries of all tenants. Deleting an inbox that does not exist succeeds.
    ///
    /// The head is deleted last, on the condition that no entry was added meanwhile. An entry without a head would
    /// block the entry that gets its number next.
    ///
    /// # Errors
    /// The table did not answer, or entries were added in every round. A repetition is harmless.
    pub async fn forget(&self, user: &str) -> Result<(), CallError> {
        for round in 0..super::ROUNDS {
            pause::before(round).await;
            let head = lookup::get(&self.client, &self.table, head_key(user)).await?;
            self.forget_entries(user).await?;
            let Some(head) = head else { return Ok(()) };
            let version = head.get_number("version").unwrap_or(0);
            let delete = self.client.delete_item().table_name(&self.table);
            let delete = delete.set_key(Some(head_key(user).into_map()));
            let sent = delete
                .condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
                .send()
                .await;
            if writes::stood(DOING, sent)? {
                return Ok(());
            }
        }
        Err(transactions::crowded(DOING))
    }

    /// Deletes all items but the head.
    async fn forget_entries(&self, user: &str) -> Result<(), CallError> {
        let mut start: Option<Item> = None;
        loop {
            let all = (user_pk(user), "sk");
            let (keys, more) = lookup::page(&self.client, &self.table, DOING, all, start, AT_ONCE).await?;
            start = keys.last().filter(|_| more).map(|key| under(user, key));
            let keys = keys.iter().filter(|key| *key != "head").map(|key| under(user, key));
            writes::write(&self.client, &self.table, DOING, keys.map(writes::delete).collect()).await?;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}
