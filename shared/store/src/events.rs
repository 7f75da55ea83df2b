//! The events table: every event on the bus, stored once in parsed form.

use aws::CallError;
use aws_sdk_dynamodb::Client;
use carillon_event::outbox::partition;
use domain::base::finding::Finding;
use domain::delivery::job::Origin;
use domain::event::Event;
use serde_json::json;

use crate::item::Item;
use crate::lookup;
use crate::outbox::Place;
use crate::statements::{Written, execute};

mod access;
mod claim;
mod leaves;
mod reading;
mod record;
mod refusals;
mod streams;
mod timeline;

pub use claim::Claim;
use claim::Round;
pub use leaves::Leaves;
pub use reading::{Found as EventPage, Place as EventPlace};
pub use record::Record;
pub(crate) use record::envelope_item;
use record::{CONTENT_CHARS, beginning, replay_key};
pub use refusals::RefusedEvent;
pub use streams::{MAX_PAGE, MAX_SNAPSHOT_BYTES, Snapshot, SnapshotError, StreamPage, Versioned, Way};
pub use timeline::{RecordedEvent, Timeline};

/// The events table.
#[derive(Clone)]
pub struct Events {
    client: Client,
    table: String,
}

/// The result of appending a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendedRecord {
    /// The record is new, or its outbox entry was pending until now.
    pub is_new: bool,
    /// The findings of the audit about the event.
    pub findings: Vec<Finding>,
}

impl Events {
    #[must_use]
    pub fn new(client: &Client, table: String) -> Events {
        Events { client: client.clone(), table }
    }

    /// Appends records. An existing record is left unchanged.
    ///
    /// A record from the outbox acknowledges its entry if the entry has the exact text that crossed the bus. The
    /// entry is then no longer pending. If no entry has that text, the record becomes an ordinary one with a
    /// finding. No record is ever inserted at the place of an entry. The results are in the order of the records.
    ///
    /// # Errors
    /// The table did not answer at all. Appending all of them again is harmless.
    pub async fn append(
        &self,
        records: &[Record],
    ) -> Result<Vec<Result<AppendedRecord, CallError>>, CallError> {
        const DOING: &str = "append to the audit";
        let mut answers: Vec<Option<Result<AppendedRecord, CallError>>> =
            records.iter().map(|_| None).collect();
        for round in Round::ALL {
            let open = records.iter().enumerate().filter(|(index, _)| answers[*index].is_none());
            let asked =
                open.filter_map(|(index, record)| Some((index, round.statement(&self.table, record)?)));
            let (places, statements): (Vec<usize>, Vec<_>) = asked.unzip();
            let written = execute(&self.client, DOING, statements).await?;
            for (index, written) in places.into_iter().zip(written) {
                answers[index] = match written {
                    Written::Done => Some(Ok(kept(round, &records[index]))),
                    Written::Refused => None,
                    Written::Failed(refused) => Some(Err(refused)),
                };
            }
        }
        let known =
            |record: &Record| AppendedRecord { is_new: false, findings: findings(Round::Unproven, record) };
        let answers = answers.into_iter().zip(records);
        Ok(answers.map(|(answer, record)| answer.unwrap_or_else(|| Ok(known(record)))).collect())
    }

    /// The records of an event's replays that crossed the bus, in no order.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn replays(&self, event: &Event) -> Result<Vec<Record>, CallError> {
        let mut beginning = replay_key(event, "");
        beginning.truncate(beginning.len() - CONTENT_CHARS);
        let found = lookup::beginning(&self.client, &self.table, &partition(event), &beginning).await?;
        Ok(found.into_iter().map(Record::from_item).collect())
    }

    /// The record of one event, or one of several with the same id. A record with an unproven outbox claim is
    /// returned only if there is no other.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn find(&self, event: &Event) -> Result<Option<Record>, CallError> {
        let (proven, unproven): (Vec<_>, Vec<_>) =
            self.ordinary(event).await?.into_iter().partition(|record| !is_unproven(&record.findings()));
        if let Some(record) = proven.into_iter().next() {
            return Ok(Some(record));
        }
        let place = Place::of(event);
        let key = Item::default().text("pk", place.pk).text("sk", place.sk);
        let row = lookup::get(&self.client, &self.table, key).await?;
        let row = row.filter(|row| is_record_of(row, event)).map(Record::from_item);
        Ok(row.or_else(|| unproven.into_iter().next()))
    }

    /// The event of a ledger row. `None`: the event is not recorded, or this release cannot parse it.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn of_origin(&self, origin: &Origin) -> Result<Option<Event>, CallError> {
        let mut envelope = json!({
            "specversion": "1.0", "id": origin.id, "source": origin.source, "type": origin.kind,
            "time": origin.time.to_string(),
        });
        for (name, value) in [("subject", &origin.subject), ("tenant", &origin.tenant)] {
            if let Some(value) = value {
                envelope[name] = value.as_str().into();
            }
        }
        let Ok(named) = Event::stored(&envelope.to_string()) else { return Ok(None) };
        let found = self.find(&named).await?;
        Ok(found.and_then(|record| record.event()))
    }

    /// The findings of the audit about an event, over all records with its source and id.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn findings(&self, event: &Event) -> Result<Vec<Finding>, CallError> {
        let mut findings: Vec<Finding> =
            self.ordinary(event).await?.iter().flat_map(Record::findings).collect();
        findings.sort_unstable();
        findings.dedup();
        Ok(findings)
    }

    /// The ordinary records with an event's source and id.
    async fn ordinary(&self, event: &Event) -> Result<Vec<Record>, CallError> {
        let found =
            lookup::beginning(&self.client, &self.table, &partition(event), &beginning(event)).await?;
        Ok(found.into_iter().map(Record::from_item).collect())
    }
}

/// The result of a record that this round wrote or found.
fn kept(round: Round, record: &Record) -> AppendedRecord {
    let is_new = match round {
        Round::First | Round::Adopt | Round::Unproven => true,
        Round::Known | Round::KnownBefore => false,
    };
    AppendedRecord { is_new, findings: findings(round, record) }
}

/// The findings of a record after this round.
fn findings(round: Round, record: &Record) -> Vec<Finding> {
    let claim = record.claim().filter(|_| round == Round::Unproven);
    record.findings().into_iter().chain(claim.map(Claim::finding)).collect()
}

/// Whether an event claims to come from the outbox without proof.
pub(crate) fn is_unproven(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| match finding {
        Finding::UnprovenOutboxMark | Finding::OutboxEntryDiffers => true,
        Finding::ReplayMarkIgnored => false,
    })
}

/// Whether an outbox row is the record of this event: the row has its id and crossed the bus.
fn is_record_of(item: &Item, event: &Event) -> bool {
    let says = |name, wanted: &str| item.get(name) == Some(wanted);
    says("id", &event.id) && says("source", &event.source) && item.get("bus_id").is_some()
}

#[cfg(test)]
mod tests;
