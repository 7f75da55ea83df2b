//! An EventBridge event as a rule delivers it to a queue, and the producer envelopes in its `detail`.
//!
//! Six shapes are recognised by their member names: CloudEvents 1.0 and five envelopes of older systems. Any other
//! event is a plain EventBridge event, whose `detail` becomes the payload. `docs/envelopes.md` describes all shapes.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::base::json::Raw;
use crate::event::producers::{Identity, Producers};
use crate::event::{Data, Event, Extension, Fields, Refusal};

mod kept;
mod legacy;

/// The fields of an EventBridge event that Carillon reads.
///
/// Source: EventBridge User Guide, "Event structure reference".
#[derive(Deserialize)]
pub struct BusEvent<'a> {
    /// EventBridge's own id, a new one for every `PutEvents` entry.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow, rename = "detail-type")]
    pub detail_type: Cow<'a, str>,
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    #[serde(borrow)]
    pub detail: &'a RawValue,
    /// Resources that the publisher set. Their content never causes a refusal, and they prove nothing on their own.
    #[serde(borrow, default)]
    resources: Option<&'a RawValue>,
    /// The AWS account of the publisher. EventBridge writes this field; publishers cannot.
    #[serde(borrow, default)]
    account: Option<&'a RawValue>,
}

/// The outbox mark of releases before [`crate::event::outbox_mark`]. Every publisher can write this mark, so it proves
/// nothing. The relay writes it beside its own mark for one more release, because the audit of the last release knows
/// no other mark.
pub const FROM_OUTBOX: &str = "carillon:outbox";

/// The envelope shape of a `detail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{specversion, id, source, type, …}`
    CloudEvent,
    /// `{eventId, eventType, category, priority, timestamp, source, version, userId, clinicId, payload}`
    Hub,
    /// `{id, type, source, timestamp, specVersion, correlationId, causedBy, familyId, careRecipientId, data}`
    Circle,
    /// `{type, data, timestamp, correlationId, userId}`
    Business,
    /// `{service, version, userId, routingKey, data}`
    Integration,
    /// `{id, type, event, data, timestamp, source: {userId, workspaceId}, target: {type, id, excludeUsers}, priority,
    /// persistent}`
    SocketEvent,
    /// Any other `detail`.
    Plain,
}

impl Shape {
    /// Whether this is the envelope of an older system.
    #[must_use]
    pub fn is_older(self) -> bool {
        match self {
            Shape::Hub | Shape::Circle | Shape::Business | Shape::Integration | Shape::SocketEvent => true,
            Shape::CloudEvent | Shape::Plain => false,
        }
    }

    /// Recognises a `detail` by its member names.
    fn of(fields: &Fields<'_>) -> Shape {
        if fields.has("specversion") {
            Shape::CloudEvent
        } else if fields.has("eventId") && fields.has("eventType") {
            Shape::Hub
        } else if is_socket_event(fields) {
            Shape::SocketEvent
        } else if fields.has("type") && fields.has("data") && fields.has("timestamp") {
            if fields.has("id") && fields.has("source") { Shape::Circle } else { Shape::Business }
        } else if is_in_other_letters(fields) {
            Shape::CloudEvent
        } else if is_integration(fields) {
            Shape::Integration
        } else {
            Shape::Plain
        }
    }
}

/// Whether the envelope names its event in `event` and has an object as `source` or `target`.
fn is_socket_event(fields: &Fields<'_>) -> bool {
    let is_object = |name: &str| fields.raw(name).is_some_and(|raw| raw.get().starts_with('{'));
    fields.text("event").is_some()
        && fields.has("type")
        && fields.has("data")
        && (is_object("source") || is_object("target"))
}

/// Whether the envelope names a `service` and has a payload plus a routing key or a version.
fn is_integration(fields: &Fields<'_>) -> bool {
    let is_object = fields.raw("data").is_some_and(|raw| raw.get().starts_with('{'));
    let is_versioned = || fields.has("version") && fields.has("userId");
    is_object && fields.text("service").is_some() && (fields.text("routingKey").is_some() || is_versioned())
}

/// Whether the envelope is a CloudEvent with other capitalisation, such as `SpecVersion` from .NET. The name alone
/// proves little, because other formats have a `specVersion` too.
fn is_in_other_letters(fields: &Fields<'_>) -> bool {
    let Some(version) = fields.raw_in_any_case("specversion") else { return false };
    let has_all = || ["id", "source", "type"].iter().all(|name| fields.raw_in_any_case(name).is_some());
    version.text().as_deref() == Some("1.0") || has_all()
}

