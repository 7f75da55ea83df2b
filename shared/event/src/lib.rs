//! The events of Carillon: CloudEvents 1.0 with Carillon's extensions.
//!
//! [`Event::parse`] reads an envelope and refuses an invalid one with the attribute, the found kind of value and the
//! expected value. [`Event::to_json`] writes the envelope in one form. The payload stays JSON text, so the digits of
//! its numbers and the order of its members survive every hop.
//!
//! ```
//! use carillon_event::{Event, Priority, Timestamp};
//!
//! let time: Timestamp = "2026-11-20T09:30:00Z".parse()?;
//! let data = serde_json::json!({ "userId": "u-1" });
//! let mut event = Event::new("shop", "order.placed", "o-1".to_owned(), time, &data);
//! event.subject = Some("order/1".to_owned());
//! event.priority = Some(Priority::High);
//!
//! let read = Event::parse(&event.to_json())?;
//! assert_eq!(read, event);
//!
//! let refusal = Event::parse(r#"{"specversion":"1.0","id":"1","type":"t"}"#).unwrap_err();
//! assert_eq!(refusal.to_string(), "source: found nothing, wanted a URI reference");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`outbox`] has the keys and attributes of the rows that producers write into the events table. Most producers use
//! the crate `carillon-publish`, which adds the calls of AWS.
//!
//! Source: CloudEvents 1.0.2, <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.

#![deny(missing_docs)]

/// The examples of the README are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{Raw, without_members};

mod attributes;
pub mod batches;
mod fields;
pub mod json;
mod marks;
pub mod outbox;
mod read;
pub mod reading;
mod refusal;
mod rfc3339;
mod sequence;
mod writing;

use fields::Fields;
pub use jiff::Timestamp;
pub use marks::{EVENT_NAME, RENOTIFY, REPLAY_ID};
pub use refusal::{Attribute, Found, Refusal, RefusalClass};
pub use sequence::Sequence;

/// The name that stands for all tenants in the tenants of a recipient or a producer. No event has it.
pub const ALL_TENANTS: &str = "*";

/// The largest accepted event, in bytes of its JSON text. The AWS limit is 1 MiB for a `PutEvents` entry. Staying
/// below 256 KiB keeps all queues and functions at their default limits.
pub const MAX_EVENT_BYTES: usize = 200 * 1024;

/// The deepest accepted JSON nesting. EventBridge allows 1,000 levels; practical events stay far below 100.
pub const MAX_DEPTH: usize = 100;

/// An event. `source` and `id` together identify it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique within `source`; 1 to 256 bytes.
    pub id: String,
    /// The producer, as a URI reference of 1 to 256 bytes.
    pub source: String,
    /// The type, such as `ehr.lab_report.created`: 1 to 128 characters (EventBridge's `DetailType`).
    pub kind: String,
    /// When the event happened.
    pub time: Timestamp,
    /// The aggregate of the event. Events of one subject are ordered.
    pub subject: Option<String>,
    /// The schema of `data`, as an absolute URI.
    pub dataschema: Option<String>,
    /// The tenant of the event, such as a clinic, a family or a company.
    pub tenant: Option<String>,
    /// The id that all events of one business transaction share.
    pub correlation_id: Option<String>,
    /// The id of the event that caused this one.
    pub causation_id: Option<String>,
    /// The user or service that caused the event.
    pub actor: Option<String>,
    /// The authenticated user who published the event (CloudEvents' auth context extension). Only the HTTP API sets
    /// it.
    pub auth_id: Option<String>,
    /// The urgency as the producer sees it. The priority of a rule takes precedence.
    pub priority: Option<Priority>,
    /// The position among the events of the source. Events of an outbox stream have the stream's version.
    pub sequence: Option<Sequence>,
    /// W3C Trace Context, level 1: `00-<32 hex>-<16 hex>-<2 hex>`.
    pub traceparent: Option<String>,
    /// After this time notifications are no longer useful.
    pub expiry_time: Option<Timestamp>,
    /// Other extensions, passed on unchanged.
    pub extensions: BTreeMap<String, Extension>,
    /// The payload, as JSON.
    pub data: Option<Data>,
    /// The content type of external data. Inline data is `application/json`.
    pub content_type: Option<String>,
    /// `time` and `expirytime` as written, if a [`Timestamp`] cannot represent the text.
    pub written: WrittenTimes,
    /// Optional attributes with invalid values. They are passed on unchanged and count as absent. [`Event::notes`]
    /// reports them.
    pub unusable: BTreeMap<String, Unusable>,
}

