//! The events table: rows, the index of pending entries, and the stream, with the conditions that `store` writes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use domain::Timestamp;
use store::{Backlog, CancellationReason, Claim, Item, Pending, Place, Record, TransactWriteItem};

use crate::check::Check;
use crate::clock::now;

pub(crate) const SHARDS: usize = 2;

/// Lifetime of a `ClientRequestToken` in DynamoDB.
/// Source: DynamoDB API reference, `TransactWriteItems`.
const REMEMBERED_S: i64 = 600;

#[derive(Default)]
pub(crate) struct EventTable {
    rows: BTreeMap<Place, Item>,
    /// Time at which each pending entry becomes visible in the index.
    indexed: BTreeMap<Place, Timestamp>,
    pub(crate) streams: [Shard; SHARDS],
    tokens: BTreeMap<String, Timestamp>,
}

/// A shard of the stream, and the relay's position in it.
#[derive(Default)]
pub(crate) struct Shard {
    pub(crate) records: Vec<Item>,
    pub(crate) read: usize,
}

/// Conditions that a broken variant of a transaction omits.
#[derive(Clone, Copy)]
pub(crate) struct Without {
    pub(crate) guard: bool,
    pub(crate) version: bool,
}

impl EventTable {
    pub(crate) fn get(&self, place: &Place) -> Option<&Item> {
        self.rows.get(place)
    }

    pub(crate) fn pending(&self) -> usize {
        self.indexed.len()
    }

    /// Whether the previous version is pending.
    pub(crate) fn pending_before(&self, place: &Place, version: u64) -> bool {
        let mut of_stream = self.rows.range(place_range(&place.pk));
        let before = i64::try_from(version).map_or(-1, |item| item - 1);
        of_stream.any(|(_, row)| {
            row.get_number("version") == Some(before)
                && Pending::read(row).is_some()
                && row.get("event").is_some()
        })
    }

    pub(crate) fn unread(&self) -> usize {
        self.streams.iter().map(|stream| stream.records.len() - stream.read).sum()
    }

    /// Executes a transaction: all or nothing, once per token.
    pub(crate) fn transact(
        &mut self,
        actions: &[TransactWriteItem],
        token: &str,
        lag: Duration,
        without: Without,
        check: &mut Check,
    ) -> Result<(), Vec<CancellationReason>> {
        let now = now();
        let known =
            self.tokens.get(token).is_some_and(|token| now.duration_since(*token).as_secs() < REMEMBERED_S);
        if known && !without.guard {
            return Ok(());
        }
        let reasons: Vec<CancellationReason> =
            actions.iter().map(|action| self.weigh(action, without)).collect();
        if reasons.iter().any(|reason| reason.code() != Some("None")) {
            return Err(reasons);
        }
        for action in actions {
            if let Some(put) = action.put() {
                let item = Item::from(put.item().clone());
                let is_guard = item.get("sk").is_some_and(|text| text.starts_with("id#"));
                if !(is_guard && without.guard) {
                    self.put(item, lag, check);
                }
            }
            if let Some(update) = action.update() {
                let key = Item::from(update.key().clone());
                let version = update
                    .expression_attribute_values()
                    .and_then(|expression_attribute_values| expression_attribute_values.get(":version"));
                let version = version
                    .and_then(|version| version.as_n().ok())
                    .and_then(|item| item.parse().ok())
                    .unwrap_or(0);
                self.rows.insert(place(&key), key.number("version", version));
            }
        }
        self.tokens.insert(token.to_owned(), now);
        Ok(())
    }

    fn weigh(&self, action: &TransactWriteItem, without: Without) -> CancellationReason {
        let fine = || CancellationReason::builder().code("None").build();
        let (key, condition, values) = if let Some(put) = action.put() {
            (Item::from(put.item().clone()), put.condition_expression(), None)
        } else if let Some(update) = action.update() {
            let values = update.expression_attribute_values();
            (Item::from(update.key().clone()), update.condition_expression(), values)
        } else {
            return fine();
        };
        let found = self.rows.get(&place(&key));
        let holds = match condition {
            Some("attribute_not_exists(pk)") => found.is_none(),
            Some("#version = :expected") => {
                let wanted =
                    values.and_then(|values| values.get(":expected")).and_then(|item| item.as_n().ok());
                found
                    .and_then(|found| found.get_number("version"))
                    .map(|version| version.to_string())
                    .as_ref()
                    == wanted
            }
            other => panic!("the model knows no condition {other:?}"),
        };
        if holds || without.version {
            return fine();
        }
        let reason = CancellationReason::builder().code("ConditionalCheckFailed");
        reason.set_item(found.map(|found| found.clone().into_attributes())).build()
    }

