//! The outbox entry behind an event, and the conditional writes that acknowledge it.
//!
//! The audit's role cannot read rows, so each question is a conditional write. All conditions include the digest of
//! the stored text: only an event with exactly that text acknowledges an entry. An entry that has the event's
//! attributes keeps its own.

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_event::outbox::ENVELOPE;
use domain::base::finding::Finding;
use domain::event::Event;
use domain::event::bus::{BusEvent, FROM_OUTBOX};
use domain::event::outbox_mark::{MarkKey, MarkedEntry, compact, text_digest};

use super::record::Record;
use crate::item::Item;
use crate::outbox::Place;
use crate::statements::Statement;

/// The attributes that the bus adds to an entry: when and how the event crossed it.
const BUS: [&str; 3] = ["bus_id", "recorded_at", "bucket"];

/// The outbox entry that an event claims, and the digest of the text that must be stored there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    place: Place,
    digest: String,
    /// The relay's mark proves the claim. Without it the digest is that of the event on the bus.
    is_marked: bool,
}

/// One conditional write about a record. The rounds are tried in this order until one write succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// Acknowledge the entry, or insert a record without a claim.
    First,
    /// Acknowledge an entry that a plain `PutItem` wrote without a digest, and add the attributes that readers
    /// need.
    Adopt,
    /// Check whether the entry is acknowledged already. Changes nothing.
    Known,
    /// Check whether an audit of the last release acknowledged an entry without a digest. Changes nothing.
    KnownBefore,
    /// No entry has this text: insert an ordinary record with a finding.
    Unproven,
}

impl Round {
    pub(super) const ALL: [Round; 5] =
        [Round::First, Round::Adopt, Round::Known, Round::KnownBefore, Round::Unproven];

    /// The write of this round, if the record needs it.
    pub(super) fn statement(self, table: &str, record: &Record) -> Option<Statement> {
        let Some(claim) = record.claim() else {
            return (self == Round::First).then(|| Statement::insert(table, record.item().clone()));
        };
        let item = record.item();
        match self {
            Round::First => Some(claim.acknowledgement(table, item)),
            Round::Adopt => claim.is_marked.then(|| claim.adoption(table, item)),
            Round::Known => Some(claim.known(table)),
            Round::KnownBefore => claim.is_marked.then(|| claim.known_before(table, item)),
            Round::Unproven => {
                let noted = Record::from_item(item.clone()).noting([claim.finding()]);
                Some(Statement::insert(table, noted.item().clone()))
            }
        }
    }
}

impl Claim {
    /// The entry that an event claims. `None` without a claim. A finding if the claim is not proven.
    ///
    /// The plain mark of the last release proves nothing. The digest of the text on the bus must then match that of
    /// the stored text, so an entry is acknowledged only if its text did cross the bus.
    pub(super) fn of(event: &Event, bus: &BusEvent<'_>, marks: &MarkKey) -> Option<Result<Claim, Finding>> {
        let named = bus.outbox_marks();
        if named.is_empty() {
            return None;
        }
        let place = Place::of(event);
        if named.iter().all(|mark| mark == FROM_OUTBOX) {
            let digest = text_digest(&compact(bus.detail_text()));
            return Some(Ok(Claim { place, digest, is_marked: false }));
        }
        let (source, id) = (event.source.as_str(), event.id.as_str());
        let entry = MarkedEntry { source, id, pk: &place.pk, sk: &place.sk };
        let proven = marks.prove(entry, bus.detail_text(), &named);
        let claim = proven.map(|digest| Claim { place, digest, is_marked: true });
        Some(claim.ok_or(Finding::UnprovenOutboxMark))
    }

    /// The place of the entry.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether this row is the entry: it is pending and has the text that crossed the bus. The in-memory table uses
    /// it in place of the conditions of the writes.
    #[must_use]
    pub fn acknowledges(&self, row: &Item) -> bool {
        let digest = row.get("digest");
        let is_text = digest == Some(&self.digest) || (digest.is_none() && self.is_marked);
        row.get("pending").is_some() && is_text
    }

    /// The finding if no entry has the text.
    pub(super) fn finding(&self) -> Finding {
        if self.is_marked { Finding::OutboxEntryDiffers } else { Finding::UnprovenOutboxMark }
    }

    /// Removes `pending` from the entry with this text and adds the bus attributes. Nothing else changes.
    fn acknowledgement(&self, table: &str, item: &Item) -> Statement {
        let condition = r#""pending" IS NOT MISSING AND "digest" = ?"#;
        self.update(table, &chosen(item, &BUS), true, (condition, &[&self.digest]))
    }

    /// The acknowledgement of an entry without a digest. The relay read its text and marked the event with that
    /// text's digest. The event on the bus has the same content, so its attributes fit the stored text.
    fn adoption(&self, table: &str, item: &Item) -> Statement {
        let names = [&BUS[..], &ENVELOPE[..]].concat();
        let sets = chosen(item, &names).text("digest", &self.digest);
        self.update(table, &sets, true, (r#""pending" IS NOT MISSING AND "digest" IS MISSING"#, &[]))
    }

    /// Sets the digest to itself on a row with this digest that is not pending.
    fn known(&self, table: &str) -> Statement {
        let sets = Item::default().text("digest", &self.digest);
        self.update(table, &sets, false, (r#""pending" IS MISSING AND "digest" = ?"#, &[&self.digest]))
    }

    /// Sets the id to itself on a row without a digest that has this id and crossed the bus.
    fn known_before(&self, table: &str, item: &Item) -> Statement {
        let (id, source) = (item.get("id").unwrap_or_default(), item.get("source").unwrap_or_default());
        let condition = r#""pending" IS MISSING AND "digest" IS MISSING AND "bus_id" IS NOT MISSING AND "id" = ? AND "source" = ?"#;
        self.update(table, &Item::default().text("id", id), false, (condition, &[id, source]))
    }

    fn update(
        &self,
        table: &str,
        sets: &Item,
        is_acknowledgement: bool,
        (condition, values): (&str, &[&str]),
    ) -> Statement {
        let expires = sets.get_number("ttl");
        let names = sets.iter_text().map(|(name, _)| name).chain(expires.map(|_| "ttl"));
        let mut changes: Vec<String> = names.map(|name| format!("SET \"{name}\" = ?")).collect();
        if is_acknowledgement {
            changes.push("REMOVE \"pending\"".to_owned());
        }
        let text =
            format!("UPDATE \"{table}\" {} WHERE pk = ? AND sk = ? AND {condition}", changes.join(" "));
        let text_of = |value: &str| AttributeValue::S(value.to_owned());
        let key = [self.place.pk.as_str(), &self.place.sk];
        let parameters = sets
            .iter_text()
            .map(|(_, value)| text_of(value))
            .chain(expires.map(|expires| AttributeValue::N(expires.to_string())))
            .chain(key.into_iter().chain(values.iter().copied()).map(text_of));
        Statement::new(text, parameters.collect())
    }
}

/// These attributes of an item, and its expiry.
fn chosen(item: &Item, names: &[&str]) -> Item {
    let texts = names.iter().filter_map(|name| Some((*name, item.get(name)?)));
    let chosen = texts.fold(Item::default(), |chosen, (name, value)| chosen.text(name, value));
    match item.get_number("ttl") {
        Some(expires) => chosen.number("ttl", expires),
        None => chosen,
    }
}
