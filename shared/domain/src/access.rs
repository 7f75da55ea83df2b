//! Access records: which caller asked for which object, and how the request was answered.
//!
//! A record holds ids and names of operations. It holds no value of a person, no body and no query. A record travels to
//! the audit's queue directly, in the shape in which an EventBridge rule hands events over, with one member more.
//! EventBridge writes the outer members of its messages itself, so no publisher on the bus can write that member.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Found, Refusal};

/// The type of every access record.
pub const RECORDED: &str = "carillon.access.recorded";

/// The source of records of the HTTP API.
pub const API: &str = "carillon/api";

/// The source of records of the command line.
pub const CLI: &str = "carillon/cli";

/// The operation of a request that leads to no route.
pub const NO_OPERATION: &str = "none";

/// The kind of an object that is a person. Records about persons are found by the person's id.
pub const PERSON: &str = "person";

/// The longest id that a record holds, in bytes: the limit of names in events. A longer one cannot name anything.
const MAX_ID_BYTES: usize = 256;

/// The most people that one record lists: one page of the API.
const MAX_LISTED: usize = 500;

/// The version of the message's shape.
const VERSION: u8 = 1;

/// How a caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// A token of the issuer; the subject is its user.
    Token,
    /// AWS IAM; the subject is the caller's ARN.
    Iam,
    /// The link of a message; the subject is the recipient that the link was made for.
    Link,
    /// Nobody that is known.
    Unknown,
}

impl CallerKind {
    /// The name as it is written in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CallerKind::Token => "token",
            CallerKind::Iam => "iam",
            CallerKind::Link => "link",
            CallerKind::Unknown => "unknown",
        }
    }
}

/// What a request was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// `person`, `group`, `tenant`, `event`, `delivery` or `endpoint`; of the command line also `room`, `address`, `stream`
    /// and `queue`.
    pub kind: String,
    /// Absent where the request names no single object, or names it by an id that is too long to exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Object {
    /// An object by its kind and id.
    #[must_use]
    pub fn new(kind: &str, id: Option<&str>) -> Object {
        let id = id.filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES);
        Object { kind: kind.to_owned(), id: id.map(str::to_owned) }
    }
}

/// The content of a record: ids and names, no values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub by: CallerKind,
    /// The token's user, or the ARN of the IAM caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The `operationId` of `openapi.yaml`, the name of a CLI command, or [`NO_OPERATION`].
    pub operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// The ids of the people whose data were in the answer, where that was a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<String>,
    /// The HTTP status; absent for the command line, whose record is written before the data are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The id of the request.
    pub request: String,
}

/// An access record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRecord {
    /// [`API`] or [`CLI`].
    pub source: String,
    pub time: Timestamp,
    pub access: Access,
}

/// The record as a CloudEvent, which the audit keeps as it came.
#[derive(Serialize, Deserialize)]
struct Envelope {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    datacontenttype: String,
    data: Access,
}

/// The member that a record has beside its event. EventBridge writes no member of that name.
#[derive(Deserialize)]
struct Marked {
    #[serde(default, rename = "carillon-access")]
    version: Option<u32>,
}

/// The record as a message of the audit's queue.
#[derive(Serialize, Deserialize)]
struct Message {
    #[serde(rename = "carillon-access")]
    version: u8,
    id: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    source: String,
    time: Timestamp,
    detail: Envelope,
}

