//! The events table: every event that crossed the bus, once, as it was understood.

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::bus::{BusEvent, Shape, shape_of};
use domain::event::{Event, Refusal};
use sha2::{Digest, Sha256};

use crate::item::{Item, key, sort_key};
use crate::lookup;
use crate::outbox::Place;
use crate::seconds;
use crate::statements::{Statement, Written, execute};

mod access;
mod leaves;
mod reading;
mod streams;
mod timeline;

pub use leaves::Leaves;
pub use reading::{Found as EventPage, Place as EventPlace};
pub use streams::{MAX_PAGE, MAX_SNAPSHOT_BYTES, NotKept, Snapshot, StreamPage, Versioned, Way};
pub use timeline::Timeline;

/// The most of a refused event's text that is kept. An item holds 400 KB.
const MAX_REFUSED_BYTES: usize = 200 * 1024;

/// The most that an event and the text it came in have together, for both to be kept.
const MAX_BOTH_BYTES: usize = 380 * 1024;

/// How many characters of a sort key are the digest of what came: 32 bits.
const CONTENT_CHARS: usize = 8;

/// The events table.
#[derive(Clone)]
pub struct Events {
    client: Client,
    table: String,
}

/// One event as the audit keeps it.
pub struct Record {
    item: Item,
    /// The row of the outbox that it came from: it is there already, and not pending any more.
    outbox: Option<Place>,
}

impl Record {
    /// The record of an event that was understood.
    ///
    /// Its partition is the aggregate, its sort key the event's identity and a digest of what came: a second delivery
    /// finds the first, and another event under the same id stands beside it. An envelope of an older system is kept as
    /// it came, too, as far as both fit one item. A replay of an event is recorded as one, beside the event.
    #[must_use]
    pub fn of(event: &Event, bus: &BusEvent<'_>, now: Timestamp) -> Record {
        let text = event.to_json();
        let detail = bus.detail_text();
        let is_rewritten = match shape_of(detail) {
            Some(Shape::Hub | Shape::Circle | Shape::Business) => true,
            // Attributes and payload of these are in the envelope as they were written.
            Some(Shape::CloudEvent | Shape::Plain) | None => false,
        };
        let fits = text.len() + detail.len() <= MAX_BOTH_BYTES;
        let outbox = bus.is_from_outbox().then(|| Place::of(event));
        let (pk, sk) = match &outbox {
            Some(place) => (place.pk.clone(), place.sk.clone()),
            None => (stream(event), identity(event, &content(detail))),
        };
        // A row of the outbox waits for its event, whatever marks that carries.
        if outbox.is_none()
            && let Some(replay) = event.replay_id()
        {
            return Record { item: replayed(event, replay, bus, now), outbox: None };
        }
        let item = envelope_item(event)
            .text("pk", pk)
            .text("sk", sk)
            .text("bus_id", bus.id.as_ref())
            .text("recorded_at", now.to_string())
            .text("bucket", reading::bucket(now, &event.id))
            .text("digest", digest(&text))
            .maybe("detail", Some(detail).filter(|_| is_rewritten && fits))
            .text("event", text);
        Record { item, outbox }
    }

    /// The record of something on the bus that was no event of ours: kept as it came, with the reason.
    #[must_use]
    pub fn refused(bus: &BusEvent<'_>, refusal: &Refusal, now: Timestamp) -> Record {
        let text = bus.detail_text();
        let kept = (text.len() <= MAX_REFUSED_BYTES).then_some(text);
        let item = Item::default()
            .text("pk", key(&["refused", &bus.source]))
            .text("sk", sort_key(&["event", &bus.id]))
            .text("id", bus.id.as_ref())
            .text("source", bus.source.as_ref())
            .text("type", bus.detail_type.as_ref())
            .text("time", bus.time.as_ref())
            .text("bus_id", bus.id.as_ref())
            .text("refused", refusal.to_string())
            .text("recorded_at", now.to_string())
            // So that it is sealed like all others. Readers of events find none in it.
            .text("bucket", reading::bucket(now, &bus.id))
            .text("digest", digest(text))
            .number("bytes", i64::try_from(text.len()).unwrap_or(i64::MAX))
            .maybe("detail", kept);
        Record { item, outbox: None }
    }

