//! Unsubscribe links that were used, by the keys of their messages. A link acts once.

use aws::CallError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::Timestamp;

use super::{Counters, one};
use crate::item::Item;
use crate::lookup;

/// A link that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedLink {
    /// The time of the first use. Later uses act as of this time, so a newer preference of the person wins.
    pub at: Timestamp,
    /// The link has taken effect: the person is unsubscribed and the event is on the bus.
    pub done: bool,
}

impl Counters {
    /// Records the use of a message's link. The first use counts, and two concurrent uses get the same answer. The
    /// row lives until `until`, when the link expires.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn use_link(
        &self,
        message: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<UsedLink, CallError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(message).into_map()))
            .update_expression("SET used_at = if_not_exists(used_at, :at), #ttl = :ttl")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":at", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":ttl", AttributeValue::N(crate::seconds(until).to_string()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| CallError::new("record the use of a link", error))?;
        let found = answer.attributes.map(Item::from).and_then(|item| read(&item));
        Ok(found.unwrap_or(UsedLink { at: now, done: false }))
    }

    /// The use of a message's link, if it was used.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn used_link(&self, message: &str) -> Result<Option<UsedLink>, CallError> {
        let found = lookup::get(&self.client, &self.table, key(message)).await?;
        Ok(found.and_then(|item| read(&item)))
    }

    /// Records that a message's link has taken effect. Later uses change nothing.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn link_is_done(&self, message: &str) -> Result<(), CallError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(message).into_map()))
            .update_expression("SET done = :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await
            .map(drop)
            .map_err(|error| CallError::new("record that a link has taken effect", error))
    }
}

fn key(message: &str) -> Item {
    one(&["unsubscribed", message])
}

/// `None` for an item in another format.
fn read(item: &Item) -> Option<UsedLink> {
    Some(UsedLink { at: item.get("used_at")?.parse().ok()?, done: item.get_number("done").is_some() })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_smithy_mocks::mock;

    use super::*;
    use crate::canned;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);
    const EARLIER: Timestamp = Timestamp::constant(1_794_000_000, 0);

    #[tokio::test]
    async fn later_use_of_a_link_keeps_the_time_of_the_first() {
        let asked = mock!(Client::update_item)
            .match_requests(|input| {
                let pk = input.key().and_then(|key| key["pk"].as_s().ok());
                pk.is_some_and(|pk| pk == "unsubscribed#k-1")
                    && input
                        .update_expression()
                        .is_some_and(|text| text.contains("if_not_exists(used_at, :at)"))
            })
            .then_output(|| {
                let row = Item::default().text("used_at", EARLIER.to_string()).number("done", 1);
                UpdateItemOutput::builder().set_attributes(Some(row.into_map())).build()
            });
        let counters = Counters::new(&canned::client(&[&asked]), "counters".to_owned());
        let used = counters.use_link("k-1", NOON, NOON).await.unwrap();
        assert_eq!(used, UsedLink { at: EARLIER, done: true });
    }
}
