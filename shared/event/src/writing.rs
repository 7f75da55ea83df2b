//! Serializes an [`Event`] as CloudEvents JSON, with attributes in a fixed order.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Event, Extension, rfc3339};

/// The content type of inline data.
const JSON: &str = "application/json";

impl Event {
    /// The event time in RFC 3339: the original text if [`Event::time`] cannot represent it.
    #[must_use]
    pub fn time_text(&self) -> Cow<'_, str> {
        text_of(self.time, self.written.time.as_deref())
    }

    /// The text of [`Event::expiry_time`], as in [`Event::time_text`].
    #[must_use]
    pub fn expiry_text(&self) -> Option<Cow<'_, str>> {
        self.expiry_time.map(|expiry_time| text_of(expiry_time, self.written.expiry_time.as_deref()))
    }

    /// The content type of the inline or external data.
    #[must_use]
    pub fn data_content_type(&self) -> Option<&str> {
        match &self.data {
            Some(_) => Some(JSON),
            None => self.content_type.as_deref(),
        }
    }

    /// [`Event::to_json`] without `time`, which the receiver then sets.
    #[must_use]
    pub fn to_json_without_time(&self) -> String {
        serde_json::to_string(&Timeless(self)).expect("strings, numbers and JSON text always serialize")
    }

    fn write<S: Serializer>(&self, serializer: S, with_time: bool) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("type", &self.kind)?;
        if with_time {
            map.serialize_entry("time", &self.time_text())?;
        }
        let expiry = self.expiry_text();
        let texts = [
            ("subject", self.subject.as_deref()),
            ("dataschema", self.dataschema.as_deref()),
            ("tenant", self.tenant.as_deref()),
            ("correlationid", self.correlation_id.as_deref()),
            ("causationid", self.causation_id.as_deref()),
            ("actor", self.actor.as_deref()),
            ("authid", self.auth_id.as_deref()),
            ("traceparent", self.traceparent.as_deref()),
            ("priority", self.priority.map(super::Priority::name)),
            ("sequence", self.sequence.as_ref().map(super::Sequence::as_str)),
            ("expirytime", expiry.as_deref()),
        ];
        let is_set =
            |name: &str| texts.iter().any(|(attribute, value)| *attribute == name && value.is_some());
        for (name, value) in texts {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in &self.extensions {
            match value {
                Extension::Bool(flag) => map.serialize_entry(name, flag)?,
                Extension::Integer(integer) => map.serialize_entry(name, integer)?,
                Extension::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        // A valid value that was set later replaces the invalid one.
        let unusable = self.unusable.iter();
        for (name, attribute) in
            unusable.filter(|(name, _)| !is_set(name) && !self.extensions.contains_key(*name))
        {
            map.serialize_entry(name, &attribute.value)?;
        }
        if let Some(content_type) = self.data_content_type() {
            map.serialize_entry("datacontenttype", content_type)?;
        }
        if let Some(data) = &self.data {
            map.serialize_entry("data", data)?;
        }
        map.end()
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer, true)
    }
}

/// An event that is serialized without its time.
struct Timeless<'e>(&'e Event);

impl Serialize for Timeless<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer, false)
    }
}

/// The original text, if it still denotes this instant.
fn text_of(instant: Timestamp, written: Option<&str>) -> Cow<'_, str> {
    let still = written.filter(|text| rfc3339::read(text).is_some_and(|moment| moment.instant == instant));
    still.map_or_else(|| Cow::Owned(instant.to_string()), Cow::Borrowed)
}
