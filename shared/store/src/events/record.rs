//! One event as the audit keeps it.

use domain::Timestamp;
use domain::bus::{BusEvent, id_inside, shape_of};
use domain::event::{Event, Refusal};
use domain::finding::Finding;
use domain::outbox_mark::{MarkKey, text_digest};
use domain::replay::{Received, unmarked_text};
use sha2::{Digest, Sha256};

use super::claim::Claim;
use super::reading;
use crate::item::{Item, key, sort_key};
use crate::seconds;

/// The most of a refused event's text that is kept. An item holds 400 KB.
const MAX_REFUSED_BYTES: usize = 200 * 1024;

/// The most that an event and the text it came in have together, for both to be kept.
const MAX_BOTH_BYTES: usize = 380 * 1024;

/// How many characters of a sort key are the digest of what came: 32 bits.
pub(super) const CONTENT_CHARS: usize = 8;

/// The attribute that names the findings about a record.
const FINDING: &str = "finding";

/// One event as the audit keeps it.
pub struct Record {
    item: Item,
    /// The outbox entry that the event came from: it is there already, and not pending any more.
    claim: Option<Claim>,
}

impl Record {
    /// The record of an event that was understood.
    ///
    /// Its partition is the aggregate, its sort key the event's identity and a digest of what came: a second delivery
    /// finds the first, and another event under the same id stands beside it. An envelope of an older system is kept as
    /// it came, too, as far as both fit one item. A replay of an event is recorded as one, beside the event.
    ///
    /// An event that the relay published from the outbox becomes an acknowledgement of its entry; `marks` checks that.
    /// One that only claims so is an ordinary record with a finding, and so is one whose replay marks do not count.
    #[must_use]
    pub fn of(received: &Received, bus: &BusEvent<'_>, marks: &MarkKey, now: Timestamp) -> Record {
        let event = &received.event;
        let (claim, unproven) = match Claim::of(event, bus, marks) {
            None => (None, None),
            Some(Ok(claim)) => (Some(claim), None),
            Some(Err(finding)) => (None, Some(finding)),
        };
        // An entry of the outbox waits for its event, whatever marks that carries.
        if claim.is_none()
            && let Some(replay) = event.replay_id()
        {
            return Record { item: replayed(event, replay, bus, now), claim: None }.noting(unproven);
        }
        let item = ordinary(received, bus, now);
        let ignored = received.ignores_marks.then_some(Finding::ReplayMarkIgnored);
        Record { item, claim }.noting(unproven.into_iter().chain(ignored))
    }

    /// The record of something on the bus that was no event of ours: kept as it came, with the reason.
    #[must_use]
    pub fn refused(bus: &BusEvent<'_>, refusal: &Refusal, now: Timestamp) -> Record {
        let text = bus.detail_text();
        let kept = (text.len() <= MAX_REFUSED_BYTES).then_some(text);
        // Both pairs of names: the bus's own, and what the envelope claims.
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
            // So that it is sealed like all others. Readers of events find none in it.
            .text("bucket", reading::bucket(now, &bus.id))
            .text("digest", text_digest(text))
            .number("bytes", i64::try_from(text.len()).unwrap_or(i64::MAX))
            .maybe("detail", kept);
        Record { item, claim: None }
    }

    /// Reads an item of the table, from a look-up or from its stream.
    #[must_use]
    pub fn from_item(item: Item) -> Record {
        Record { item, claim: None }
    }

    /// The same record, which the table deletes after so many days; for ever where there is no number.
    #[must_use]
    pub fn kept_for(mut self, days: Option<u32>, now: Timestamp) -> Record {
        if let Some(days) = days {
            self.item = self.item.number("ttl", seconds(now) + i64::from(days) * 86_400);
        }
        self
    }

    /// The item as the table keeps it where no entry of the outbox is acknowledged: never at an entry's own place.
    #[must_use]
    pub fn item(&self) -> &Item {
        &self.item
    }

    /// The outbox entry that the event claims.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// What the audit found out about the event, beside what it says.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.get(FINDING).map(Finding::read).unwrap_or_default()
    }

    /// An attribute's text: `id`, `source`, `type`, `time`, `tenant`, `actor`, `traceparent`, `refused`, `event`, …
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.item.get(attribute)
    }

    /// The event of the record, with the record's time where its text names none. `None` where the event was refused, or
    /// is kept as a replay alone.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        reading::stored(&self.item, self.get("event")?).ok()
    }

    /// The same record with more findings.
    pub(super) fn noting(self, more: impl IntoIterator<Item = Finding>) -> Record {
        let findings: Vec<Finding> = self.findings().into_iter().chain(more).collect();
        let item = self.item.maybe(FINDING, Finding::write(&findings).as_deref());
        Record { item, claim: self.claim }
    }
}

/// An event's own record, at the place of its identity.
fn ordinary(received: &Received, bus: &BusEvent<'_>, now: Timestamp) -> Item {
    let event = &received.event;
    let (text, detail) = (event.to_json(), bus.detail_text());
    // Attributes and payload of the other shapes are in the envelope as they were written.
    let is_rewritten = received.ignores_marks || shape_of(detail).is_some_and(|shape| shape.is_older());
    let fits = text.len() + detail.len() <= MAX_BOTH_BYTES;
    // With marks that do not count it is the event that never had them.
    let content = if received.ignores_marks { content(&unmarked_text(detail)) } else { content(detail) };
    envelope_item(event)
        .text("pk", stream(event))
        .text("sk", identity(event, &content))
        .text("bus_id", bus.id.as_ref())
        .text("recorded_at", now.to_string())
        .text("bucket", reading::bucket(now, &event.id))
        .text("digest", text_digest(&text))
        .maybe("detail", Some(detail).filter(|_| is_rewritten && fits))
        .text("event", text)
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
        .text("digest", text_digest(text))
        .text("detail", text)
}

pub(super) fn replay_key(event: &Event, replay: &str) -> String {
    sort_key(&["replay", &event.source, &event.id, &content(replay)])
}

/// The attributes of an event's item that are the envelope's own.
pub(crate) const ENVELOPE: [&str; 11] = [
    "id",
    "source",
    "type",
    "time",
    "subject",
    "tenant",
    "correlation_id",
    "causation_id",
    "actor",
    "auth_id",
    "traceparent",
];

/// An item with the attributes that [`ENVELOPE`] names.
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
        .maybe("auth_id", event.auth_id.as_deref())
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
pub(super) fn beginning(event: &Event) -> String {
    let mut one = identity(event, &content(""));
    one.truncate(one.len() - CONTENT_CHARS);
    one
}

/// What tells two events apart that share an id: the beginning of a digest of what came, in hexadecimal.
fn content(detail: &str) -> String {
    let hash = Sha256::digest(detail.as_bytes());
    hash.iter().take(CONTENT_CHARS / 2).map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests;
