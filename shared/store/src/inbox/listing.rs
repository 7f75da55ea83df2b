//! Reading an inbox: page by page, and entries since a known one.

use std::collections::{BTreeSet, HashMap};

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::event::key::Key;
use domain::inbox::{Entry, InboxQuery, State, Viewer};

use super::ordering::{self, BEHIND_ALL, FIRST};
use super::{Inbox, entry_key, entry_sk, note_key, read_entry, user_pk};
use crate::item::Item;
use crate::lookup;

/// The largest page, in entries.
pub(crate) const MAX_PAGE: usize = 100;

/// The number of queries per page, and the number of items per query. A rare filter may give a page that is not
/// full, with the position to continue at.
const CALLS: u32 = 5;
const LOOKS_AT: usize = 400;

/// Concurrent messages can overtake one another. Entries within this many numbers before the last received one may
/// not have reached the client.
const OVERTAKEN: u64 = 20;

/// A page of entries, newest first.
#[derive(Clone)]
pub struct InboxPage {
    pub entries: Vec<Entry>,
    /// The number of the entry after which the next page begins, to be passed as `before`. `None` on the last page.
    pub next: Option<u64>,
}

/// The entries after a known one, oldest first.
#[derive(Clone)]
pub struct Missed {
    pub entries: Vec<Entry>,
    /// There are more entries. Ask again with the id of the last one.
    pub more: bool,
}

/// One query of the entries in the order of their numbers.
struct Look<'a> {
    viewer: &'a Viewer,
    filter: &'a InboxQuery,
    /// The lowest number.
    from: u64,
    looks_at: usize,
    now: Timestamp,
}

/// The result of a query, and the number it stopped at if there are more.
struct Seen {
    entries: Vec<Entry>,
    came_to: Option<u64>,
}

impl Inbox {
    /// The entries that match the filter and come after the one with the number `before`, newest first, 1 to 100.
    /// Entries are ordered by the time of their event. Of two entries with one time the later arrival is newer.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &InboxQuery,
        before: Option<u64>,
        limit: usize,
        now: Timestamp,
    ) -> Result<InboxPage, CallError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let last = self.file(&viewer.user).await?;
        let mut highest = match before.filter(|seq| *seq <= last) {
            None => Some(BEHIND_ALL.to_owned()),
            Some(seq) => self.behind(&viewer.user, seq).await?,
        };
        let (mut looks_at, mut next) = (limit + 1, None);
        let mut entries = Vec::new();
        for _ in 0..CALLS {
            let Some(from) = highest else { return Ok(InboxPage { entries, next: None }) };
            let (found, came_to) = self.up_to(viewer, filter, &from, looks_at, now).await?;
            entries.extend(found);
            if entries.len() > limit {
                entries.truncate(limit);
                let next = entries.last().map(|entry: &Entry| entry.seq);
                return Ok(InboxPage { entries, next });
            }
            let Some(came_to) = came_to else { return Ok(InboxPage { entries, next: None }) };
            (next, highest) = (ordering::seq_of(&came_to), ordering::just_below(&came_to));
            looks_at = (looks_at * 4).min(LOOKS_AT);
        }
        Ok(InboxPage { entries, next })
    }

    /// The entries with ordering rows up to a sort key, and the key at which the query stopped if there are more.
    async fn up_to(
        &self,
        viewer: &Viewer,
        filter: &InboxQuery,
        highest: &str,
        looks_at: usize,
        now: Timestamp,
    ) -> Result<(Vec<Entry>, Option<String>), CallError> {
        let (expression, names, mut values) = filter_expression(viewer, filter, now);
        values.insert(":pk".to_owned(), AttributeValue::S(user_pk(&viewer.user)));
        values.insert(":low".to_owned(), AttributeValue::S(FIRST.to_owned()));
        values.insert(":high".to_owned(), AttributeValue::S(highest.to_owned()));
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .filter_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::try_from(looks_at).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| CallError::new("read an inbox", error))?;
        let rows: Vec<Item> = answer.items.unwrap_or_default().into_iter().map(Item::from).collect();
        let number = |row: &Item| u64::try_from(row.get_number("seq")?).ok();
        // Rows that outlive their inbox can have the numbers of other entries. `BatchGetItem` accepts each key
        // once.
        let numbers: BTreeSet<u64> = rows.iter().filter_map(number).collect();
        let keys = numbers.into_iter().map(|seq| entry_key(&viewer.user, seq)).collect();
        let found = self.items(keys).await?;
        let mut entries: HashMap<u64, Entry> =
            found.iter().filter_map(read_entry).map(|entry| (entry.seq, entry)).collect();
        let in_order = rows.iter().filter_map(|row| {
            let seq = number(row)?;
            // A row may outlive its inbox. Another entry then has its number.
            let is_its = row.get("key") == Some(entries.get(&seq)?.kept.id.as_str());
            let entry = if is_its { entries.remove(&seq)? } else { return None };
            (filter.filter.states().contains(&entry.state) && !entry.is_over(now)).then_some(entry)
        });
        let came_to = answer.last_evaluated_key.map(Item::from);
        let came_to = came_to.and_then(|key| key.get("sk").map(str::to_owned));
        Ok((in_order.collect(), came_to))
    }

    /// The entries that a disconnected client missed: those after `last`, the newest entry that it received, and
    /// the unseen ones among the few before it. The client may already have some of these and recognises them by
    /// their ids. `None` if there is no such entry, or none that is visible to the viewer.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn since(
        &self,
        viewer: &Viewer,
        last: &Key,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<Missed>, CallError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let note = lookup::get(&self.client, &self.table, note_key(&viewer.user, last)).await?;
        let seq = note.and_then(|note| u64::try_from(note.get_number("seq")?).ok());
        let Some(seq) = seq else { return Ok(None) };
        let entry = lookup::get(&self.client, &self.table, entry_key(&viewer.user, seq)).await?;
        let entry = entry.as_ref().and_then(read_entry);
        if !entry.is_some_and(|entry| viewer.view.takes_in(entry.tenant.as_deref()) && !entry.is_over(now)) {
            return Ok(None);
        }
        let filter = InboxQuery::default();
        let mut from = seq.saturating_sub(OVERTAKEN);
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..CALLS {
            let looks_at = limit + usize::try_from(OVERTAKEN).unwrap_or(0) + 1;
            let look = Look { viewer, filter: &filter, from, looks_at, now };
            let seen = self.look(&look).await?;
            let missed = |entry: &Entry| entry.seq > seq || (entry.seq < seq && entry.state == State::Unseen);
            entries.extend(seen.entries.into_iter().filter(missed));
            if entries.len() > limit {
                entries.truncate(limit);
                return Ok(Some(Missed { entries, more: true }));
            }
            match seen.came_to {
                None => return Ok(Some(Missed { entries, more: false })),
                Some(seq) => from = seq.saturating_add(1),
            }
        }
        Ok(Some(Missed { more: true, entries }))
    }

    /// Reads one range of numbers, the lowest first.
    async fn look(&self, look: &Look<'_>) -> Result<Seen, CallError> {
        let (mut filter, names, mut values) = filter_expression(look.viewer, look.filter, look.now);
        let mut names = names;
        with_states(look.filter, &mut filter, &mut names, &mut values);
        let text = |text: String| AttributeValue::S(text);
        values.insert(":pk".to_owned(), text(user_pk(&look.viewer.user)));
        values.insert(":low".to_owned(), text(entry_sk(look.from)));
        values.insert(":high".to_owned(), text("entry#~".to_owned()));
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .filter_expression(filter)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .consistent_read(true)
            .limit(i32::try_from(look.looks_at).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| CallError::new("read an inbox", error))?;
        let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
        let entries = items.filter_map(|item| read_entry(&item)).collect();
        let came_to = answer.last_evaluated_key.map(Item::from);
        let came_to = came_to.and_then(|came_to| came_to.get("sk")?.strip_prefix("entry#")?.parse().ok());
        Ok(Seen { entries, came_to })
    }
}