    /// Reads an item of the table, from a look-up or from its stream.
    #[must_use]
    pub fn from_item(item: Item) -> Record {
        Record { item, outbox: None }
    }

    /// The same record, which the table deletes after so many days; for ever where there is no number.
    #[must_use]
    pub fn kept_for(mut self, days: Option<u32>, now: Timestamp) -> Record {
        if let Some(days) = days {
            self.item = self.item.number("ttl", seconds(now) + i64::from(days) * 86_400);
        }
        self
    }

    /// The item as the table keeps it.
    #[must_use]
    pub fn item(&self) -> &Item {
        &self.item
    }

    /// The row of the outbox that it came from.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.outbox.as_ref()
    }

    /// An attribute's text: `id`, `source`, `type`, `time`, `tenant`, `actor`, `traceparent`, `refused`, `event`, …
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.item.get(attribute)
    }
}

impl Events {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Events {
        Events { client: client.clone(), table }
    }

    /// Appends records. One that is there already is left as it is; one that came from the outbox is acknowledged: its row
    /// is not pending any more. The answers are in the order of the records: whether each is kept now, and `true` where
    /// it is new, or was pending until now.
    ///
    /// # Errors
    /// The table could not be asked at all. Appending all of them again is harmless.
    pub async fn append(&self, records: Vec<Record>) -> Result<Vec<Result<bool, Refused>>, Refused> {
        const DOING: &str = "append to the audit";
        let writes = records.iter().map(|it| match &it.outbox {
            Some(place) => acknowledgement(&self.table, place, &it.item),
            None => Statement::insert(&self.table, it.item.clone()),
        });
        let mut written = execute(&self.client, DOING, writes.collect()).await?;
        // Not pending any more, or not there at all: kept it is either way.
        let again: Vec<usize> = (0..written.len())
            .filter(|&at| records[at].outbox.is_some() && matches!(written[at], Written::Refused))
            .collect();
        let inserts = again.iter().map(|&at| Statement::insert(&self.table, records[at].item.clone()));
        let inserted = execute(&self.client, DOING, inserts.collect()).await?;
        for (at, it) in again.into_iter().zip(inserted) {
            written[at] = it;
        }
        let kept = written.into_iter().map(|it| match it {
            Written::Done => Ok(true),
            Written::Refused => Ok(false),
            Written::Failed(refused) => Err(refused),
        });
        Ok(kept.collect())
    }

    /// The records of an event's replays, as far as these crossed the bus, in no order.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn replays(&self, event: &Event) -> Result<Vec<Record>, Refused> {
        let mut beginning = replay_key(event, "");
        beginning.truncate(beginning.len() - CONTENT_CHARS);
        let found = lookup::beginning(&self.client, &self.table, &stream(event), &beginning).await?;
        Ok(found.into_iter().map(Record::from_item).collect())
    }

    /// The record of one event; one of them, where several share its id.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn find(&self, event: &Event) -> Result<Option<Record>, Refused> {
        let found = lookup::beginning(&self.client, &self.table, &stream(event), &beginning(event)).await?;
        if let Some(item) = found.into_iter().next() {
            return Ok(Some(Record::from_item(item)));
        }
        let place = Place::of(event);
        let key = Item::default().text("pk", place.pk).text("sk", place.sk);
        let row = lookup::get(&self.client, &self.table, key).await?;
        Ok(row.filter(|it| is_record_of(it, event)).map(Record::from_item))
    }
}

/// Whether a row of the outbox is the record of this event: it has its id, and has been on the bus.
fn is_record_of(item: &Item, event: &Event) -> bool {
    let says = |name, wanted: &str| item.get(name) == Some(wanted);
    says("id", &event.id) && says("source", &event.source) && item.get("bus_id").is_some()
}

/// That an event came by once more. It stands beside the event's record, not in its place: what came is kept as `detail`, so
/// readers of events, who look for `event`, do not find the event twice.
fn replayed(event: &Event, replay: &str, bus: &BusEvent<'_>, now: Timestamp) -> Item {
    let text = bus.detail_text();
    envelope_item(event)
        .text("pk", stream(event))
        .text("sk", replay_key(event, replay))
        .text("replay_id", replay)
        .maybe("renotified", event.nonce().map(|_| "true"))
        .text("bus_id", bus.id.as_ref())
        .text("recorded_at", now.to_string())
        .text("bucket", reading::bucket(now, &event.id))
        .text("digest", digest(text))
        .text("detail", text)
}

