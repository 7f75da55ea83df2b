//! The envelope: CloudEvents 1.0 with Carillon's extensions. Strict about what it writes; [`crate::bus`] is tolerant
//! about what it reads.
//!
//! Source: CloudEvents 1.0.2, <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{self, Raw, without_members};

mod attributes;
mod fields;
mod read;
mod refusal;
pub(crate) mod rfc3339;
mod sequence;
mod writing;

pub(crate) use attributes::{
    check_name, check_tenant, check_type, extension, is_extension_name, timestamp, trace_context,
};
pub(crate) use fields::{Fields, kind_of};
pub use refusal::{Attribute, Found, Refusal, RefusalClass};
pub use sequence::Sequence;

/// The largest event that is accepted, in bytes of its JSON text. AWS's own limit is 1 MiB for a `PutEvents` entry;
/// staying below 256 KiB keeps every queue and function on the way at its default.
pub const MAX_EVENT_BYTES: usize = 200 * 1024;

/// How deep an event's JSON may nest. EventBridge allows 1,000 levels; nothing people write comes near 100.
pub const MAX_DEPTH: usize = 100;

/// Something that happened, told by its source. Two events are the same when `source` and `id` are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique within `source`; 1 to 256 bytes.
    pub id: String,
    /// Who says so: a URI reference, 1 to 256 bytes.
    pub source: String,
    /// What kind of thing happened, such as `ehr.lab_report.created`: 1 to 128 bytes (EventBridge's `DetailType`).
    pub kind: String,
    /// When it happened.
    pub time: Timestamp,
    /// The aggregate it happened to: events of one subject are in order.
    pub subject: Option<String>,
    /// Where the schema of `data` is found: an absolute URI.
    pub dataschema: Option<String>,
    /// Whose event it is in a system that serves many: a clinic, a family, a company.
    pub tenant: Option<String>,
    /// What ties all events of one story together.
    pub correlation_id: Option<String>,
    /// The id of the event that led to this one.
    pub causation_id: Option<String>,
    /// The user or service that caused it.
    pub actor: Option<String>,
    /// The authenticated user who published it (CloudEvents' auth context extension). Only the HTTP API sets it.
    pub auth_id: Option<String>,
    /// How urgent the producer thinks it is. A rule's own priority wins.
    pub priority: Option<Priority>,
    /// Where it stands among the events of its source. Events of an outbox stream have the stream's version.
    pub sequence: Option<Sequence>,
    /// W3C Trace Context, level 1: `00-<32 hex>-<16 hex>-<2 hex>`.
    pub traceparent: Option<String>,
    /// After this nobody wants to hear of it any more.
    pub expiry_time: Option<Timestamp>,
    /// Extensions that are none of ours, carried as they came.
    pub extensions: BTreeMap<String, Extension>,
    /// What the source has to say, as JSON.
    pub data: Option<Data>,
    /// The content type of data that lies elsewhere. Data that is here is `application/json`.
    pub content_type: Option<String>,
    /// `time` and `expirytime` as they were written, where a [`Timestamp`] holds less than the text says.
    pub written: WrittenTimes,
    /// Optional attributes whose values do not mean anything here. They are handed on as they came, and count as
    /// absent. [`Event::notes`] says why.
    pub unusable: BTreeMap<String, Unusable>,
}

/// The texts of times that a [`Timestamp`] cannot hold: a leap second, more than nine digits of a second, the last hours
/// of the year 9999.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WrittenTimes {
    pub time: Option<Box<str>>,
    pub expiry_time: Option<Box<str>>,
}

/// The value of an optional attribute that cannot be used, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusable {
    /// The value as JSON text.
    pub value: Data,
    pub why: Refusal,
}

/// How urgent an event is. Ordered: `Low < Normal < High < Critical`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Critical,
}

impl Priority {
    /// The name as it is written in rules and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Critical => "critical",
        }
    }

    /// Reads a name, in any case; `urgent` and `emergency` are what older producers call critical.
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

/// The value of an extension attribute that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    Bool(bool),
    /// CloudEvents knows 32-bit integers only.
    Integer(i32),
    Text(String),
}

/// An event's payload: JSON text, untouched, so that numbers and key order survive every hop.
#[derive(Clone)]
pub struct Data(Box<str>);