/// The filter expression: excludes expired entries, other categories and, above all, other tenants.
fn filter_expression(
    viewer: &Viewer,
    filter: &InboxQuery,
    now: Timestamp,
) -> (String, HashMap<String, String>, HashMap<String, AttributeValue>) {
    let mut names = HashMap::from([("#ttl".to_owned(), "ttl".to_owned())]);
    let mut values = HashMap::new();
    values.insert(":now".to_owned(), AttributeValue::N(crate::seconds(now).to_string()));
    let mut expression = "#ttl > :now".to_owned();
    if let Some(tenant) = viewer.view.tenant() {
        expression.push_str(match viewer.view.looks_on() {
            true => " AND #tenant = :tenant",
            false => " AND (attribute_not_exists(#tenant) OR #tenant = :tenant)",
        });
        names.insert("#tenant".to_owned(), "tenant".to_owned());
        values.insert(":tenant".to_owned(), AttributeValue::S(tenant.to_owned()));
    }
    if let Some(category) = &filter.category {
        expression.push_str(" AND #category = :category");
        names.insert("#category".to_owned(), "category".to_owned());
        values.insert(":category".to_owned(), AttributeValue::S(category.clone()));
    }
    (expression, names, values)
}

/// Adds the states of the filter. Ordering rows do not carry the state of their entries.
fn with_states(
    filter: &InboxQuery,
    expression: &mut String,
    names: &mut HashMap<String, String>,
    values: &mut HashMap<String, AttributeValue>,
) {
    names.insert("#state".to_owned(), "state".to_owned());
    let mut states = Vec::new();
    for (index, state) in filter.filter.states().iter().enumerate() {
        values.insert(format!(":state{index}"), AttributeValue::S(state.name().to_owned()));
        states.push(format!(":state{index}"));
    }
    expression.push_str(&format!(" AND #state IN ({})", states.join(", ")));
}
