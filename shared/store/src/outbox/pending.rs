//! What is pending: as the stream and the index show it, and what becomes of it.

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Select};
use domain::Timestamp;
use domain::event::{Event, Sequence};
use domain::outbox_mark::text_digest;

use super::{version_of, version_sk};
use crate::events::{ENVELOPE, envelope_item, stream};
use crate::item::{Item, sort_key};
use crate::pause;
use crate::writes::stood;

/// The sparse index: what is pending, by shard and by the time at which it was appended.
const INDEX: &str = "pending";

/// The value of `pending` where the bus will never take the event.
const FAILED: &str = "failed";

/// The attribute that has the digest of the row's text.
const DIGEST: &str = "digest";

/// DynamoDB's limit for one `BatchGetItem`.
const ITEMS_PER_CALL: usize = 100;

/// How many rows of the index one look reads. What lies behind them is looked at the next time.
const MAX_ROWS: usize = 5_000;

/// Where a row of the outbox lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub pk: String,
    pub sk: String,
}

/// A row of the outbox whose event is not yet known to have crossed the bus. No `Debug`: it holds an event.
pub struct Pending {
    pub place: Place,
    /// The event as the producer wrote it.
    pub text: String,
    /// When it was appended: the time of an event that names none.
    pub appended_at: Option<Timestamp>,
    /// What the producer wrote beside the text: a digest of it, and the envelope's attributes.
    beside: Item,
}

/// A row that is not its event's: the audit would never find it, or it says something else than its event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("the row lies under {found:?}, wanted {wanted:?}")]
    Place { found: String, wanted: String },
    #[error(
        "the row's {attribute} is not that of its event; write both with `Outbox::append`, or leave attributes out"
    )]
    Attribute { attribute: &'static str },
}

/// What the index says of the outbox.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// What is pending, each with the time of its append, oldest first; events of one stream in their order.
    pub pending: Vec<(Place, Timestamp)>,
    /// What the bus refused, oldest first.
    pub failed: Vec<(Place, Timestamp)>,
    /// There is more than one look reads.
    pub is_cut: bool,
}

impl Pending {
    /// Reads an item of the events table. `None` when it is no row of the outbox, or not pending any more.
    #[must_use]
    pub fn read(item: &Item) -> Option<Pending> {
        item.get("pending").filter(|it| *it != FAILED)?;
        let place = Place { pk: item.get("pk")?.to_owned(), sk: item.get("sk")?.to_owned() };
        let text = item.get("event").unwrap_or_default().to_owned();
        let beside = [&ENVELOPE[..], &[DIGEST]].concat().into_iter();
        let beside = beside.fold(Item::default(), |found, name| found.maybe(name, item.get(name)));
        let appended_at = item.get("appended_at").and_then(|it| it.parse().ok());
        Some(Pending { place, text, appended_at, beside })
    }

    /// A row that a plain put wrote: place and text alone.
    #[must_use]
    pub fn plain(place: Place, text: String) -> Pending {
        Pending { place, text, appended_at: None, beside: Item::default() }
    }

    /// Checks that the row is its event's: it lies where the audit looks for the event, and a row with a digest has the
    /// digest and the attributes of its text. The audit leaves those as they are, so a row that lies about its event is
    /// not published. A row without a digest gets its attributes from the audit.
    ///
    /// # Errors
    /// [`Misfit`] says what does not fit.
    pub fn check(&self, event: &Event) -> Result<(), Misfit> {
        let wanted = Place::of(event);
        if self.place != wanted {
            let shown = |place: &Place| format!("{} / {}", place.pk, place.sk);
            return Err(Misfit::Place { found: shown(&self.place), wanted: shown(&wanted) });
        }
        let Some(digest) = self.beside.get(DIGEST) else { return Ok(()) };
        if digest != text_digest(&self.text) {
            return Err(Misfit::Attribute { attribute: DIGEST });
        }
        let told = envelope_item(event);
        match ENVELOPE.into_iter().find(|name| told.get(name) != self.beside.get(name)) {
            Some(attribute) => Err(Misfit::Attribute { attribute }),
            None => Ok(()),
        }
    }
}

impl Place {
    /// Where the outbox keeps this event: by its version, if it has one, and by source and id otherwise.
    #[must_use]
    pub fn of(event: &Event) -> Place {
        let sk = match event.sequence.as_ref().and_then(Sequence::version) {
            Some(version) => version_sk(version),
            None => sort_key(&["outbox", &event.source, &event.id]),
        };
        Place { pk: stream(event), sk }
    }