impl<'a> BusEvent<'a> {
    /// Reads a message that a rule delivered to a queue.
    ///
    /// # Errors
    /// [`Refusal`] if the text is not an EventBridge event.
    pub fn parse(text: &'a str) -> Result<BusEvent<'a>, Refusal> {
        serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                let wanted = "an EventBridge event with id, detail-type, source, time and detail";
                Refusal::new("body", "JSON of another shape", wanted)
            }
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => Refusal::not_json(&error),
        })
    }

    /// Returns the event if its producer may publish it. The bus's `source` and `detail-type` are authoritative: IAM
    /// vouches for them, and not for the envelope. The policy may map the event name to a type and read the tenant
    /// from the payload ([`Producers::receive`]).
    ///
    /// # Errors
    /// [`Refusal`] as for [`BusEvent::unverified_event`]. Class [`RefusalClass::IdentityMismatch`] if the envelope
    /// names another source or type than the bus. Class [`RefusalClass::ProducerNotAllowed`] if the policy does not
    /// let the source publish the event.
    ///
    /// [`RefusalClass::IdentityMismatch`]: crate::event::RefusalClass::IdentityMismatch
    /// [`RefusalClass::ProducerNotAllowed`]: crate::event::RefusalClass::ProducerNotAllowed
    pub fn event(&self, producers: &Producers) -> Result<Event, Refusal> {
        let (mut event, shape) = self.read()?;
        if shape == Shape::Integration
            && producers
                .entry(&self.source)
                .is_some_and(|entry| entry.envelopes.contains(event.kind.as_str()))
            && let Some(Extension::Text(key)) = event.extensions.get("routingkey")
        {
            crate::event::check_type(key)?;
            event.kind.clone_from(key);
        }
        let identity = Identity {
            source: &self.source,
            detail_type: &self.detail_type,
            is_older_envelope: shape.is_older(),
        };
        // An outbox entry carries its own tenant, because it is stored in that tenant's partition.
        if !self.outbox_marks().is_empty() {
            producers.admit(identity, &event)?;
            return Ok(producers.aliases().apply(event));
        }
        producers.receive(identity, event)
    }

    /// The source and the type in the envelope, if readable. For a plain event these are EventBridge's own fields.
    #[must_use]
    pub fn named_inside(&self) -> Option<(String, String)> {
        self.unverified_event().ok().map(|event| (event.source, event.kind))
    }

    /// Returns the event without checking its producer. For tools without a policy only, never for a function that
    /// acts on the event.
    ///
    /// # Errors
    /// [`Refusal`] if the envelope is recognised but invalid, or cannot be read.
    pub fn unverified_event(&self) -> Result<Event, Refusal> {
        self.read().map(|(event, _)| event)
    }

    fn read(&self) -> Result<(Event, Shape), Refusal> {
        let received: Timestamp = crate::event::timestamp("time", &self.time)?;
        let fields = Fields::of(self.detail.get())?;
        let shape = Shape::of(&fields);
        let event = match shape {
            Shape::CloudEvent => Event::import(&fields, received),
            Shape::Hub => legacy::hub(&fields, self, received),
            Shape::Circle => legacy::circle(&fields, self, received),
            Shape::Business => legacy::business(&fields, self, received),
            Shape::Integration => legacy::integration(&fields, self, received),
            Shape::SocketEvent => legacy::socket(&fields, self, received),
            Shape::Plain => legacy::plain(self, received),
        }?;
        Ok((event, shape))
    }

    /// The resources that mark an outbox entry, verified or not. Empty for every other event.
    #[must_use]
    pub fn outbox_marks(&self) -> Vec<String> {
        let is_mark =
            |text: &String| text == FROM_OUTBOX || text.starts_with(crate::event::outbox_mark::PREFIX);
        self.resources_with(FROM_OUTBOX).into_iter().filter(is_mark).collect()
    }

    /// Whether the message was sent to the queue directly and not through the bus. Only an IAM identity with
    /// `sqs:SendMessage` on that queue can do that.
    ///
    /// Source: EventBridge User Guide, "Event structure reference": `account` is a field of every event.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.account.map(RawValue::get).is_none_or(|account| account == r#""""#)
    }

    /// Whether the publisher set this resource.
    #[must_use]
    pub fn has_resource(&self, name: &str) -> bool {
        self.resources_with(name).iter().any(|resource| resource == name)
    }

    /// All resources if the raw JSON contains this text. Most events have none, and this check avoids parsing them
    /// twice.
    fn resources_with(&self, text: &str) -> Vec<String> {
        let resources = self.resources.map(RawValue::get).filter(|raw| raw.contains(text));
        resources.and_then(|resources| serde_json::from_str(resources).ok()).unwrap_or_default()
    }

    /// The raw payload, for records that must not depend on successful parsing.
    #[must_use]
    pub fn detail_text(&self) -> &str {
        self.detail.get()
    }

    pub(crate) fn detail_as_data(&self) -> Result<Data, Refusal> {
        let detail = Raw::of(self.detail.get()).ok_or_else(|| {
            Refusal::new("detail", "JSON that nests too deep to be read", "at most 100 levels")
        })?;
        Data::read("detail", detail)
    }
}

/// The shape of a body before it is published, or `None` if the text is not a readable object.
#[must_use]
pub fn shape_of(detail: &str) -> Option<Shape> {
    Fields::of(detail).ok().map(|fields| Shape::of(&fields))
}

/// The event id in an envelope that may be otherwise invalid. `None` for a plain detail and for an id that is not
/// text.
#[must_use]
pub fn id_inside(detail: &str) -> Option<String> {
    let fields = Fields::of(detail).ok()?;
    let name = match Shape::of(&fields) {
        Shape::Hub => "eventId",
        Shape::CloudEvent | Shape::Circle | Shape::Business | Shape::Integration | Shape::SocketEvent => "id",
        Shape::Plain => return None,
    };
    let id = fields.raw_in_any_case(name)?.text()?;
    crate::event::check_name(name, &id).ok().map(|()| id.into_owned())
}

#[cfg(test)]
mod tests;
