//! Marking of entries, together with the engagement in the ledger.

use aws::CallError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::Timestamp;
use domain::catalog::rule::Unless;
use domain::decide::plan::user_name;
use domain::event::key::Key;
use domain::inbox::{Changed, Counts, Entry, InboxFilter, InboxQuery, Mark, Place, State, Viewer};

use super::{Inbox, entry_key, head_key, note_key, read_entry, read_head, whole};
use crate::item::Item;
use crate::ledger::{Ledger, Noticed};
use crate::{pause, transactions};

/// The number of entries per transaction, without the head. DynamoDB accepts a hundred writes.
const AT_ONCE: usize = 50;

/// The number of entries that one call of [`mark_all`] marks at most.
pub(crate) const MOST_AT_ONCE: usize = 500;

const DOING: &str = "mark inbox entries";

/// The result of marking some entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Each notification of the viewer with its current state. `None` if no inbox has it.
    pub marked: Vec<(Key, Option<State>)>,
    /// The notifications that the viewer may not mark, with the reason.
    pub refused: Vec<(Key, Noticed)>,
    /// The current counts of the viewer's inbox.
    pub counts: Counts,
    /// Whether any entry changed. The user's other sockets should then be informed.
    pub changed: bool,
}

/// The result of marking all entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedAll {
    /// The number of entries that changed.
    pub marked: usize,
    /// There are more entries. Ask again.
    pub more: bool,
    pub counts: Counts,
}

/// The result of one transaction.
struct Moved {
    /// The current states of the entries that exist and are visible to the viewer.
    states: Vec<(Key, State)>,
    changed: bool,
    counts: Counts,
}

/// Marks these entries and records the engagement with their notifications in the ledger. Both agree, however often
/// the call is repeated. `how` is the engagement to record; by default that of the mark. Up to 100 keys, which must
/// differ.
///
/// # Errors
/// A table did not answer. A repetition is harmless.
pub async fn mark(
    inbox: &Inbox,
    ledger: &Ledger,
    viewer: &Viewer,
    keys: Vec<Key>,
    mark: Mark,
    how: Option<Unless>,
    now: Timestamp,
) -> Result<Marked, CallError> {
    let (mut theirs, mut refused) = (Vec::new(), Vec::new());
    match how.or(mark.says()) {
        // The ledger comes first: it knows the recipient of a notification even if no inbox has it.
        Some(how) => {
            for (key, noticed) in notice(ledger, viewer, keys, how, now).await? {
                match noticed {
                    Noticed::Remembered => theirs.push(key),
                    Noticed::NotTheirs | Noticed::ToARoom => refused.push((key, noticed)),
                }
            }
        }
        None => theirs = keys,
    }
    let mut states: Vec<(Key, State)> = Vec::new();
    let (mut changed, mut counts) = (false, None);
    for some in theirs.chunks(AT_ONCE) {
        let moved = inbox.mark(viewer, some, mark, now).await?;
        states.extend(moved.states);
        changed |= moved.changed;
        counts = Some(moved.counts);
    }
    let counts = match counts {
        Some(counts) => counts,
        None => inbox.counts(viewer, now).await?,
    };
    let state = |key: &Key| states.iter().find(|(id, _)| id == key).map(|(_, state)| *state);
    if how.or(mark.says()).is_none() {
        // Only the inbox was asked whether these entries belong to the viewer.
        let unknown = theirs.iter().filter(|key| state(key).is_none());
        refused.extend(unknown.map(|key| (key.clone(), Noticed::NotTheirs)));
        theirs.retain(|key| state(key).is_some());
    }
    let marked = theirs.iter().map(|key| (key.clone(), state(key))).collect();
    Ok(Marked { marked, refused, counts, changed })
}