    /// Where the outbox keeps this version of a stream.
    #[must_use]
    pub fn of_version(pk: &str, version: u64) -> Place {
        Place { pk: pk.to_owned(), sk: version_sk(version) }
    }

    /// The version in its stream. `None` for an event that stands in no order.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        version_of(&self.sk)
    }

    /// Where the version before this one lies, if there is one.
    #[must_use]
    pub fn before(&self) -> Option<Place> {
        let before = self.version()?.checked_sub(1).filter(|difference| *difference > 0)?;
        Some(Place::of_version(&self.pk, before))
    }

    fn key(&self) -> Item {
        Item::default().text("pk", &self.pk).text("sk", &self.sk)
    }
}

/// The outbox as whoever publishes from it needs it.
#[derive(Clone)]
pub struct Waiting {
    client: Client,
    table: String,
}

impl super::Outbox {
    /// The outbox with a client, for whoever publishes from it.
    #[must_use]
    pub fn waiting(&self, client: &Client) -> Waiting {
        Waiting { client: client.clone(), table: self.table.clone() }
    }
}

impl Waiting {
    /// Everything that is pending or has failed, one look at the index: a single call while there is little.
    ///
    /// # Errors
    /// The index could not be read.
    pub async fn backlog(&self) -> Result<Backlog, Refused> {
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
                .map_err(|error| Refused::new("look at what is pending", error))?;
            for item in answer.items.unwrap_or_default().into_iter().map(Item::from) {
                backlog.add(&item);
            }
            start = answer.last_evaluated_key;
            backlog.is_cut = start.is_some();
            if start.is_none() || backlog.pending.len() + backlog.failed.len() >= MAX_ROWS {
                break;
            }
        }
        // By time, and by place where it is the same: events of one append have one time, and versions sort as text.
        for rows in [&mut backlog.pending, &mut backlog.failed] {
            rows.sort_by(|(a, a_at), (b, b_at)| (a_at, a).cmp(&(b_at, b)));
        }
        Ok(backlog)
    }

    /// Reads rows as they stand now, in the order asked for. Those that are not pending any more are left out.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn read(&self, places: &[Place]) -> Result<Vec<Pending>, Refused> {
        const DOING: &str = "read what is pending";
        let mut found: Vec<Pending> = Vec::with_capacity(places.len());
        for some in places.chunks(ITEMS_PER_CALL) {
            let mut open = some.iter().map(|it| it.key().into_map()).collect::<Vec<_>>();
            for round in 0..crate::writes::ROUNDS {
                pause::before(round).await;
                let keys = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build();
                let keys = keys.expect("keys are all that a read needs");
                let call = self.client.batch_get_item().request_items(&self.table, keys);
                let answer = call.send().await.map_err(|error| Refused::new(DOING, error))?;
                let items = answer
                    .responses
                    .and_then(|mut responses| responses.remove(&self.table))
                    .unwrap_or_default();
                found.extend(items.into_iter().map(Item::from).filter_map(|it| Pending::read(&it)));
                open = answer
                    .unprocessed_keys
                    .and_then(|mut unprocessed_keys| unprocessed_keys.remove(&self.table))
                    .map(|it| it.keys)
                    .unwrap_or_default();
                if open.is_empty() {
                    break;
                }
            }
            if !open.is_empty() {
                return Err(crate::writes::left_over(DOING));
            }
        }
        found.sort_by_key(|it| places.iter().position(|place| *place == it.place));
        Ok(found)
    }

    /// Marks an event that the bus will never take, with the cause: it is not offered again, and
    /// `carillon outbox ls --failed` shows it.
    ///
    /// # Errors
    /// The row could not be written.
    pub async fn quarantine(&self, place: &Place, cause: &str, now: Timestamp) -> Result<(), Refused> {
        let text = |it: &str| AttributeValue::S(it.to_owned());
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
        // Where it is not pending any more, the audit was faster: it did cross the bus.
        stood("put an event of the outbox aside", marked).map(drop)
    }

    /// The row as it stands, whatever it says: for people who look.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn row(&self, place: &Place) -> Result<Option<Item>, Refused> {
        crate::lookup::get(&self.client, &self.table, place.key()).await
    }
}

impl Backlog {
    fn add(&mut self, item: &Item) {
        let (Some(pk), Some(sk), Some(pending)) = (item.get("pk"), item.get("sk"), item.get("pending"))
        else {
            return;
        };
        // A time that no one can read is very old: it must not keep the row from being found.
        let at = item.get("appended_at").and_then(|it| it.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let place = Place { pk: pk.to_owned(), sk: sk.to_owned() };
        if pending == FAILED { self.failed.push((place, at)) } else { self.pending.push((place, at)) }
    }
}
