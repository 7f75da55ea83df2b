//! One event as the audit stores it.

use carillon_event::outbox::partition;
use domain::Timestamp;
use domain::base::finding::Finding;
use domain::event::bus::{BusEvent, id_inside, shape_of};
use domain::event::outbox_mark::{MarkKey, text_digest};
use domain::event::replay::{Received, unmarked_text};
use domain::event::{Event, Refusal};
use sha2::{Digest, Sha256};

use super::claim::Claim;
use super::reading;
use crate::item::{Item, key, sort_key};
use crate::seconds;

/// The largest text of a refused event that is kept. An item holds 400 KB.
const MAX_REFUSED_BYTES: usize = 200 * 1024;

/// The largest size of an event and its original text together for both to be kept.
const MAX_BOTH_BYTES: usize = 380 * 1024;

/// The number of characters of a sort key that are the digest of the content: 32 bits.
pub(super) const CONTENT_CHARS: usize = 8;

/// The attribute with the findings about a record.
const FINDING: &str = "finding";

/// One event as the audit stores it.
pub struct Record {
    item: Item,
    /// The outbox entry that the event came from. The record then acknowledges that entry.
    claim: Option<Claim>,
}

impl Record {
    /// The record of a parsed event.
    ///
    /// Its partition is the aggregate. Its sort key is the event's identity and a digest of the content: a
    /// redelivery finds the first record, and another event with the same id gets a record of its own. An envelope
    /// of an older system is also kept in its original form if both fit one item. A replay is recorded beside its
    /// event.
    ///
    /// An event that the relay published from the outbox acknowledges its entry, which `marks` proves. An event
    /// with an unproven claim is an ordinary record with a finding, and so is one with invalid replay marks.
    #[must_use]
    pub fn of(received: &Received, bus: &BusEvent<'_>, marks: &MarkKey, now: Timestamp) -> Record {
        let event = &received.event;
        let (claim, unproven) = match Claim::of(event, bus, marks) {
            None => (None, None),
            Some(Ok(claim)) => (Some(claim), None),
            Some(Err(finding)) => (None, Some(finding)),
        };
        // An outbox entry waits for its event, whatever replay marks that carries.
        if claim.is_none()
            && let Some(replay) = event.replay_id()
        {
            return Record { item: replayed(event, replay, bus, now), claim: None }.noting(unproven);
        }
        let item = ordinary(received, bus, now);
        let ignored = received.ignores_marks.then_some(Finding::ReplayMarkIgnored);
        Record { item, claim }.noting(unproven.into_iter().chain(ignored))
    }

    /// The record of a bus message that was refused: its original text with the reason.
    #[must_use]
    pub fn refused(bus: &BusEvent<'_>, refusal: &Refusal, now: Timestamp) -> Record {
        let text = bus.detail_text();
        let kept = (text.len() <= MAX_REFUSED_BYTES).then_some(text);
        // Both pairs of names: those of the bus, and those that the envelope claims.
        let (inner_source, inner_type) = bus.named_inside().unzip();
        let item = Item::default()
            .text("pk", key(&["refused", &bus.source]))
            .text("sk", sort_key(&["event", &bus.id]))
            .text("id", bus.id.as_ref())
            .text("source", bus.source.as_ref())
            .text("type", bus.detail_type.as_ref())
            .text("time", bus.time.as_ref())
            .text("bus_id", bus.id.as_ref())
            .text("refused", refusal.to_string())
            .text("refused_class", refusal.class.name())
            .maybe("inner_source", inner_source.as_deref())
            .maybe("inner_type", inner_type.as_deref())
            .maybe("inner_id", id_inside(text).as_deref())
            .text("recorded_at", now.to_string())
            // With a bucket the record is sealed like all others. Without `event`, readers of events skip it.
            .text("bucket", reading::bucket(now, &bus.id))
            .text("digest", text_digest(text))
            .number("bytes", i64::try_from(text.len()).unwrap_or(i64::MAX))
            .maybe("detail", kept);
        Record { item, claim: None }
    }

    /// Wraps an item of the table, from a read or from its stream.
    #[must_use]
    pub fn from_item(item: Item) -> Record {
        Record { item, claim: None }
    }