/// Time texts that a [`Timestamp`] cannot represent: a leap second, more than nine fractional digits, the last hours
/// of the year 9999.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WrittenTimes {
    /// The text of [`Event::time`].
    pub time: Option<Box<str>>,
    /// The text of [`Event::expiry_time`].
    pub expiry_time: Option<Box<str>>,
}

/// The value of an invalid optional attribute, and the reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusable {
    /// The value as JSON text.
    pub value: Data,
    /// The reason why the value is invalid.
    pub why: Refusal,
}

/// The urgency of an event. Ordered: `Low < Normal < High < Critical`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// May wait.
    Low,
    /// The default.
    #[default]
    Normal,
    /// Before others.
    High,
    /// At once, in a lane of its own.
    Critical,
}

impl Priority {
    /// The name in rules and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Critical => "critical",
        }
    }

    /// Parses a name in any letter case. `urgent` and `emergency` are the names of older producers for critical.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Priority> {
        match name.to_ascii_lowercase().as_str() {
            "low" => Some(Priority::Low),
            "normal" | "medium" => Some(Priority::Normal),
            "high" => Some(Priority::High),
            "critical" | "urgent" | "emergency" => Some(Priority::Critical),
            _ => None,
        }
    }
}

/// The value of an extension attribute that is not Carillon's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// A boolean.
    Bool(bool),
    /// CloudEvents integers have 32 bits.
    Integer(i32),
    /// A string.
    Text(String),
}

/// The payload of an event: unchanged JSON text, so that numbers and key order survive every hop.
#[derive(Clone)]
pub struct Data(Box<str>);

impl Data {
    /// Reads JSON text unchanged. `member` is its name in refusals.
    ///
    /// # Errors
    /// [`Refusal`] if the text is JSON with values that programs cannot hold: a number beyond 1.8e308, half a
    /// surrogate pair, or a member name that serde_json reserves. Rules and templates read every payload, so the check
    /// is made here.
    ///
    /// Source: RFC 8259, sections 6 and 8.2.
    pub fn read(member: &str, text: Raw<'_>) -> Result<Data, Refusal> {
        if text.is_doubtful()
            && let Some(place) = json::first_unheld(text.get())
        {
            let found =
                Found::place("a number, a character or a name that cannot be held", text.get(), place);
            return Err(Refusal::new(
                member.to_owned(),
                found,
                "numbers within ±1.8e308 and whole Unicode characters",
            ));
        }
        Ok(Data(text.get().into()))
    }

    /// A payload from a value.
    #[must_use]
    pub fn of(value: &serde_json::Value) -> Data {
        Data(value.to_string().into())
    }

    /// The JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: &RawValue = serde_json::from_str(&self.0).expect("the text was checked when it was read");
        text.serialize(serializer)
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Data) -> bool {
        self.text() == other.text()
    }
}

/// Prints only the size, so that no payload reaches a log through `{:?}`.
impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} bytes)", self.text().len())
    }
}

/// Whether the text has the attribute `time`. `false` if the text is not an object.
#[must_use]
pub fn names_time(text: &str) -> bool {
    Fields::of(text).is_ok_and(|fields| fields.raw_in_any_case("time").is_some())
}

