//! The counters table: what is true of everybody's messages together. How many passed a limit, what a digest has
//! collected, what was cancelled, how far a fan-out has come, whether and how fast a provider is asked.
//!
//! Every change is one conditional transaction against what was read: of two dispatchers at once one is refused, reads
//! again and decides again. What a message was told is remembered under its own key, so that it is told the same when
//! it comes a second time. Expiry is checked here; the table's own deletion only tidies up.

mod admission;
mod cancelling;
mod closing;
mod collecting;
mod hearing;
mod keeping;
mod links;
mod rate;
mod requests;
mod tokens;

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::Timestamp;
use jiff::SignedDuration;

pub use collecting::{Closed, Joining};
pub use keeping::{Kept, Stood};
pub use links::UsedLink;
pub use requests::{Begun, Once};
pub use tokens::Taken;

use crate::item::{Item, key};
use crate::lookup;
use crate::transactions::{self, crowded};

/// How long an answer is remembered: longer than a message can come back from a queue and its dead letters (14 days
/// each).
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How often a transaction that lost is tried again. With ten dispatchers at one counter, one in a thousand loses so
/// often.
const ROUNDS: u32 = 12;

/// The counters table.
#[derive(Clone)]
pub struct Counters {
    client: Client,
    table: String,
}

/// What became of a transaction.
enum Written {
    Done,
    /// Somebody else was first.
    Lost,
}

impl Counters {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Counters {
        Counters { client: client.clone(), table }
    }

    /// Writes all of these items, or none: each only if its key is still what its condition says.
    async fn transact(&self, doing: &'static str, puts: Vec<Put>) -> Result<Written, Refused> {
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

    /// A write of an item over the version that was read; `None` when there was none.
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

    /// Whether a page of a fan-out was handled to its end before.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn is_page_done(&self, page: &str) -> Result<bool, Refused> {
        Ok(lookup::get(&self.client, &self.table, one(&["page", page])).await?.is_some())
    }

    /// Remembers that a page of a fan-out was handled to its end.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn page_done(&self, page: &str, now: Timestamp) -> Result<(), Refused> {
        let item = expiring(one(&["page", page]), now, REMEMBERED);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.into_map()));
        put.send().await.map(drop).map_err(|error| Refused::new("remember a page of a fan-out", error))
    }
}

/// The key of an item that is alone in its partition.
fn one(parts: &[&str]) -> Item {
    Item::default().text("pk", key(parts)).text("sk", "-")
}

fn expiring(item: Item, now: Timestamp, after: SignedDuration) -> Item {
    item.number("ttl", crate::seconds(now) + after.as_secs())
}

/// What an item says in JSON. `None` when it says something else: then it is as if it were not there.
fn json<T: serde::de::DeserializeOwned>(item: &Item, name: &str) -> Option<T> {
    serde_json::from_str(item.get(name)?).ok()
}

fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("values of the domain always serialize")
}