    /// The record with an expiry after this many days. Without a number the record is kept for ever.
    #[must_use]
    pub fn kept_for(mut self, days: Option<u32>, now: Timestamp) -> Record {
        if let Some(days) = days {
            self.item = self.item.number("ttl", seconds(now) + i64::from(days) * 86_400);
        }
        self
    }

    /// The item for the case that no outbox entry is acknowledged. Its key is never that of an entry.
    #[must_use]
    pub fn item(&self) -> &Item {
        &self.item
    }

    /// The outbox entry that the event claims.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// The findings of the audit about the event.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.get(FINDING).map(Finding::read).unwrap_or_default()
    }

    /// The text of an attribute: `id`, `source`, `type`, `time`, `tenant`, `actor`, `traceparent`, `refused`,
    /// `event`, …
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.item.get(attribute)
    }

    /// The event of the record. If its text has no time, the record's time takes its place. `None` for a refused
    /// event and for the record of a replay.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        reading::stored(&self.item, self.get("event")?).ok()
    }

    /// The record with more findings.
    pub(super) fn noting(self, more: impl IntoIterator<Item = Finding>) -> Record {
        let findings: Vec<Finding> = self.findings().into_iter().chain(more).collect();
        let item = self.item.maybe(FINDING, Finding::write(&findings).as_deref());
        Record { item, claim: self.claim }
    }
}

/// The item of an event's own record, under the key of its identity.
fn ordinary(received: &Received, bus: &BusEvent<'_>, now: Timestamp) -> Item {
    let event = &received.event;
    let (text, detail) = (event.to_json(), bus.detail_text());
    // Events in other shapes keep their attributes and payload within the envelope.
    let is_rewritten = received.ignores_marks || shape_of(detail).is_some_and(|shape| shape.is_older());
    let fits = text.len() + detail.len() <= MAX_BOTH_BYTES;
    // Invalid replay marks are removed, so that the content is that of the unmarked event.
    let content = if received.ignores_marks { content(&unmarked_text(detail)) } else { content(detail) };
    envelope_item(event)
        .text("pk", partition(event))
        .text("sk", identity(event, &content))
        .text("bus_id", bus.id.as_ref())
        .text("recorded_at", now.to_string())
        .text("bucket", reading::bucket(now, &event.id))
        .text("digest", text_digest(&text))
        .maybe("detail", Some(detail).filter(|_| is_rewritten && fits))
        .text("event", text)
}

/// The item of a replay, beside the event's own record. The replayed text is kept as `detail`, so readers of
/// `event` do not find the event twice.
fn replayed(event: &Event, replay: &str, bus: &BusEvent<'_>, now: Timestamp) -> Item {
    let text = bus.detail_text();
    envelope_item(event)
        .text("pk", partition(event))
        .text("sk", replay_key(event, replay))
        .text("replay_id", replay)
        .maybe("renotified", event.nonce().map(|_| "true"))
        .text("bus_id", bus.id.as_ref())
        .text("recorded_at", now.to_string())
        .text("bucket", reading::bucket(now, &event.id))
        .text("digest", text_digest(text))
        .text("detail", text)
}

pub(super) fn replay_key(event: &Event, replay: &str) -> String {
    sort_key(&["replay", &event.source, &event.id, &content(replay)])
}

/// An item with the envelope's attributes.
pub(crate) fn envelope_item(event: &Event) -> Item {
    let attributes = carillon_event::outbox::envelope(event).into_iter();
    attributes.fold(Item::default(), |item, (name, value)| item.text(name, value))
}

/// The sort key by which a redelivery finds the first record: CloudEvents' source and id, and the content.
fn identity(event: &Event, content: &str) -> String {
    sort_key(&["event", &event.source, &event.id, content])
}

/// The common prefix of the identities of all events with this source and id.
pub(super) fn beginning(event: &Event) -> String {
    let mut one = identity(event, &content(""));
    one.truncate(one.len() - CONTENT_CHARS);
    one
}

/// The part of the identity that separates two events with one id: the first characters of a hexadecimal digest of
/// the content.
fn content(detail: &str) -> String {
    let hash = Sha256::digest(detail.as_bytes());
    hash.iter().take(CONTENT_CHARS / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
