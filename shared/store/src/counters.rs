//! The counters table: state shared by many notifications. Limits, digest windows, cancellations, progress of
//! fan-outs, circuit breakers and rate limits.
//!
//! Every change is one conditional transaction on the version that was read. Of two concurrent dispatchers one is
//! refused, reads again and decides again. The result for a message is stored under the message's own key, so a
//! redelivery gets the same result. Reads check expiry themselves, because DynamoDB deletes expired items late.

mod admission;
mod cancelling;
mod closing;
mod collecting;
mod keeping;
mod links;
mod rate;
mod receipts;
mod requests;
mod tokens;

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::Timestamp;
use jiff::SignedDuration;

pub use collecting::{Closed, DigestArrival};
pub use keeping::{Kept, WriteResult};
pub use links::UsedLink;
pub use requests::{Once, RequestClaim};
pub use tokens::Taken;

use crate::item::{Item, key};
use crate::lookup;
use crate::transactions::{self, crowded};

/// The retention of a result. Longer than a message can return from a queue and its dead-letter queue (14 days
/// each).
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The number of attempts of a transaction. With ten dispatchers on one counter, one in a thousand loses this
/// often.
const ROUNDS: u32 = 12;

/// The counters table.
#[derive(Clone)]
pub struct Counters {
    client: Client,
    table: String,
}

/// The result of a transaction.
enum Written {
    Done,
    /// Another writer was first.
    Lost,
}

impl Counters {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Counters {
        Counters { client: client.clone(), table }
    }

    /// Writes all of these items or none. Each is written only if its own condition holds.
    async fn transact(&self, doing: &'static str, puts: Vec<Put>) -> Result<Written, CallError> {
        let items = puts.into_iter().map(|put| TransactWriteItem::builder().put(put).build());
        match transactions::write(&self.client, doing, items.collect()).await? {
            true => Ok(Written::Done),
            false => Ok(Written::Lost),
        }
    }

    /// A write of an item that must be new.
    fn put_new(&self, item: Item) -> Put {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.into_map()))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .expect("a table and an item are all that a put needs")
    }

    /// A write that replaces the version that was read. With `None` the item must be new.
    fn put_over(&self, item: Item, version: Option<i64>) -> Put {
        let Some(version) = version else { return self.put_new(item) };
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.into_map()))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
            .build()
            .expect("a table and an item are all that a put needs")
    }

    /// Whether a page of a fan-out was completed before.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn is_page_done(&self, page: &str) -> Result<bool, CallError> {
        Ok(lookup::get(&self.client, &self.table, one(&["page", page])).await?.is_some())
    }

    /// Records that a page of a fan-out is complete.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn page_done(&self, page: &str, now: Timestamp) -> Result<(), CallError> {
        let item = expiring(one(&["page", page]), now, REMEMBERED);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.into_map()));
        put.send().await.map(drop).map_err(|error| CallError::new("record a page of a fan-out", error))
    }
}

/// The primary key of the only item in a partition.
fn one(parts: &[&str]) -> Item {
    Item::default().text("pk", key(parts)).text("sk", "-")
}

fn expiring(item: Item, now: Timestamp, after: SignedDuration) -> Item {
    item.number("ttl", crate::seconds(now) + after.as_secs())
}

/// Parses an attribute as JSON. `None` if the text does not parse, as if the attribute were missing.
fn json<T: serde::de::DeserializeOwned>(item: &Item, name: &str) -> Option<T> {
    serde_json::from_str(item.get(name)?).ok()
}

fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("values of the domain always serialize")
}
