//! Pending outbox entries, as the stream and the index show them, and their state changes.

use aws::CallError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Select};
pub use carillon_event::outbox::Stream;
use carillon_event::outbox::{ENVELOPE, partition, position, text_digest, version_of, version_position};
use domain::Timestamp;
use domain::base::sensitive::Sensitive;
use domain::event::Event;

use crate::events::envelope_item;
use crate::item::Item;
use crate::pause;
use crate::writes::stood;

/// The sparse index of pending rows, by shard and append time.
const INDEX: &str = "pending";

/// The value of `pending` for an event that the bus will never accept.
const FAILED: &str = "failed";

/// The attribute with the digest of the row's text.
const DIGEST: &str = "digest";

/// DynamoDB's limit for one `BatchGetItem`.
const ITEMS_PER_CALL: usize = 100;

/// The number of index rows per scan. The next scan reads the rest.
const MAX_ROWS: usize = 5_000;

/// The primary key of an outbox row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub pk: String,
    pub sk: String,
}

/// An outbox row whose event is not yet known to have crossed the bus.
pub struct Pending {
    pub place: Place,
    /// The event as the producer wrote it.
    pub text: Sensitive<String>,
    /// The time of the append, which is also the time of an event without one.
    pub appended_at: Option<Timestamp>,
    /// The producer's other attributes: a digest of the text, and the envelope's attributes.
    beside: Item,
}

/// The error for a row that does not fit its event: the audit would never find it, or its attributes differ from
/// the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowMismatch {
    #[error("the row lies under {found:?}, wanted {wanted:?}")]
    Place { found: String, wanted: String },
    #[error(
        "the row's {attribute} is not that of its event; write both with `Outbox::append`, or leave attributes out"
    )]
    Attribute { attribute: &'static str },
}

/// The contents of the outbox index.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// Pending rows, each with the time of its append, oldest first. Events of one stream are in order.
    pub pending: Vec<(Place, Timestamp)>,
    /// Rows that the bus refused, oldest first.
    pub failed: Vec<(Place, Timestamp)>,
    /// The index has more rows than one scan reads.
    pub is_cut: bool,
}

impl Pending {
    /// Parses an item of the events table. `None` for an item that is not an outbox row or no longer pending.
    #[must_use]
    pub fn read(item: &Item) -> Option<Pending> {
        item.get("pending").filter(|shard| *shard != FAILED)?;
        let place = Place { pk: item.get("pk")?.to_owned(), sk: item.get("sk")?.to_owned() };
        let text = item.get("event").unwrap_or_default().to_owned();
        let beside = [&ENVELOPE[..], &[DIGEST]].concat().into_iter();
        let beside = beside.fold(Item::default(), |found, name| found.maybe(name, item.get(name)));
        let appended_at = item.get("appended_at").and_then(|text| text.parse().ok());
        Some(Pending { place, text: text.into(), appended_at, beside })
    }

    /// A row that a plain put wrote: place and text alone.
    #[must_use]
    pub fn plain(place: Place, text: String) -> Pending {
        Pending { place, text: text.into(), appended_at: None, beside: Item::default() }
    }

    /// Checks that the row fits its event. Its key must be the one under which the audit looks for the event. A row
    /// with a digest must have the digest and the attributes of its text, because the audit keeps those as they
    /// are. A row that contradicts its event is not published. A row without a digest gets its attributes from the
    /// audit.
    ///
    /// # Errors
    /// [`RowMismatch`] names the difference.
    pub fn check(&self, event: &Event) -> Result<(), RowMismatch> {
        let wanted = Place::of(event);
        if self.place != wanted {
            let shown = |place: &Place| format!("{} / {}", place.pk, place.sk);
            return Err(RowMismatch::Place { found: shown(&self.place), wanted: shown(&wanted) });
        }
        let Some(digest) = self.beside.get(DIGEST) else { return Ok(()) };
        if digest != text_digest(self.text.expose()) {
            return Err(RowMismatch::Attribute { attribute: DIGEST });
        }
        let told = envelope_item(event);
        match ENVELOPE.into_iter().find(|name| told.get(name) != self.beside.get(name)) {
            Some(attribute) => Err(RowMismatch::Attribute { attribute }),
            None => Ok(()),
        }
    }
}

impl Place {
    /// The place of this event in the outbox: by its version if it has one, else by source and id.
    #[must_use]
    pub fn of(event: &Event) -> Place {
        Place { pk: partition(event), sk: position(event) }
    }

    /// The place of this version of a stream.
    #[must_use]
    pub fn of_version(pk: &str, version: u64) -> Place {
        Place { pk: pk.to_owned(), sk: version_position(version) }
    }

