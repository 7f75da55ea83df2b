//! Reads an event file in any supported form and converts it to an entry for the bus.
//!
//! This is the counterpart of [`domain::event::bus`].

use domain::Timestamp;
use domain::event::bus::{BusEvent, Shape, shape_of};
use domain::event::{Event, Refusal, names_time, with_attribute};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

mod put_events;

/// The entry of a producer for EventBridge's `PutEvents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusEntry {
    pub source: String,
    pub detail_type: String,
    /// A JSON object as text.
    pub detail: String,
    /// The time in an entry of `PutEvents`.
    pub time: Option<Timestamp>,
    /// The bus in an entry of `PutEvents`.
    pub bus: Option<String>,
    /// Event attributes that are invalid and count as absent, each with the reason.
    pub notes: Vec<String>,
}

/// The source of a socket event in a file without another source.
pub const SOCKETS: &str = "sockets";

/// The id and time that the bus assigned, if the text is an EventBridge event with both.
#[must_use]
pub fn named_by_the_bus(text: &str) -> (Option<String>, Option<Timestamp>) {
    let members: Value = serde_json::from_str(text).unwrap_or_default();
    if members.get("detail-type").is_none() || members.get("detail").is_none() {
        return (None, None);
    }
    let word = |name: &str| members.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
    (word("id").map(str::to_owned), word("time").and_then(|time| time.parse().ok()))
}

/// An EventBridge event with the members that [`BusEvent`] reads.
/// The time beside the envelope: the one that the bus gave to an EventBridge event, or the one that an entry of
/// `PutEvents` names.
#[must_use]
pub fn time_beside(text: &str, entry: &BusEntry) -> Option<Timestamp> {
    named_by_the_bus(text).1.or(entry.time)
}

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
    /// Reads a CloudEvent, the envelope of an older system, an EventBridge event, of which `source`, `detail-type`
    /// and `detail` are used, or an entry of `PutEvents`.
    ///
    /// # Errors
    /// [`Refusal`] if the text has none of these forms, or is invalid. The policy decides whether its producer may
    /// publish it.
    pub fn read(text: &str) -> Result<BusEntry, Refusal> {
        BusEntry::read_as(text, None)
    }

    /// Reads the event under another source, or under a source that the text lacks. A CloudEvent gets it as its own
    /// source. The body of an older system keeps its inner source.
    ///
    /// # Errors
    /// As for [`BusEntry::read`].
    pub fn read_as(text: &str, source: Option<&str>) -> Result<BusEntry, Refusal> {
        let entry = match shape_of(text) {
            // Strict parsing also reports why a text has no known form.
            None | Some(Shape::CloudEvent) => cloud_event(text, source)?,
            Some(Shape::Hub) => body(text, "eventType", source)?,
            Some(Shape::Circle | Shape::Business) => body(text, "type", source)?,
            Some(Shape::Integration) => integration(text, source)?,
            Some(Shape::SocketEvent) => socket_event(text, source)?,
            Some(Shape::Plain) if put_events::is_entry(text) => put_events::entry(text, source)?,
            Some(Shape::Plain) => bus_event(text, source)?,
        };
        let on_bus = entry.to_bus_event("sample", Timestamp::UNIX_EPOCH);
        let event = BusEvent::parse(&on_bus)?.unverified_event()?;
        let note = |(name, why): (&str, &Refusal)| {
            format!("{name}: found {}, wanted {}; it counts as absent", why.found, why.wanted)
        };
        let notes = event.notes().map(note).collect();
        Ok(BusEntry { notes, ..entry })
    }

    fn new(source: String, detail_type: String, detail: String) -> BusEntry {
        BusEntry { source, detail_type, detail, time: None, bus: None, notes: Vec::new() }
    }

    /// The event as EventBridge would deliver it with this id and time. A `detail` that is not JSON becomes `null`,
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

