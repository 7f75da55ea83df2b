//! Access records: which caller requested which object, and how the request was answered.
//!
//! A record holds ids and operation names. It holds no personal data, no body and no query. Records go directly to the
//! audit queue. A message has the shape in which an EventBridge rule delivers events, plus one member. EventBridge
//! writes the outer members of its messages itself, so no publisher on the bus can forge that member.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Found, Refusal};

/// The type of every access record.
pub const RECORDED: &str = "carillon.access.recorded";

/// The operation of a request that leads to no route.
pub const NO_OPERATION: &str = "none";

/// The `kind` of a person. Access records about a person are looked up by the person's id.
pub const PERSON: &str = "person";

/// The longest id that a record holds, in bytes. The limit equals the limit of names in events, so a longer id is
/// invalid.
const MAX_ID_BYTES: usize = 256;

/// The highest number of people in one record: one page of the API.
const MAX_LISTED: usize = 500;

/// The version of the message format.
const VERSION: u8 = 1;

/// How a caller was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// A token of the issuer. The subject is the user of the token.
    Token,
    /// AWS IAM. The subject is the ARN of the caller.
    Iam,
    /// The signed link in a message. The subject is the recipient for whom the link was made.
    Link,
    /// An unauthenticated caller.
    Unknown,
}

impl CallerKind {
    /// The name in records.
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

/// The object of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// `person`, `group`, `tenant`, `event`, `delivery` or `endpoint`. The CLI also uses `room`, `address`, `stream`
    /// and `queue`.
    pub kind: String,
    /// Absent if the request names no single object, or if the id is empty or too long to be valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Object {
    /// Builds an object. Drops an id that is empty or too long.
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
    /// The ids of the people in the answer, if the answer is a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<String>,
    /// The HTTP status. Absent for the CLI, which writes the record before it reads the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The id of the request.
    pub request: String,
}

/// An access record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRecord {
    /// [`API_SOURCE`](crate::event::own_events::API_SOURCE) or
    /// [`CLI_SOURCE`](crate::event::own_events::CLI_SOURCE).
    pub source: String,
    pub time: Timestamp,
    pub access: Access,
}

/// The record as a CloudEvent. The audit stores it unchanged.
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

/// The member that marks a message as an access record. EventBridge writes no member of that name.
#[derive(Deserialize)]
struct Marked {
    #[serde(default, rename = "carillon-access")]
    version: Option<u32>,
}

/// The record as a message of the audit queue.
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
    /// The id of the person if the object is a person.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        self.access.object.as_ref().filter(|object| object.kind == PERSON)?.id.as_deref()
    }

    /// The message body for the audit queue.
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

    /// Reads a message body of the audit queue. Returns `None` for every other message, and for a bus event that
    /// imitates a record.
    ///
    /// # Errors
    /// [`Refusal`] for a record that this release cannot read. Such a record must not be read as an event.
    #[must_use]
    pub fn of_message(body: &str) -> Option<Result<AccessRecord, Refusal>> {
        // Most messages are events. This check avoids parsing them twice.
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

    /// Reads the output of [`AccessRecord::to_json`].
    #[must_use]
    pub fn parse(text: &str) -> Option<AccessRecord> {
        AccessRecord::of(serde_json::from_str(text).ok()?)
    }

    /// Splits a list request into one record for each listed person, so that each person's records are complete.
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
    use crate::event::bus::BusEvent;

    #[test]
    fn record_round_trips_through_queue_and_table() {
        let record = record();
        assert_eq!(AccessRecord::of_message(&record.to_message()), Some(Ok(record.clone())));
        let newer = record.to_message().replace("\"carillon-access\":1", "\"carillon-access\":2");
        assert!(
            matches!(AccessRecord::of_message(&newer), Some(Err(_))),
            "a newer record must not be read as an event"
        );
        assert_eq!(AccessRecord::parse(&record.to_json()), Some(record.clone()));
        // The audit of the last release reads the message as an event.
        let message = record.to_message();
        let event = BusEvent::parse(&message).unwrap().unverified_event().unwrap();
        assert_eq!((event.kind.as_str(), event.subject.as_deref()), (RECORDED, Some("ann")));
    }

    #[test]
    fn bus_event_with_a_forged_detail_is_not_a_record() {
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
    fn list_request_makes_one_record_per_person() {
        let mut list = record();
        list.access.object = Some(Object::new("group", None));
        list.access.listed = vec!["ann".to_owned(), "ben".to_owned(), "ann".to_owned()];
        let people: Vec<AccessRecord> = list.of_listed().collect();
        let ids: Vec<Option<&str>> = people.iter().map(AccessRecord::person).collect();
        assert_eq!((list.person(), ids), (None, vec![Some("ann"), Some("ben")]));
        assert!(people.iter().all(|person| person.access.listed.is_empty() && person.time == list.time));
    }

    #[test]
    fn invalid_object_id_is_dropped() {
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
        AccessRecord {
            source: crate::event::own_events::API_SOURCE.to_owned(),
            time: Timestamp::constant(1_795_000_000, 0),
            access,
        }
    }
}
