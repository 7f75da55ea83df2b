//! Access records in the events table, beside the events and under keys of their own.
//!
//! | pk | sk | content |
//! |---|---|---|
//! | `access#person#<id>` | `at#<time>#<request>` | requests about a person, in the order of their times |
//! | `access#caller#<subject>` | `at#<time>#<request>` | requests about no single person |
//!
//! A record has the attributes `bucket` and `recorded_at`, so it is sealed like events. It has no attribute
//! `event`, so readers of events (replay, what-if, explain) do not see it. A response that lists people adds one
//! row for each of them. Those rows refer to the record and are not sealed.

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::audit::access::{AccessRecord, RECORDED};
use domain::event::outbox_mark::text_digest;

use super::{Events, Record, Way, reading};
use crate::item::{Item, key, sort_key};

impl Record {
    /// The rows of an access record: first the record itself, then one row for each person that the response
    /// listed.
    #[must_use]
    pub fn of_access(record: &AccessRecord, now: Timestamp) -> Vec<Record> {
        let sealed = item(record, now).text("bucket", reading::bucket(now, &record.access.request));
        let listed =
            record.of_listed().map(|of_listed| item(&of_listed, now).text("listed_by", partition(record)));
        std::iter::once(sealed).chain(listed).map(Record::from_item).collect()
    }
}

impl Events {
    /// The access records about a person from `since` on, oldest first.
    ///
    /// One `Query` of the person's own partition: half a read unit per 4 KB of records.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn accesses_of(&self, person: &str, since: Timestamp) -> Result<Vec<AccessRecord>, CallError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk >= :since")
                .expression_attribute_values(":pk", AttributeValue::S(person_pk(person)))
                .expression_attribute_values(":since", AttributeValue::S(sort_key(&["at", &text(since)])))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| CallError::new("read access records of a person", error))?;
            found.extend(
                answer.items.unwrap_or_default().into_iter().map(Item::from).filter_map(|item| read(&item)),
            );
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// The access records from `from` up to `to` of all callers, or of one, oldest first.
    ///
    /// Reads the whole index by time for that span, events included: half a read unit per 4 KB recorded.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn accesses_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        caller: Option<&str>,
    ) -> Result<Vec<AccessRecord>, CallError> {
        let mut found = Vec::new();
        for bucket in reading::buckets_by_day(from, to).into_iter().flatten() {
            let mut after = None;
            loop {
                let (items, next) = reading::query(self, &bucket, (from, to), after, Way::Forward).await?;
                found.extend(items.into_iter().map(Item::from).filter_map(|item| read(&item)));
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        found.retain(|record| caller.is_none() || record.access.subject.as_deref() == caller);
        found.sort_by(|one, other| (one.time, &one.access.request).cmp(&(other.time, &other.access.request)));
        Ok(found)
    }
}

fn item(record: &AccessRecord, now: Timestamp) -> Item {
    let detail = record.to_json();
    Item::default()
        .text("pk", partition(record))
        .text("sk", sort_key(&["at", &text(record.time), &record.access.request]))
        .text("id", &record.access.request)
        .text("source", &record.source)
        .text("type", RECORDED)
        .text("time", record.time.to_string())
        .maybe("tenant", record.access.tenant.as_deref())
        .text("recorded_at", now.to_string())
        .text("digest", text_digest(&detail))
        .text("detail", detail)
}

/// Parses an access record. An event that imitates one has another partition, because only direct messages write
/// under `access#`.
fn read(item: &Item) -> Option<AccessRecord> {
    item.get("pk").filter(|pk| pk.starts_with("access#"))?;
    AccessRecord::parse(item.get("detail")?)
}

fn partition(record: &AccessRecord) -> String {
    match record.person() {
        Some(person) => person_pk(person),
        None => key(&["access", "caller", record.access.subject.as_deref().unwrap_or("-")]),
    }
}

fn person_pk(person: &str) -> String {
    key(&["access", "person", person])
}

/// A time as text that sorts like the time: always three decimals.
fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::audit::access::{Access, CallerKind, Object, PERSON};
    use domain::event::Event;
    use domain::event::own_events::API_SOURCE;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn access_record_is_sealed_and_is_not_an_event() {
        let rows = Record::of_access(&record(Some(Object::new(PERSON, Some("ann"))), &[]), NOON);
        let [row] = rows.as_slice() else { panic!() };
        assert_eq!(row.get("pk"), Some("access#person#ann"));
        assert_eq!(row.get("sk"), Some("at#2026-11-18T11:06:40.000Z#r-1"));
        assert_eq!((row.get("type"), row.get("event")), (Some(RECORDED), None));
        assert!(super::super::leaves::leaf(&row.item().clone().into_attributes()).is_some(), "it has a leaf");
        assert!(reading::event(row.item()).is_none());
        assert_eq!(read(row.item()).unwrap().access.request, "r-1");
    }

    #[test]
    fn listed_person_has_a_row_that_refers_to_the_sealed_record() {
        let rows = Record::of_access(&record(Some(Object::new("group", None)), &["ann", "ben"]), NOON);
        let keys: Vec<_> = rows.iter().map(|row| row.get("pk").unwrap()).collect();
        assert_eq!(keys, ["access#caller#shop", "access#person#ann", "access#person#ben"]);
        let sealed: Vec<_> = rows.iter().map(|row| row.get("bucket").is_some()).collect();
        assert_eq!(sealed, [true, false, false]);
        assert_eq!(rows[1].get("listed_by"), Some("access#caller#shop"));
        assert!(!rows[1].get("detail").unwrap().contains("ben"), "a row names one person");
    }

    #[test]
    fn event_that_imitates_an_access_record_is_not_parsed() {
        let imitation = Event::parse(&record(Some(Object::new(PERSON, Some("ann"))), &[]).to_json()).unwrap();
        let item = crate::events::envelope_item(&imitation)
            .text("pk", carillon_event::outbox::partition(&imitation))
            .text("detail", imitation.to_json());
        assert!(read(&item).is_none());
    }

    #[test]
    fn times_sort_as_text() {
        let time = |text: &str| super::text(text.parse().unwrap());
        assert!(time("2026-11-20T12:00:00Z") < time("2026-11-20T12:00:00.5Z"));
    }

    fn record(object: Option<Object>, listed: &[&str]) -> AccessRecord {
        let access = Access {
            by: CallerKind::Iam,
            subject: Some("shop".to_owned()),
            tenant: None,
            operation: "getRecipient".to_owned(),
            object,
            listed: listed.iter().map(|person| (*person).to_owned()).collect(),
            status: Some(200),
            request: "r-1".to_owned(),
        };
        AccessRecord { source: API_SOURCE.to_owned(), time: NOON, access }
    }
}
