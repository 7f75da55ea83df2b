//! An EventBridge event as a rule hands it to a queue, and the envelopes that producers put into it.
//!
//! Six shapes are understood, told apart by the names they carry: CloudEvents 1.0, and five envelopes of older systems.
//! Anything else is a plain EventBridge event: its `detail` becomes the payload. `docs/produce/envelopes.md` describes them all.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::event::{Data, Event, Extension, Fields, Refusal};
use crate::json::Raw;
use crate::producers::{Identity, Producers};

mod kept;
mod legacy;

/// The fields of an EventBridge event that are read here.
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
    /// What the publisher put there. No event is refused for it, and it proves nothing by itself.
    #[serde(borrow, default)]
    resources: Option<&'a RawValue>,
    /// The AWS account of the publisher. EventBridge writes it, and no publisher can.
    #[serde(borrow, default)]
    account: Option<&'a RawValue>,
}

/// The mark of an outbox entry as releases before [`crate::outbox_mark`] wrote it. Every publisher can write it, so it
/// proves nothing. The relay writes it beside its own mark for one more release: an audit of the last release knows no
/// other.
pub const FROM_OUTBOX: &str = "carillon:outbox";

/// Which of the known shapes a `detail` has.
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
    /// Whatever else a producer puts on the bus.
    Plain,
}

impl Shape {
    /// Whether it is the envelope of an older system.
    #[must_use]
    pub fn is_older(self) -> bool {
        match self {
            Shape::Hub | Shape::Circle | Shape::Business | Shape::Integration | Shape::SocketEvent => true,
            Shape::CloudEvent | Shape::Plain => false,
        }
    }

    /// Tells a `detail` by the names of its members.
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

/// Whether an envelope names its event in `event` and says as objects where the event comes from, or whom it is for.
fn is_socket_event(fields: &Fields<'_>) -> bool {
    let is_object = |name: &str| fields.raw(name).is_some_and(|raw| raw.get().starts_with('{'));
    fields.text("event").is_some()
        && fields.has("type")
        && fields.has("data")
        && (is_object("source") || is_object("target"))
}

/// Whether an envelope names the service that it comes from, and has a payload and a routing key or a version.
fn is_integration(fields: &Fields<'_>) -> bool {
    let is_object = fields.raw("data").is_some_and(|raw| raw.get().starts_with('{'));
    let is_versioned = || fields.has("version") && fields.has("userId");
    is_object && fields.text("service").is_some() && (fields.text("routingKey").is_some() || is_versioned())
}

/// Whether an envelope is a CloudEvent whose names are written in other letters, such as the `SpecVersion` of .NET. The
/// name alone proves little: other formats have a `specVersion` too.
fn is_in_other_letters(fields: &Fields<'_>) -> bool {
    let Some(version) = fields.raw_in_any_case("specversion") else { return false };
    let has_all = || ["id", "source", "type"].iter().all(|it| fields.raw_in_any_case(it).is_some());
    version.text().as_deref() == Some("1.0") || has_all()
}

impl<'a> BusEvent<'a> {
    /// Reads what a rule put into a queue.
    ///
    /// # Errors
    /// [`Refusal`] when the text is no EventBridge event.
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

    /// The event inside, if its producer may publish it. The bus's `source` and `detail-type` are authoritative: IAM
    /// vouches for them, and for nothing that stands in the envelope. The event has the type that its name stands for in
    /// the policy, and the tenant that its payload names where the policy says so ([`Producers::receive`]).
    ///
    /// # Errors
    /// [`Refusal`] as for [`BusEvent::unverified_event`]; of the class [`RefusalClass::IdentityMismatch`] when the envelope
    /// names another source or type than the bus; and of the class [`RefusalClass::ProducerNotAllowed`] when the policy
    /// does not let the source publish the event.
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
        // An entry of the outbox names its tenant itself: it lies in that tenant's part of the table.
        if !self.outbox_marks().is_empty() {
            producers.admit(identity, &event)?;
            return Ok(producers.aliases().apply(event));
        }
        producers.receive(identity, event)
    }

    /// The source and the type that the envelope names, where it can be read; EventBridge's own for a plain event.
    #[must_use]
    pub fn named_inside(&self) -> Option<(String, String)> {
        self.unverified_event().ok().map(|event| (event.source, event.kind))
    }

    /// The event inside, whatever its producer may publish: for tools that know no policy, never for a function that
    /// acts on it.
    ///
    /// # Errors
    /// [`Refusal`] when the envelope is recognised and breaks its own rules, or cannot be read at all.
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

    /// The resources that claim an outbox entry behind the event, proven or not. Empty for every other event.
    #[must_use]
    pub fn outbox_marks(&self) -> Vec<String> {
        let is_mark = |text: &String| text == FROM_OUTBOX || text.starts_with(crate::outbox_mark::PREFIX);
        self.resources_with(FROM_OUTBOX).into_iter().filter(is_mark).collect()
    }

    /// Whether the message was put into the queue itself, and did not come by way of the bus: only an IAM identity with
    /// `sqs:SendMessage` on that queue can do that.
    ///
    /// Source: EventBridge User Guide, "Event structure reference": `account` is a field of every event.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.account.map(RawValue::get).is_none_or(|it| it == r#""""#)
    }

    /// Whether the publisher named this resource.
    #[must_use]
    pub fn has_resource(&self, name: &str) -> bool {
        self.resources_with(name).iter().any(|it| it == name)
    }

    /// All resources, if one of them may contain this text: most events have none, and are not read twice.
    fn resources_with(&self, text: &str) -> Vec<String> {
        let resources = self.resources.map(RawValue::get).filter(|it| it.contains(text));
        resources.and_then(|resources| serde_json::from_str(resources).ok()).unwrap_or_default()
    }

    /// The payload as it stands, for records that must not depend on whether it could be understood.
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

/// The shape of a body that is about to be published, or `None` when the text is not an object that can be read.
#[must_use]
pub fn shape_of(detail: &str) -> Option<Shape> {
    Fields::of(detail).ok().map(|fields| Shape::of(&fields))
}

/// The id that an envelope names, whatever else is wrong with it. `None` for a plain detail and for an id that is no
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
