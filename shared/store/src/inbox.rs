//! The inbox table: in-app messages that recipients can read later.
//!
//! All items of one user share a partition: the head, which holds the numbers and counts; the entries under their
//! numbers; a row per entry that orders it by time; and a row per notification key with the entry's number. Every
//! change writes the head in one transaction with the entries it counts, on the condition that no other writer
//! changed it. So a notification is stored once however often it is delivered, and the counts stay exact. Each
//! entry carries its tenant, and a viewer of another tenant does not get it.

mod forgetting;
mod listing;
mod marking;
mod ordering;

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::Timestamp;
use domain::event::key::Key;
use domain::inbox::{Counts, Entry, Head, Kept, State, View, Viewer, expires_at};
use jiff::SignedDuration;

pub use listing::{InboxPage, Missed};
pub use marking::{Marked, MarkedAll, mark, mark_all};

use crate::item::{Item, key};
use crate::{lookup, pause, transactions};

/// The number of attempts of a write that lost against another one.
const ROUNDS: u32 = 12;

/// The retention of a head after its newest entry. By then the table has deleted those entries, so the numbers may
/// start again.
const HEAD_KEPT: SignedDuration = SignedDuration::from_hours(24 * 60);

/// The number of digits of an entry number in a sort key.
const DIGITS: usize = 12;

/// The highest entry number that fits a sort key.
const MAX_SEQ: u64 = 999_999_999_999;

/// The inbox table.
#[derive(Clone)]
pub struct Inbox {
    client: Client,
    table: String,
}

/// An entry that is in its inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// The entry's number.
    pub seq: u64,
    /// Whether this call stored the entry.
    pub is_new: bool,
    head: Head,
}

impl StoredEntry {
    /// The counts of a view of this inbox, including the entry.
    #[must_use]
    pub fn counts(&self, view: &View, now: Timestamp) -> Counts {
        self.head.counts(view, now)
    }
}

/// The head as read, and its version. `None` if there was none.
struct Read {
    head: Head,
    version: Option<i64>,
}

impl Inbox {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Inbox {
        Inbox { client: client.clone(), table }
    }

    /// Stores an in-app message in the inbox of a user. An existing entry is left unchanged, because a message may
    /// be redelivered.
    ///
    /// # Errors
    /// The table did not answer, or other writers were first in every round. A repetition is harmless.
    pub async fn store(
        &self,
        user: &str,
        tenant: Option<&str>,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<StoredEntry, CallError> {
        const DOING: &str = "store an inbox entry";
        let entry = kept.to_json();
        for round in 0..ROUNDS {
            let found = self.items(vec![head_key(user), note_key(user, &kept.id)]).await?;
            let read = read_head(&found);
            let note = found.iter().find_map(|item| u64::try_from(item.get_number("seq")?).ok());
            if let Some(seq) = note {
                return Ok(StoredEntry { seq, is_new: false, head: read.head });
            }
            let (head, seq) = read.head.with_new_entry(tenant, now);
            let ttl = crate::seconds(expires_at(now));
            let item = entry_key(user, seq)
                .text("key", kept.id.as_str())
                .maybe("tenant", tenant)
                .text("category", &kept.category)
                .text("state", State::Unseen.name())
                .text("created_at", now.to_string())
                .text("entry", &entry)
                .number("ttl", ttl);
            let note = note_key(user, &kept.id).number("seq", number(seq)).number("ttl", ttl);
            let order = ordering::row(user, &item).unwrap_or_else(|| note.clone());
            let writes = vec![
                self.put_head(user, &head, read.version),
                self.put(note).condition_expression("attribute_not_exists(pk)"),
                self.put(item).condition_expression("attribute_not_exists(pk)"),
                self.put(order),
            ];
            let writes = writes.into_iter().map(whole).collect();
            if transactions::write(&self.client, DOING, writes).await? {
                return Ok(StoredEntry { seq, is_new: true, head });
            }
            pause::before(round + 1).await;
        }
        Err(transactions::crowded(DOING))
    }

    /// The counts of a viewer. Takes one read.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn counts(&self, viewer: &Viewer, now: Timestamp) -> Result<Counts, CallError> {
        Ok(self.head(&viewer.user).await?.counts(&viewer.view, now))
    }

    /// The head of a user's inbox, from which the counts of several viewers can be derived.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn head(&self, user: &str) -> Result<Head, CallError> {
        let found = lookup::get(&self.client, &self.table, head_key(user)).await?;
        Ok(read_head(found.as_slice()).head)
    }

    async fn items(&self, keys: Vec<Item>) -> Result<Vec<Item>, CallError> {
        lookup::several(&self.client, &self.table, "read an inbox", keys).await
    }

    fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item.into_map()))
    }

    fn put_head(
        &self,
        user: &str,
        head: &Head,
        version: Option<i64>,
    ) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        let text = serde_json::to_string(head).expect("numbers and names always serialize");
        let item = head_key(user)
            .text("head", text)
            .number("version", version.unwrap_or(0) + 1)
            .number("ttl", crate::seconds(head.expires_at()) + HEAD_KEPT.as_secs());
        let put = self.put(item);
        match version {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        }
    }
}

fn whole(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> TransactWriteItem {
    let put = put.build().expect("a table and an item are all that a put needs");
    TransactWriteItem::builder().put(put).build()
}

fn read_head(found: &[Item]) -> Read {
    let item = found.iter().find(|item| item.get("head").is_some());
    let head = item.and_then(|item| serde_json::from_str(item.get("head")?).ok()).unwrap_or_default();
    Read { head, version: item.and_then(|item| item.get_number("version")) }
}

/// Parses an item as an entry. `None` for another item, or for an entry of another release that cannot be parsed.
pub(crate) fn read_entry(item: &Item) -> Option<Entry> {
    Some(Entry {
        seq: item.get("sk")?.strip_prefix("entry#")?.parse().ok()?,
        state: State::from_name(item.get("state")?)?,
        tenant: item.get("tenant").map(str::to_owned),
        created: item.get("created_at")?.parse().ok()?,
        kept: serde_json::from_str(item.get("entry")?).ok()?,
    })
}

fn user_pk(user: &str) -> String {
    key(&["user", user])
}

fn under(user: &str, sk: impl Into<String>) -> Item {
    Item::default().text("pk", user_pk(user)).text("sk", sk)
}

fn head_key(user: &str) -> Item {
    under(user, "head")
}

fn note_key(user: &str, key: &Key) -> Item {
    under(user, format!("key#{}", key.as_str()))
}

fn entry_key(user: &str, seq: u64) -> Item {
    under(user, entry_sk(seq))
}

/// The sort key of an entry. Sorts by number.
fn entry_sk(seq: u64) -> String {
    format!("entry#{seq:0>DIGITS$}")
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