    /// The version in its stream. `None` for an unordered event.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        version_of(&self.sk)
    }

    /// The place of the previous version, if there is one.
    #[must_use]
    pub fn before(&self) -> Option<Place> {
        let before = self.version()?.checked_sub(1).filter(|difference| *difference > 0)?;
        Some(Place::of_version(&self.pk, before))
    }

    fn key(&self) -> Item {
        Item::default().text("pk", &self.pk).text("sk", &self.sk)
    }
}

/// The outbox as a publisher reads it.
#[derive(Clone)]
pub struct Waiting {
    client: Client,
    table: String,
}

impl Waiting {
    /// The outbox in this events table.
    #[must_use]
    pub fn new(client: &Client, table: String) -> Waiting {
        Waiting { client: client.clone(), table }
    }

    /// All pending and failed rows, read by one scan of the index. A short outbox takes a single call.
    ///
    /// # Errors
    /// The index could not be read.
    pub async fn backlog(&self) -> Result<Backlog, CallError> {
        let mut backlog = Backlog::default();
        let mut start = None;
        loop {
            let answer = self
                .client
                .scan()
                .table_name(&self.table)
                .index_name(INDEX)
                .select(Select::AllProjectedAttributes)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| CallError::new("read the pending outbox entries", error))?;
            for item in answer.items.unwrap_or_default().into_iter().map(Item::from) {
                backlog.add(&item);
            }
            start = answer.last_evaluated_key;
            backlog.is_cut = start.is_some();
            if start.is_none() || backlog.pending.len() + backlog.failed.len() >= MAX_ROWS {
                break;
            }
        }
        // By time, then by place: events of one append have one time, and versions sort as text.
        for rows in [&mut backlog.pending, &mut backlog.failed] {
            rows.sort_by(|(a, a_time), (b, b_time)| (a_time, a).cmp(&(b_time, b)));
        }
        Ok(backlog)
    }

    /// The current rows at these places, in the given order. Rows that are no longer pending are left out.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn read(&self, places: &[Place]) -> Result<Vec<Pending>, CallError> {
        const DOING: &str = "read pending outbox entries";
        let mut found: Vec<Pending> = Vec::with_capacity(places.len());
        for some in places.chunks(ITEMS_PER_CALL) {
            let mut open = some.iter().map(|place| place.key().into_map()).collect::<Vec<_>>();
            for round in 0..crate::writes::ROUNDS {
                pause::before(round).await;
                let keys = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build();
                let keys = keys.expect("keys are all that a read needs");
                let call = self.client.batch_get_item().request_items(&self.table, keys);
                let answer = call.send().await.map_err(|error| CallError::new(DOING, error))?;
                let items = answer
                    .responses
                    .and_then(|mut responses| responses.remove(&self.table))
                    .unwrap_or_default();
                found.extend(items.into_iter().map(Item::from).filter_map(|item| Pending::read(&item)));
                open = answer
                    .unprocessed_keys
                    .and_then(|mut unprocessed_keys| unprocessed_keys.remove(&self.table))
                    .map(|unprocessed| unprocessed.keys)
                    .unwrap_or_default();
                if open.is_empty() {
                    break;
                }
            }
            if !open.is_empty() {
                return Err(crate::writes::left_over(DOING));
            }
        }
        found.sort_by_key(|pending| places.iter().position(|place| *place == pending.place));
        Ok(found)
    }

    /// Marks an event that the bus will never accept, with the cause. The relay does not publish it again, and
    /// `carillon outbox ls --failed` lists it.
    ///
    /// # Errors
    /// The row could not be written.
    pub async fn quarantine(&self, place: &Place, cause: &str, now: Timestamp) -> Result<(), CallError> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let marked = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(place.key().into_map()))
            .update_expression("SET pending = :failed, failed_at = :now, failed_because = :cause")
            .condition_expression("attribute_exists(pending)")
            .expression_attribute_values(":failed", text(FAILED))
            .expression_attribute_values(":now", text(&now.to_string()))
            .expression_attribute_values(":cause", text(cause))
            .send()
            .await;
        // A row that is not pending any more was acknowledged meanwhile: its event did cross the bus.
        stood("mark an outbox entry as failed", marked).map(drop)
    }

    /// The row with all its attributes, for inspection.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn row(&self, place: &Place) -> Result<Option<Item>, CallError> {
        crate::lookup::get(&self.client, &self.table, place.key()).await
    }
}

impl Backlog {
    fn add(&mut self, item: &Item) {
        let (Some(pk), Some(sk), Some(pending)) = (item.get("pk"), item.get("sk"), item.get("pending"))
        else {
            return;
        };
        // An unreadable time counts as very old, so that the row is still found.
        let appended_at =
            item.get("appended_at").and_then(|text| text.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let place = Place { pk: pk.to_owned(), sk: sk.to_owned() };
        if pending == FAILED {
            self.failed.push((place, appended_at));
        } else {
            self.pending.push((place, appended_at));
        }
    }
}

#[cfg(test)]
mod tests;
