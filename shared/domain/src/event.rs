//! The envelope: CloudEvents 1.0 with Carillon's extensions. Strict about what it writes; [`crate::bus`] is tolerant
//! about what it reads.
//!
//! Source: CloudEvents 1.0.2, <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{self, Raw};

mod attributes;
mod fields;
mod read;
mod refusal;

pub(crate) use attributes::{check_name, check_tenant, check_type, timestamp, trace_context};
pub(crate) use fields::{Fields, kind_of};
pub use refusal::{Attribute, Found, Refusal, RefusalClass};

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
    /// The version of the subject after this event, counted from 1.
    pub sequence: Option<u64>,
    /// W3C Trace Context, level 1: `00-<32 hex>-<16 hex>-<2 hex>`.
    pub traceparent: Option<String>,
    /// After this nobody wants to hear of it any more.
    pub expiry_time: Option<Timestamp>,
    /// Extensions that are none of ours, carried as they came.
    pub extensions: BTreeMap<String, Extension>,
    /// What the source has to say, as JSON.
    pub data: Option<Data>,
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
        }
    }

    /// Reads a CloudEvent in structured JSON and holds it to the letter of the specification: this is what a producer
    /// of ours must pass before it puts an event on the bus.
    ///
    /// # Errors
    /// [`Refusal`] names the attribute, what was found and what is wanted.
    pub fn parse(text: &str) -> Result<Event, Refusal> {
        read::cloud_event(&Fields::of(text)?, None, read::Strictness::Strict)
    }

    /// Reads a CloudEvent as it came over the bus: attribute names in any case, `time` taken from `received` when it
    /// is missing, an unusable `traceparent` left out.
    pub(crate) fn import(fields: &Fields<'_>, received: Timestamp) -> Result<Event, Refusal> {
        read::cloud_event(fields, Some(received), read::Strictness::Tolerant)
    }

    /// Reads an event that [`Event::to_json`] wrote before: an event that was imported keeps what it came with.
    ///
    /// # Errors
    /// [`Refusal`] when the text was changed since.
    pub fn stored(text: &str) -> Result<Event, Refusal> {
        Event::import(&Fields::of(text)?, Timestamp::UNIX_EPOCH)
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
            "time": self.time.to_string(),
            "detail": detail,
        })
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("type", &self.kind)?;
        map.serialize_entry("time", &self.time.to_string())?;
        let texts = [
            ("subject", &self.subject),
            ("dataschema", &self.dataschema),
            ("tenant", &self.tenant),
            ("correlationid", &self.correlation_id),
            ("causationid", &self.causation_id),
            ("actor", &self.actor),
            ("authid", &self.auth_id),
            ("traceparent", &self.traceparent),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        if let Some(priority) = self.priority {
            map.serialize_entry("priority", priority.name())?;
        }
        if let Some(sequence) = self.sequence {
            map.serialize_entry("sequence", &sequence.to_string())?;
        }
        if let Some(expiry) = self.expiry_time {
            map.serialize_entry("expirytime", &expiry.to_string())?;
        }
        for (name, value) in &self.extensions {
            match value {
                Extension::Bool(it) => map.serialize_entry(name, it)?,
                Extension::Integer(it) => map.serialize_entry(name, it)?,
                Extension::Text(it) => map.serialize_entry(name, it)?,
            }
        }
        if let Some(data) = &self.data {
            map.serialize_entry("datacontenttype", "application/json")?;
            map.serialize_entry("data", data)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