/// Marks all entries that the mark can change, optionally of one category: the newest 500.
///
/// # Errors
/// A table did not answer. A repetition is harmless and continues where this call stopped.
pub async fn mark_all(
    inbox: &Inbox,
    ledger: &Ledger,
    viewer: &Viewer,
    category: Option<String>,
    mark: Mark,
    now: Timestamp,
) -> Result<MarkedAll, CallError> {
    let filter = InboxQuery { filter: filter(mark), category };
    let (mut before, mut marked) = (None, 0);
    loop {
        let page = inbox.page(viewer, &filter, before, AT_ONCE, now).await?;
        let keys: Vec<Key> = page
            .entries
            .iter()
            .filter(|entry| entry.state.after(mark) != entry.state)
            .map(|entry| entry.kept.id.clone())
            .collect();
        if let Some(how) = mark.says() {
            notice(ledger, viewer, keys.clone(), how, now).await?;
        }
        marked += keys.len();
        if !keys.is_empty() {
            inbox.mark(viewer, &keys, mark, now).await?;
        }
        before = page.next;
        if before.is_none() || marked >= MOST_AT_ONCE {
            let counts = inbox.counts(viewer, now).await?;
            return Ok(MarkedAll { marked, more: before.is_some(), counts });
        }
    }
}

/// The filter for the entries that a mark can change.
fn filter(mark: Mark) -> InboxFilter {
    match mark {
        Mark::Seen => InboxFilter::Unseen,
        Mark::Read => InboxFilter::Unread,
        Mark::Unread | Mark::Archived => InboxFilter::Inbox,
        Mark::Unarchived => InboxFilter::Archived,
    }
}

async fn notice(
    ledger: &Ledger,
    viewer: &Viewer,
    keys: Vec<Key>,
    how: Unless,
    now: Timestamp,
) -> Result<Vec<(Key, Noticed)>, CallError> {
    let recipient = user_name(&viewer.user);
    ledger.record_engagements(keys, &recipient, viewer.view.tenant(), how, now).await
}

impl Inbox {
    /// Marks up to 50 entries, each once. Retries when another writer changed the inbox meanwhile.
    async fn mark(
        &self,
        viewer: &Viewer,
        keys: &[Key],
        mark: Mark,
        now: Timestamp,
    ) -> Result<Moved, CallError> {
        for round in 0..super::ROUNDS {
            let mut wanted = vec![head_key(&viewer.user)];
            wanted.extend(keys.iter().map(|key| note_key(&viewer.user, key)));
            let found = self.items(wanted).await?;
            let read = read_head(&found);
            let entries = self.entries(viewer, &found, now).await?;
            let places: Vec<Place> = entries.iter().map(place).collect();
            let (head, changes) = read.head.marked(&places, mark, now);
            let states = entries.into_iter().map(|entry| (entry.kept.id, entry.state.after(mark))).collect();
            let counts = head.counts(&viewer.view, now);
            if changes.is_empty() {
                return Ok(Moved { states, changed: false, counts });
            }
            let mut writes = vec![whole(self.put_head(&viewer.user, &head, read.version))];
            writes.extend(changes.iter().map(|change| self.update(&viewer.user, *change, now)));
            if transactions::write(&self.client, DOING, writes).await? {
                return Ok(Moved { states, changed: true, counts });
            }
            pause::before(round + 1).await;
        }
        Err(transactions::crowded(DOING))
    }

    /// The entries that the notification rows refer to, if they exist and are visible to the viewer.
    async fn entries(
        &self,
        viewer: &Viewer,
        notes: &[Item],
        now: Timestamp,
    ) -> Result<Vec<Entry>, CallError> {
        let numbers = notes.iter().filter_map(|note| u64::try_from(note.get_number("seq")?).ok());
        let wanted: Vec<Item> = numbers.map(|seq| entry_key(&viewer.user, seq)).collect();
        let found = self.items(wanted).await?;
        let entries = found.iter().filter_map(read_entry);
        Ok(entries
            .filter(|entry| viewer.view.takes_in(entry.tenant.as_deref()) && !entry.is_over(now))
            .collect())
    }

    fn update(&self, user: &str, change: Changed, now: Timestamp) -> TransactWriteItem {
        let text = |text: String| AttributeValue::S(text);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(entry_key(user, change.seq).into_map()))
            .update_expression("SET #state = :to, changed_at = :now")
            .condition_expression("#state = :from")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":from", text(change.from.name().to_owned()))
            .expression_attribute_values(":to", text(change.to.name().to_owned()))
            .expression_attribute_values(":now", text(now.to_string()))
            .build()
            .expect("a table, a key and an expression are all that an update needs");
        TransactWriteItem::builder().update(update).build()
    }
}

fn place(entry: &Entry) -> Place {
    Place { seq: entry.seq, state: entry.state, tenant: entry.tenant.clone(), created: entry.created }
}
