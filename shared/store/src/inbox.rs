//! The inbox table: what people were told live and can read later.
//!
//! Everything of one user lies in one partition: the head, which numbers and counts; the entries under their numbers;
//! a row for each entry that files its number under the entry's time; and a note for each notification key that leads to
//! its number. Every change goes through the head: it is written in
//! one transaction with the entries it counts, on condition that nobody else wrote it meanwhile. So a notification is
//! stored once however often it is delivered, and the counts never drift. What a tenant said stands on each entry, and
//! a viewer of another tenant gets none of it.

mod forgetting;
mod listing;
mod marking;
mod ordering;

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::Timestamp;
use domain::inbox::{Counts, Entry, Head, Kept, State, View, Viewer, expires_at};
use domain::key::Key;
use jiff::SignedDuration;

pub use listing::{InboxPage, Missed};
pub use marking::{Marked, MarkedAll, mark, mark_all};

use crate::item::{Item, key};
use crate::{lookup, pause, transactions};

/// How often a write that lost against another one is tried again.
const ROUNDS: u32 = 12;

/// How long a head is kept after its newest entry: by then the table has deleted those entries, so that the numbers may
/// begin anew.
const HEAD_KEPT: SignedDuration = SignedDuration::from_hours(24 * 60);

/// Digits of a number in a sort key.
const DIGITS: usize = 12;

/// The highest number that a sort key has room for.
const MAX_SEQ: u64 = 999_999_999_999;

/// The inbox table.
#[derive(Clone)]
pub struct Inbox {
    client: Client,
    table: String,
}

/// An entry that is in its inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub seq: u64,
    /// Whether it was this call that put it there.
    pub is_new: bool,
    head: Head,
}

impl Stored {
    /// How many entries are in a view of this inbox, now that it is there.
    #[must_use]
    pub fn counts(&self, view: &View, now: Timestamp) -> Counts {
        self.head.counts(view, now)
    }
}

/// The head as it was read, and which writing of it that was. `None` when there was none.
struct Read {
    head: Head,
    version: Option<i64>,
}

impl Inbox {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Inbox {
        Inbox { client: client.clone(), table }
    }

    /// Puts what somebody is told into their inbox. What is there already stays as it is: a message may be delivered
    /// again.
    ///
    /// # Errors
    /// The table could not be asked, or others were first again and again. Asking again is harmless.
    pub async fn store(
        &self,
        user: &str,
        tenant: Option<&str>,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<Stored, Refused> {
        const DOING: &str = "put an entry into an inbox";
        let entry = kept.to_json();
        for round in 0..ROUNDS {
            let found = self.items(vec![head_key(user), note_key(user, &kept.id)]).await?;
            let read = read_head(&found);
            let note = found.iter().find_map(|it| u64::try_from(it.get_number("seq")?).ok());
            if let Some(seq) = note {
                return Ok(Stored { seq, is_new: false, head: read.head });
            }
            let (head, seq) = read.head.with_one_more(tenant, now);
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
                return Ok(Stored { seq, is_new: true, head });
            }
            pause::before(round + 1).await;
        }
        Err(transactions::crowded(DOING))
    }

    /// How many entries a viewer has, by one read.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn counts(&self, viewer: &Viewer, now: Timestamp) -> Result<Counts, Refused> {
        Ok(self.head(&viewer.user).await?.counts(&viewer.view, now))
    }

    /// What a user's inbox counts, for whoever needs the counts of several viewers of it.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn head(&self, user: &str) -> Result<Head, Refused> {
        let found = lookup::get(&self.client, &self.table, head_key(user)).await?;
        Ok(read_head(found.as_slice()).head)
    }

    async fn items(&self, keys: Vec<Item>) -> Result<Vec<Item>, Refused> {
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
    let item = found.iter().find(|it| it.get("head").is_some());
    let head = item.and_then(|item| serde_json::from_str(item.get("head")?).ok()).unwrap_or_default();
    Read { head, version: item.and_then(|item| item.get_number("version")) }
}

/// An entry as its item says. `None` when it is none, or one of another release that cannot be read.
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

/// In the order of the numbers.
fn entry_sk(seq: u64) -> String {
    format!("entry#{seq:0>DIGITS$}")
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