fn cloud_event(text: &str, source: Option<&str>) -> Result<BusEntry, Refusal> {
    let text = source.map_or_else(|| text.to_owned(), |source| with_attribute(text, "source", source));
    let event = Event::received(&text, Timestamp::UNIX_EPOCH)?;
    event.check_source_reference()?;
    // For an event without a time, the bus provides the time of acceptance.
    let detail = if names_time(&text) { event.to_json() } else { event.to_json_without_time() };
    Ok(BusEntry::new(event.source, event.kind, detail))
}

/// The body of an older system: source and type are its own.
fn body(text: &str, kind: &str, source: Option<&str>) -> Result<BusEntry, Refusal> {
    let members = members(text)?;
    let wanted = "the producer's name, here, in an EventBridge event round this one, or by --source";
    let source = source.map_or_else(|| word(&members, "source", wanted), |source| Ok(source.to_owned()))?;
    let detail_type = word(&members, kind, "what kind of event it is")?;
    Ok(BusEntry::new(source, detail_type, text.trim().to_owned()))
}

/// The service in an integration event is its source, and the routing key its type.
fn integration(text: &str, source: Option<&str>) -> Result<BusEntry, Refusal> {
    let wanted = "the routing key, or an EventBridge event round this one with its detail-type";
    let members = members(text)?;
    let detail_type = word(&members, "routingKey", wanted)?;
    let service = word(&members, "service", "the producer's name")?;
    Ok(BusEntry::new(source.map_or(service, str::to_owned), detail_type, text.trim().to_owned()))
}

/// The `source` of a socket event is a user, unless it is text.
fn socket_event(text: &str, source: Option<&str>) -> Result<BusEntry, Refusal> {
    let members = members(text)?;
    let named = source.or(members.get("source").and_then(Value::as_str)).unwrap_or(SOCKETS);
    let detail_type = word(&members, "event", "what kind of event it is")?;
    Ok(BusEntry::new(named.to_owned(), detail_type, text.trim().to_owned()))
}

fn bus_event(text: &str, source: Option<&str>) -> Result<BusEntry, Refusal> {
    let members = members(text)?;
    let known = ["source", "detail-type", "detail"];
    if !known.iter().any(|name| members.get(*name).is_some()) {
        let wanted = "a CloudEvent with specversion, an EventBridge event with source, detail-type and detail, or an \
                      entry of PutEvents";
        return Err(refusal("body", "an object of no known form", wanted));
    }
    let named = source
        .map_or_else(|| word(&members, "source", "the producer's name"), |source| Ok(source.to_owned()))?;
    let detail_type = word(&members, "detail-type", "what kind of event it is")?;
    let detail = of_source(detail(text)?, source)?;
    Ok(BusEntry::new(named, detail_type, detail))
}

/// A detail under the requested source, validated if it is a CloudEvent.
fn of_source(detail: String, source: Option<&str>) -> Result<String, Refusal> {
    if shape_of(&detail) != Some(Shape::CloudEvent) {
        return Ok(detail);
    }
    let detail = source.map_or_else(|| detail.clone(), |source| with_attribute(&detail, "source", source));
    Event::received(&detail, Timestamp::UNIX_EPOCH)?;
    Ok(detail)
}

/// The original text of the member `detail`.
fn detail(text: &str) -> Result<String, Refusal> {
    #[derive(serde::Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        detail: Option<&'a RawValue>,
    }
    let outer: Option<Outer<'_>> = serde_json::from_str(text).ok();
    match outer.and_then(|outer| outer.detail).map(RawValue::get) {
        Some(text) if text.starts_with('{') => Ok(text.to_owned()),
        Some(_) => Err(refusal("detail", "a value that is no object", "one JSON object")),
        None => Err(refusal("detail", "nothing", "one JSON object")),
    }
}

fn members(text: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|_| refusal("body", "text that cannot be read", "one JSON object"))
}

fn word(members: &Value, name: &str, wanted: &str) -> Result<String, Refusal> {
    match members.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        None | Some(Value::Null) => Err(refusal(name, "nothing", wanted)),
        Some(_) => Err(refusal(name, "a value that is no text, or an empty one", wanted)),
    }
}

fn refusal(attribute: &str, found: &str, wanted: &str) -> Refusal {
    Refusal::for_author(attribute, found, wanted)
}

#[cfg(test)]
mod tests;