/// Replaces or adds an attribute of an envelope, whose name may have any letter case. All other bytes are unchanged. A
/// text that is not an object is returned as it is.
#[must_use]
pub fn with_attribute(envelope: &str, name: &str, value: &str) -> String {
    let others = without_members(envelope, |member| member.eq_ignore_ascii_case(name));
    let Some(members) = others.trim_start().strip_prefix('{') else { return others };
    let (name, value) = (serde_json::Value::from(name), serde_json::Value::from(value));
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    format!("{{{name}:{value}{comma}{members}")
}

impl Event {
    /// Builds an event with its required attributes and a payload.
    #[must_use]
    pub fn new(source: &str, kind: &str, id: String, time: Timestamp, data: &serde_json::Value) -> Event {
        let bare = Event::bare(source.to_owned(), kind.to_owned(), id, time);
        Event { data: Some(Data::of(data)), ..bare }
    }

    /// An event with the required attributes only.
    pub fn bare(source: String, kind: String, id: String, time: Timestamp) -> Event {
        Event {
            id,
            source,
            kind,
            time,
            subject: None,
            dataschema: None,
            tenant: None,
            correlation_id: None,
            causation_id: None,
            actor: None,
            auth_id: None,
            priority: None,
            sequence: None,
            traceparent: None,
            expiry_time: None,
            extensions: BTreeMap::new(),
            data: None,
            content_type: None,
            written: WrittenTimes::default(),
            unusable: BTreeMap::new(),
        }
    }

    /// Parses a CloudEvent in structured JSON that has all required attributes, including `time`. Attribute names may
    /// have any letter case.
    ///
    /// # Errors
    /// [`Refusal`] with the attribute, the found value and the expected value.
    pub fn parse(text: &str) -> Result<Event, Refusal> {
        read::cloud_event(&Fields::of(text)?, None)
    }

    /// Parses a CloudEvent as [`Event::parse`] does. `received` replaces a missing `time`, which is optional in
    /// CloudEvents.
    ///
    /// # Errors
    /// As for [`Event::parse`].
    pub fn received(text: &str, received: Timestamp) -> Result<Event, Refusal> {
        read::cloud_event(&Fields::of(text)?, Some(received))
    }

    /// Reads a CloudEvent from the bus.
    pub fn import(fields: &Fields<'_>, received: Timestamp) -> Result<Event, Refusal> {
        read::cloud_event(fields, Some(received))
    }

    /// Parses an event that [`Event::to_json`] wrote. An imported event keeps its original values, and
    /// the source of an event without an envelope need not be a URI reference.
    ///
    /// # Errors
    /// [`Refusal`] if the text was modified.
    pub fn stored(text: &str) -> Result<Event, Refusal> {
        read::stored_event(&Fields::of(text)?)
    }

    /// Checks the source against more of the grammar of a URI reference than other readers do. Used where a producer
    /// reads the answer.
    ///
    /// # Errors
    /// [`Refusal`] with the invalid part.
    pub fn check_source_reference(&self) -> Result<(), Refusal> {
        attributes::check_reference("source", &self.source)
    }

    /// The invalid optional attributes of an accepted event, each with the refusal.
    pub fn notes(&self) -> impl Iterator<Item = (&str, &Refusal)> {
        self.unusable.iter().map(|(name, unusable)| (name.as_str(), &unusable.why))
    }

    /// The event as structured CloudEvents JSON, with attributes in a fixed order.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and JSON text always serialize")
    }

    /// The event for patterns, paths and templates: EventBridge's field names, with the envelope as `detail`.
    #[must_use]
    pub fn document(&self) -> serde_json::Value {
        let detail =
            serde_json::to_value(self).expect("depth and values were checked when the event was read");
        serde_json::json!({
            "id": self.id,
            "source": self.source,
            "detail-type": self.kind,
            "time": self.time_text(),
            "detail": detail,
        })
    }
}

#[cfg(test)]
mod tests;