    /// Puts a row, and a record into the stream.
    pub(crate) fn put(&mut self, item: Item, lag: Duration, check: &mut Check) {
        let place = place(&item);
        if let (Some(pending), Some(version)) = (Pending::read(&item), item.get_number("version")) {
            let version = u64::try_from(version).unwrap_or(0);
            check.append(&place.pk, version, item.get("id").unwrap_or_default(), pending.text.expose());
        }
        if item.get("pending").is_some() {
            self.indexed.insert(place.clone(), now().saturating_add(lag).unwrap_or(Timestamp::MAX));
            let sum: usize = place.pk.bytes().map(usize::from).sum();
            self.streams[sum % SHARDS].records.push(item.clone());
        }
        self.rows.insert(place, item);
    }

    /// Pending entries that the index shows, oldest first.
    pub(crate) fn backlog(&self) -> Backlog {
        let now = now();
        let shown = self.indexed.iter().filter(|(_, at)| **at <= now);
        let appended = |place: &Place| {
            let row = self.rows.get(place);
            row.and_then(|row| row.get("appended_at")?.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH)
        };
        let mut pending: Vec<(Place, Timestamp)> =
            shown.map(|(place, _)| (place.clone(), appended(place))).collect();
        pending.sort_by(|(a, a_at), (b, b_at)| (a_at, a).cmp(&(b_at, b)));
        Backlog { pending, ..Backlog::default() }
    }

    pub(crate) fn read(&self, places: &[Place]) -> Vec<Pending> {
        places.iter().filter_map(|place| Pending::read(self.rows.get(place)?)).collect()
    }

    /// Marks an entry that the bus will never accept, unless it is no longer pending.
    pub(crate) fn quarantine(&mut self, place: &Place) {
        if self.indexed.remove(place).is_some()
            && let Some(row) = self.rows.get_mut(place)
        {
            *row = std::mem::take(row).text("pending", "failed");
        }
    }

    /// Removes `pending` from a row.
    pub(crate) fn acknowledge(&mut self, place: &Place) -> bool {
        let was_pending = self.rows.get(place).is_some_and(|row| row.get("pending").is_some());
        if was_pending && let Some(row) = self.rows.get_mut(place) {
            *row = std::mem::take(row).without("pending");
            self.indexed.remove(place);
        }
        was_pending
    }

    /// Writes an audit record: an acknowledgement of the outbox entry with the event's text, or an ordinary record. An
    /// acknowledged entry stays unchanged.
    pub(crate) fn append(&mut self, record: &Record) {
        if let Some(claim) = record.claim() {
            let row = self.rows.get(claim.place());
            if row.is_some_and(|row| claim.acknowledges(row)) {
                self.acknowledge(claim.place());
                return;
            }
            if row.is_some_and(|row| is_acknowledged(claim, row)) {
                return;
            }
        }
        self.rows.entry(place(record.item())).or_insert_with(|| record.item().clone());
    }
}

/// Whether an acknowledged row has the text of the claim.
fn is_acknowledged(claim: &Claim, row: &Item) -> bool {
    row.get("pending").is_none() && claim.acknowledges(&row.clone().text("pending", "0"))
}

/// Range of all rows of a stream.
fn place_range(pk: &str) -> RangeInclusive<Place> {
    let at = |sk: &str| Place { pk: pk.to_owned(), sk: sk.to_owned() };
    at("")..=at("~")
}

fn place(item: &Item) -> Place {
    let text = |name| item.get(name).unwrap_or_default().to_owned();
    Place { pk: text("pk"), sk: text("sk") }
}