impl Data {
    /// Takes JSON text over as it is. `member` is what a refusal calls it.
    ///
    /// # Errors
    /// The text is JSON, and yet programs cannot hold its values: a number beyond 1.8e308, half a surrogate pair, a
    /// member whose name serde_json reserves. Rules and templates look into every payload, so this is the door where it
    /// is found out.
    ///
    /// Source: RFC 8259, sections 6 and 8.2.
    pub(crate) fn read(member: &str, text: Raw<'_>) -> Result<Data, Refusal> {
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

    /// A payload that was made here, and not read.
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
        let text: &RawValue = serde_json::from_str(&self.0).expect("it was JSON when it was read");
        text.serialize(serializer)
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Data) -> bool {
        self.text() == other.text()
    }
}

/// A payload may hold anything, so its content never reaches a log by way of `{:?}`.
impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} bytes)", self.text().len())
    }
}

/// Whether a text names the `time` of its event. `false` for a text that is no object.
#[must_use]
pub fn names_time(text: &str) -> bool {
    Fields::of(text).is_ok_and(|fields| fields.raw_in_any_case("time").is_some())
}

/// An envelope with this attribute in place of its own, whose name may be written in any letter case. Every other byte
/// stays. A text that is no object stays as it is.
#[must_use]
pub fn with_attribute(envelope: &str, name: &str, value: &str) -> String {
    let others = without_members(envelope, |it| it.eq_ignore_ascii_case(name));
    let Some(members) = others.trim_start().strip_prefix('{') else { return others };
    let (name, value) = (serde_json::Value::from(name), serde_json::Value::from(value));
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    format!("{{{name}:{value}{comma}{members}")
}

impl Event {
    /// An event of our own: who says what of which kind, when, under which id. Nothing else is said of it yet.
    #[must_use]
    pub fn new(source: &str, kind: &str, id: String, time: Timestamp, data: &serde_json::Value) -> Event {
        let bare = Event::bare(source.to_owned(), kind.to_owned(), id, time);
        Event { data: Some(Data::of(data)), ..bare }
    }

    /// What every event has, and nothing more.
    pub(crate) fn bare(source: String, kind: String, id: String, time: Timestamp) -> Event {
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

    /// Reads a CloudEvent in structured JSON that has all attributes of its own, `time` included. Attribute names may be
    /// written in any letter case.
    ///
    /// # Errors
    /// [`Refusal`] names the attribute, what was found and what is wanted.
    pub fn parse(text: &str) -> Result<Event, Refusal> {
        read::cloud_event(&Fields::of(text)?, None)
    }

    /// Reads a CloudEvent as [`Event::parse`] does. `received` stands in for a missing `time`, which CloudEvents leaves
    /// to the producer.
    ///
    /// # Errors
    /// As for [`Event::parse`].
    pub fn received(text: &str, received: Timestamp) -> Result<Event, Refusal> {
        read::cloud_event(&Fields::of(text)?, Some(received))
    }

    /// Reads a CloudEvent as it came over the bus.
    pub(crate) fn import(fields: &Fields<'_>, received: Timestamp) -> Result<Event, Refusal> {
        read::cloud_event(fields, Some(received))
    }

    /// Reads an event that [`Event::to_json`] wrote before: an event that was imported keeps what it came with.
    ///
    /// # Errors
    /// [`Refusal`] when the text was changed since.
    pub fn stored(text: &str) -> Result<Event, Refusal> {
        Event::received(text, Timestamp::UNIX_EPOCH)
    }

    /// Holds the source to the grammar of a URI reference, beyond the characters that every reader checks: for doors where
    /// a producer reads the answer.
    ///
    /// # Errors
    /// [`Refusal`] says what is no part of a URI reference.
    pub fn check_source_reference(&self) -> Result<(), Refusal> {
        attributes::check_reference("source", &self.source)
    }

    /// What could not be used of an event that was accepted: the attribute, what was found and what is wanted.
    pub fn notes(&self) -> impl Iterator<Item = (&str, &Refusal)> {
        self.unusable.iter().map(|(name, it)| (name.as_str(), &it.why))
    }

    /// The whole event as structured CloudEvents JSON, attributes in a fixed order.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and JSON text always serialize")
    }

    /// The event as patterns, paths and templates see it: EventBridge's own field names, the envelope as `detail`.
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