fn replay_key(event: &Event, replay: &str) -> String {
    sort_key(&["replay", &event.source, &event.id, &content(replay)])
}

/// Takes `pending` off a row of the outbox, and adds what the bus said of it. The event stays as the producer wrote it.
fn acknowledgement(table: &str, place: &Place, item: &Item) -> Statement {
    let kept = ["pk", "sk", "event", "detail", "digest"];
    let attributes: Vec<_> = item.iter_text().filter(|(name, _)| !kept.contains(name)).collect();
    let expires = item.get_number("ttl");
    let names = attributes.iter().map(|(name, _)| *name).chain(expires.map(|_| "ttl"));
    let sets: Vec<String> = names.map(|it| format!("SET \"{it}\" = ?")).collect();
    let text = format!(
        "UPDATE \"{table}\" {} REMOVE \"pending\" WHERE pk = ? AND sk = ? AND \"pending\" IS NOT MISSING",
        sets.join(" ")
    );
    let text_of = |it: &str| AttributeValue::S(it.to_owned());
    let values = attributes.iter().map(|(_, value)| text_of(value));
    let values = values.chain(expires.map(|it| AttributeValue::N(it.to_string())));
    Statement::new(text, values.chain([text_of(&place.pk), text_of(&place.sk)]).collect())
}

/// The attributes of an event's item that are the envelope's own.
pub(crate) fn envelope_item(event: &Event) -> Item {
    Item::default()
        .text("id", &event.id)
        .text("source", &event.source)
        .text("type", &event.kind)
        .text("time", event.time.to_string())
        .maybe("subject", event.subject.as_deref())
        .maybe("tenant", event.tenant.as_deref())
        .maybe("correlation_id", event.correlation_id.as_deref())
        .maybe("causation_id", event.causation_id.as_deref())
        .maybe("actor", event.actor.as_deref())
        .maybe("traceparent", event.traceparent.as_deref())
}

/// The aggregate's stream. Events without a subject share the stream of their source.
pub(crate) fn stream(event: &Event) -> String {
    let tenant = event.tenant.as_deref().unwrap_or("-");
    let aggregate = event.subject.as_deref().unwrap_or(&event.source);
    key(&["stream", tenant, aggregate])
}

/// What makes a second delivery of an event find the first: CloudEvents' source and id, and what came.
fn identity(event: &Event, content: &str) -> String {
    sort_key(&["event", &event.source, &event.id, content])
}

/// What the identities of all events with this source and id begin with.
fn beginning(event: &Event) -> String {
    let mut one = identity(event, &content(""));
    one.truncate(one.len() - CONTENT_CHARS);
    one
}

/// What tells two events apart that share an id: the beginning of a digest of what came, in hexadecimal.
fn content(detail: &str) -> String {
    let hash = Sha256::digest(detail.as_bytes());
    hash.iter().take(CONTENT_CHARS / 2).map(|it| format!("{it:02x}")).collect()
}

pub(crate) fn digest(text: &str) -> String {
    format!("sha256:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_records_of_one_source_and_id_begin_alike_however_long_these_are() {
        for (source, id) in [("s", "1"), ("s", "1#0"), (&"s".repeat(256), &"#".repeat(256))] {
            let event = event(source, id);
            for detail in ["", "{}", "{\"a\":1}"] {
                let identity = identity(&event, &content(detail));
                assert!(identity.starts_with(&beginning(&event)) && identity.len() <= 1024, "{identity}");
            }
        }
        assert!(!identity(&event("s", "10"), &content("")).starts_with(&beginning(&event("s", "1"))));
    }

    fn event(source: &str, id: &str) -> Event {
        let text = serde_json::json!({
            "specversion": "1.0", "id": id, "source": source, "type": "t", "time": "2026-11-20T12:00:00Z",
        });
        Event::parse(&text.to_string()).unwrap()
    }
}
