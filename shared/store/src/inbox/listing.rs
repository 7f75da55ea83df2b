//! Reading an inbox: page by page, and what came since.

use std::collections::HashMap;

use aws::Refused;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::inbox::{Entry, Filter, State, Viewer};
use domain::key::Key;

use super::{Inbox, entry_key, entry_sk, note_key, read_entry, user_pk};
use crate::item::Item;
use crate::lookup;

/// The most entries of one page.
pub(crate) const MAX_PAGE: usize = 100;

/// How often the table is asked for one page, and the most that it looks at in one call. Who filters for what is rare
/// may get a page that is not full, and the place where to go on.
const CALLS: u32 = 5;
const LOOKS_AT: usize = 400;

/// Messages under way at once overtake one another: what is so many numbers before the last that somebody got may not
/// have reached them.
const OVERTAKEN: u64 = 20;

/// Some entries, newest first.
#[derive(Clone)]
pub struct InboxPage {
    pub entries: Vec<Entry>,
    /// Where the next page begins: to be given as `before`. `None`: this was the last.
    pub next: Option<u64>,
}

/// What came after an entry, oldest first.
#[derive(Clone)]
pub struct Missed {
    pub entries: Vec<Entry>,
    /// There is more: ask again with the id of the last of these.
    pub more: bool,
}

/// One look into a partition.
struct Look<'a> {
    viewer: &'a Viewer,
    filter: &'a Filter,
    /// The first and the last number, both included.
    from: u64,
    to: u64,
    newest_first: bool,
    looks_at: usize,
    now: Timestamp,
}

/// What a look found, and the number it came to, where there is more.
struct Seen {
    entries: Vec<Entry>,
    came_to: Option<u64>,
}

impl Inbox {
    /// The entries of a shelf that are numbered below `before`, newest first, 1 to 100 of them.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
        now: Timestamp,
    ) -> Result<InboxPage, Refused> {
        let limit = limit.clamp(1, MAX_PAGE);
        let (mut to, mut looks_at) = (before.unwrap_or(u64::MAX).saturating_sub(1), limit + 1);
        let mut entries = Vec::new();
        for _ in 0..CALLS {
            let look = Look { viewer, filter, from: 0, to, newest_first: true, looks_at, now };
            let seen = self.look(&look).await?;
            entries.extend(seen.entries);
            if entries.len() > limit {
                entries.truncate(limit);
                let next = entries.last().map(|it: &Entry| it.seq);
                return Ok(InboxPage { entries, next });
            }
            match seen.came_to {
                None => return Ok(InboxPage { entries, next: None }),
                Some(at) => to = at.saturating_sub(1),
            }
            looks_at = (looks_at * 4).min(LOOKS_AT);
        }
        Ok(InboxPage { entries, next: Some(to.saturating_add(1)) })
    }

    /// What a client that was away has missed: the entries after `last`, the newest one that it got, and of the few
    /// before it those that nobody has seen. It may have some of these: they have the ids that they had.
    /// `None` when there is no such entry, or none that is theirs to see.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn since(
        &self,
        viewer: &Viewer,
        last: &Key,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<Missed>, Refused> {
        let limit = limit.clamp(1, MAX_PAGE);
        let note = lookup::get(&self.client, &self.table, note_key(&viewer.user, last)).await?;
        let seq = note.and_then(|it| u64::try_from(it.get_number("seq")?).ok());
        let Some(seq) = seq else { return Ok(None) };
        let entry = lookup::get(&self.client, &self.table, entry_key(&viewer.user, seq)).await?;
        let entry = entry.as_ref().and_then(read_entry);
        if !entry.is_some_and(|it| viewer.view.takes_in(it.tenant.as_deref()) && !it.is_over(now)) {
            return Ok(None);
        }
        let filter = Filter::default();
        let mut from = seq.saturating_sub(OVERTAKEN);
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..CALLS {
            let looks_at = limit + usize::try_from(OVERTAKEN).unwrap_or(0) + 1;
            let look =
                Look { viewer, filter: &filter, from, to: u64::MAX, newest_first: false, looks_at, now };
            let seen = self.look(&look).await?;
            let missed = |it: &Entry| it.seq > seq || (it.seq < seq && it.state == State::Unseen);
            entries.extend(seen.entries.into_iter().filter(missed));
            if entries.len() > limit {
                entries.truncate(limit);
                return Ok(Some(Missed { entries, more: true }));
            }
            match seen.came_to {
                None => return Ok(Some(Missed { entries, more: false })),
                Some(at) => from = at.saturating_add(1),
            }
        }
        Ok(Some(Missed { more: true, entries }))
    }

    /// Reads one stretch of numbers.
    async fn look(&self, it: &Look<'_>) -> Result<Seen, Refused> {
        if it.to < it.from {
            return Ok(Seen { entries: Vec::new(), came_to: None });
        }
        let (filter, names, mut values) = written(it);
        let text = |it: String| AttributeValue::S(it);
        values.insert(":pk".to_owned(), text(user_pk(&it.viewer.user)));
        values.insert(":from".to_owned(), text(entry_sk(it.from)));
        values
            .insert(":to".to_owned(), text(if it.to > MAX_SEQ { "entry#~".into() } else { entry_sk(it.to) }));
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .filter_expression(filter)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .consistent_read(true)
            .scan_index_forward(!it.newest_first)
            .limit(i32::try_from(it.looks_at).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| Refused::new("read an inbox", error))?;
        let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
        let entries = items.filter_map(|it| read_entry(&it)).collect();
        let came_to = answer.last_evaluated_key.map(Item::from);
        let came_to = came_to.and_then(|it| it.get("sk")?.strip_prefix("entry#")?.parse().ok());
        Ok(Seen { entries, came_to })
    }
}

/// The highest number that a sort key has room for.
const MAX_SEQ: u64 = 999_999_999_999;

/// What the table itself leaves out: what is over, another shelf's, another category's and, above all, what another
/// tenant said.
fn written(it: &Look<'_>) -> (String, HashMap<String, String>, HashMap<String, AttributeValue>) {
    let mut names = HashMap::from([("#state".to_owned(), "state".to_owned()), ("#ttl".into(), "ttl".into())]);
    let mut values = HashMap::new();
    values.insert(":now".to_owned(), AttributeValue::N(crate::seconds(it.now).to_string()));
    let mut states = Vec::new();
    for (at, state) in it.filter.shelf.states().iter().enumerate() {
        values.insert(format!(":state{at}"), AttributeValue::S(state.name().to_owned()));
        states.push(format!(":state{at}"));
    }
    let mut filter = format!("#ttl > :now AND #state IN ({})", states.join(", "));
    if let Some(tenant) = it.viewer.view.tenant() {
        filter.push_str(match it.viewer.view.looks_on() {
            true => " AND #tenant = :tenant",
            false => " AND (attribute_not_exists(#tenant) OR #tenant = :tenant)",
        });
        names.insert("#tenant".to_owned(), "tenant".to_owned());
        values.insert(":tenant".to_owned(), AttributeValue::S(tenant.to_owned()));
    }
    if let Some(category) = &it.filter.category {
        filter.push_str(" AND #category = :category");
        names.insert("#category".to_owned(), "category".to_owned());
        values.insert(":category".to_owned(), AttributeValue::S(category.clone()));
    }
    (filter, names, values)
}
