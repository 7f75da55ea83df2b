//! From a file with an event in it, in any of the forms that people have, to what goes on the bus.
//!
//! It belongs to [`domain::bus`], of which it is the other direction.

use domain::Timestamp;
use domain::bus::{BusEvent, Shape, shape_of};
use domain::event::{Event, Refusal};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What a producer hands to EventBridge's `PutEvents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusEntry {
    pub source: String,
    pub detail_type: String,
    /// A JSON object as text.
    pub detail: String,
}

/// An EventBridge event as far as [`BusEvent`] reads it.
#[derive(Serialize)]
struct Written<'a> {
    version: &'a str,
    id: &'a str,
    #[serde(rename = "detail-type")]
    detail_type: &'a str,
    source: &'a str,
    time: Timestamp,
    resources: [&'a str; 0],
    detail: &'a RawValue,
}

impl BusEntry {
    /// Reads a CloudEvent, to the letter of its specification; the body of one of the older systems; or an EventBridge
    /// event, of which `source`, `detail-type` and `detail` are taken.
    ///
    /// # Errors
    /// [`Refusal`] when the text is none of these, or when its form is wrong. Whether its producer may publish it is the
    /// policy's to say.
    pub fn read(text: &str) -> Result<BusEntry, Refusal> {
        let entry = match shape_of(text) {
            // Strict reading also says why a text has no shape.
            None | Some(Shape::CloudEvent) => cloud_event(text)?,
            Some(Shape::Hub) => body(text, "eventType")?,
            Some(Shape::Circle | Shape::Business) => body(text, "type")?,
            Some(Shape::Plain) => bus_event(text)?,
        };
        BusEvent::parse(&entry.to_bus_event("sample", Timestamp::UNIX_EPOCH))?.unverified_event()?;
        Ok(entry)
    }

    /// The event as EventBridge would deliver it under this id and time. A `detail` that is no JSON becomes `null`,
    /// which every reader refuses.
    #[must_use]
    pub fn to_bus_event(&self, id: &str, time: Timestamp) -> String {
        let detail: &RawValue = serde_json::from_str(&self.detail).unwrap_or(RawValue::NULL);
        let written = Written {
            version: "0",
            id,
            detail_type: &self.detail_type,
            source: &self.source,
            time,
            resources: [],
            detail,
        };
        serde_json::to_string(&written).expect("strings and JSON text always serialize")
    }
}

fn cloud_event(text: &str) -> Result<BusEntry, Refusal> {
    let event = Event::parse(text)?;
    Ok(BusEntry { detail: event.to_json(), source: event.source, detail_type: event.kind })
}

/// A body of an older system: source and type are its own.
fn body(text: &str, kind: &str) -> Result<BusEntry, Refusal> {
    let members = members(text)?;
    let wanted = "the producer's name, here or in an EventBridge event round this one";
    Ok(BusEntry {
        source: word(&members, "source", wanted)?,
        detail_type: word(&members, kind, "what kind of event it is")?,
        detail: text.trim().to_owned(),
    })
}

fn bus_event(text: &str) -> Result<BusEntry, Refusal> {
    let members = members(text)?;
    let known = ["source", "detail-type", "detail"];
    if !known.iter().any(|it| members.get(*it).is_some()) {
        let wanted =
            "a CloudEvent with specversion, or an EventBridge event with source, detail-type and detail";
        return Err(refusal("body", "an object of no known form", wanted));
    }
    let source = word(&members, "source", "the producer's name")?;
    let detail_type = word(&members, "detail-type", "what kind of event it is")?;
    let detail = detail(text)?;
    if shape_of(&detail) == Some(Shape::CloudEvent) {
        Event::parse(&detail)?;
    }
    Ok(BusEntry { source, detail_type, detail })
}

/// The member `detail` as it is written.
fn detail(text: &str) -> Result<String, Refusal> {
    #[derive(serde::Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        detail: Option<&'a RawValue>,
    }
    let outer: Option<Outer<'_>> = serde_json::from_str(text).ok();
    match outer.and_then(|it| it.detail).map(RawValue::get) {
        Some(it) if it.starts_with('{') => Ok(it.to_owned()),
        Some(_) => Err(refusal("detail", "a value that is no object", "one JSON object")),
        None => Err(refusal("detail", "nothing", "one JSON object")),
    }
}

fn members(text: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|_| refusal("body", "text that cannot be read", "one JSON object"))
}

fn word(members: &Value, name: &str, wanted: &str) -> Result<String, Refusal> {
    match members.get(name) {
        Some(Value::String(it)) if !it.is_empty() => Ok(it.clone()),
        None | Some(Value::Null) => Err(refusal(name, "nothing", wanted)),
        Some(_) => Err(refusal(name, "a value that is no text, or an empty one", wanted)),
    }
}

fn refusal(attribute: &str, found: &str, wanted: &str) -> Refusal {
    Refusal::of_authors_file(attribute, found, wanted)
}

#[cfg(test)]
mod tests;