impl AccessRecord {
    /// The id of the person that the record is about.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        self.access.object.as_ref().filter(|object| object.kind == PERSON)?.id.as_deref()
    }

    /// The body of the message to the audit's queue.
    #[must_use]
    pub fn to_message(&self) -> String {
        let detail = self.envelope();
        let message = Message {
            version: VERSION,
            id: detail.id.clone(),
            detail_type: RECORDED.to_owned(),
            source: self.source.clone(),
            time: self.time,
            detail,
        };
        serde_json::to_string(&message).expect("strings and numbers always serialize")
    }

    /// Reads the body of a message of the audit's queue. `None` for everything else that the queue carries, and for an
    /// event on the bus that imitates a record.
    ///
    /// # Errors
    /// [`Refusal`] for a record that this release cannot read: it must become no event.
    #[must_use]
    pub fn of_message(body: &str) -> Option<Result<AccessRecord, Refusal>> {
        // Most messages are events: they are not read twice.
        if !body.contains("\"carillon-access\"") {
            return None;
        }
        let Marked { version } = serde_json::from_str(body).ok()?;
        let version = version?;
        if version > u32::from(VERSION) {
            return Some(Err(Refusal::new(
                "version",
                Found::version(version),
                "an access record of this release",
            )));
        }
        let message = serde_json::from_str(body).ok();
        let record = message.and_then(|message: Message| AccessRecord::of(message.detail));
        Some(
            record.ok_or_else(|| {
                Refusal::new("body", "an access record of another shape", "one of this release")
            }),
        )
    }

    /// The record as structured CloudEvents JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.envelope()).expect("strings and numbers always serialize")
    }

    /// Reads what [`AccessRecord::to_json`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<AccessRecord> {
        AccessRecord::of(serde_json::from_str(text).ok()?)
    }

    /// One record for each person that the answer listed, as if the request had been about that person alone.
    pub fn of_listed(&self) -> impl Iterator<Item = AccessRecord> {
        let people: BTreeSet<&String> = self.access.listed.iter().take(MAX_LISTED).collect();
        people.into_iter().map(|id| {
            let object = Some(Object::new(PERSON, Some(id)));
            let access = Access { object, listed: Vec::new(), ..self.access.clone() };
            AccessRecord { source: self.source.clone(), time: self.time, access }
        })
    }

    fn envelope(&self) -> Envelope {
        Envelope {
            specversion: "1.0".to_owned(),
            id: self.access.request.clone(),
            source: self.source.clone(),
            kind: RECORDED.to_owned(),
            time: self.time,
            subject: self.person().map(str::to_owned),
            datacontenttype: "application/json".to_owned(),
            data: self.access.clone(),
        }
    }

    fn of(envelope: Envelope) -> Option<AccessRecord> {
        let Envelope { source, kind, time, data, .. } = envelope;
        (kind == RECORDED).then_some(AccessRecord { source, time, access: data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::BusEvent;

    #[test]
    fn record_survives_the_queue_and_the_table() {
        let record = record();
        assert_eq!(AccessRecord::of_message(&record.to_message()), Some(Ok(record.clone())));
        let newer = record.to_message().replace("\"carillon-access\":1", "\"carillon-access\":2");
        assert!(matches!(AccessRecord::of_message(&newer), Some(Err(_))), "no event is made of it");
        assert_eq!(AccessRecord::parse(&record.to_json()), Some(record.clone()));
        // The audit of the last release reads the message as an event.
        let message = record.to_message();
        let event = BusEvent::parse(&message).unwrap().unverified_event().unwrap();
        assert_eq!((event.kind.as_str(), event.subject.as_deref()), (RECORDED, Some("ann")));
    }

    #[test]
    fn event_on_the_bus_is_no_record_whatever_its_detail_holds() {
        let detail = record().to_message();
        for detail in [detail.as_str(), &record().to_json()] {
            let bus = format!(
                r#"{{"version":"0","id":"b","detail-type":"{RECORDED}","source":"carillon/api","account":"1",
                    "time":"2026-11-20T12:00:00Z","region":"x","resources":[],"detail":{detail}}}"#
            );
            assert_eq!(AccessRecord::of_message(&bus), None);
        }
    }

    #[test]
    fn list_names_every_person_in_a_record_of_their_own() {
        let mut list = record();
        list.access.object = Some(Object::new("group", None));
        list.access.listed = vec!["ann".to_owned(), "ben".to_owned(), "ann".to_owned()];
        let people: Vec<AccessRecord> = list.of_listed().collect();
        let ids: Vec<Option<&str>> = people.iter().map(AccessRecord::person).collect();
        assert_eq!((list.person(), ids), (None, vec![Some("ann"), Some("ben")]));
        assert!(people.iter().all(|person| person.access.listed.is_empty() && person.time == list.time));
    }

    #[test]
    fn id_that_cannot_exist_is_left_out() {
        assert_eq!(Object::new(PERSON, Some(&"x".repeat(257))).id, None);
        assert_eq!(Object::new(PERSON, Some("")).id, None);
        assert!(Object::new(PERSON, Some(&"x".repeat(256))).id.is_some());
    }

    fn record() -> AccessRecord {
        let access = Access {
            by: CallerKind::Token,
            subject: Some("ben".to_owned()),
            tenant: Some("clinic-7".to_owned()),
            operation: "getRecipient".to_owned(),
            object: Some(Object::new(PERSON, Some("ann"))),
            listed: Vec::new(),
            status: Some(200),
            request: "r-1".to_owned(),
        };
        AccessRecord { source: API.to_owned(), time: Timestamp::constant(1_795_000_000, 0), access }
    }
}
