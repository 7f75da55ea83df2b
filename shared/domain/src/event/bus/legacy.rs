//! The envelopes of the systems that Carillon replaces, and plain EventBridge events.
//!
//! Members without a CloudEvents attribute stay readable ([`kept`]): in `data`, and as extensions.

use jiff::Timestamp;

use super::BusEvent;
use super::kept;
use crate::base::json::Raw;
use crate::event::{Event, Fields, Priority, Refusal, check_name, check_tenant, check_type, trace_context};

/// An envelope while it is read: the event so far, and the members that became attributes.
struct Reading<'f, 'a> {
    fields: &'f Fields<'a>,
    event: Event,
    taken: Vec<&'static str>,
}

pub(super) fn hub(fields: &Fields<'_>, bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    let mut reading = Reading::of(fields, bus, received, "eventId", Some("eventType"))?;
    reading.source()?;
    reading.event.tenant = tenant(fields, "clinicId")?;
    reading.priority();
    reading.finish("payload")
}

pub(super) fn circle(fields: &Fields<'_>, bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    let mut reading = Reading::of(fields, bus, received, "id", Some("type"))?;
    reading.source()?;
    reading.event.tenant = tenant(fields, "familyId")?;
    reading.event.actor = reading.text("causedBy")?;
    reading.finish("data")
}

pub(super) fn business(
    fields: &Fields<'_>,
    bus: &BusEvent<'_>,
    received: Timestamp,
) -> Result<Event, Refusal> {
    let mut reading = Reading::of(fields, bus, received, "id", Some("type"))?;
    reading.source()?;
    // The user may be a recipient as well as the actor, so the member also stays readable.
    reading.event.actor = text(fields, "userId")?;
    reading.finish("data")
}

/// The type is the bus's `DetailType`. The routing key names the type too, but without authority. [`BusEvent::event`]
/// uses it as the type if the policy declares the `DetailType` an envelope name.
pub(super) fn integration(
    fields: &Fields<'_>,
    bus: &BusEvent<'_>,
    received: Timestamp,
) -> Result<Event, Refusal> {
    let mut reading = Reading::of(fields, bus, received, "id", None)?;
    reading.source()?;
    reading.event.actor = text(fields, "userId")?;
    reading.finish("data")
}

/// `source` names the user and workspace that caused the event. The publishing service is the bus's `Source`.
pub(super) fn socket(fields: &Fields<'_>, bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    let mut reading = Reading::of(fields, bus, received, "id", Some("event"))?;
    match fields.raw("source").filter(|raw| raw.get().starts_with('{')) {
        Some(raw) => {
            let origin = Fields::of(raw.get())?;
            reading.event.tenant = tenant(&origin, "workspaceId")?;
            reading.event.actor = text(&origin, "userId")?;
        }
        None => reading.source()?,
    }
    reading.priority();
    reading.finish("data")
}

/// Any other EventBridge event: id, source, type and time from its own fields, `detail` as data.
pub(super) fn plain(bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    let mut event = frame(bus, received)?;
    event.data = Some(bus.detail_as_data()?);
    Ok(event)
}

/// An event without payload from EventBridge's own fields.
fn frame(bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    check_type(&bus.detail_type)?;
    check_name("source", &bus.source)?;
    check_name("id", &bus.id)?;
    let [source, kind, id] = [&bus.source, &bus.detail_type, &bus.id].map(|field| field.clone().into_owned());
    Ok(Event::bare(source, kind, id, received))
}

impl<'f, 'a> Reading<'f, 'a> {
    /// Reads the members that all older envelopes share. EventBridge's own fields replace missing ones.
    fn of(
        fields: &'f Fields<'a>,
        bus: &BusEvent<'_>,
        received: Timestamp,
        id: &'static str,
        kind: Option<&'static str>,
    ) -> Result<Reading<'f, 'a>, Refusal> {
        let mut reading = Reading { fields, event: frame(bus, received)?, taken: Vec::new() };
        if let Some(found) = reading.text(id)? {
            reading.event.id = found;
        }
        if let Some(name) = kind
            && let Some(found) = reading.text(name)?
        {
            check_type(&found)?;
            reading.event.kind = found;
        }
        if let Some(raw) = fields.raw("timestamp") {
            reading.event.time = time(raw)?;
            reading.taken.push("timestamp");
        }
        reading.event.correlation_id = reading.text("correlationId")?;
        if let Some(found) = fields.text("traceparent")
            && let Ok(trace) = trace_context(&found)
        {
            reading.event.traceparent = Some(trace.to_owned());
            reading.taken.push("traceparent");
        }
        Ok(reading)
    }

    /// Reads a member that becomes an attribute.
    fn text(&mut self, name: &'static str) -> Result<Option<String>, Refusal> {
        let found = text(self.fields, name)?;
        self.taken.extend(found.is_some().then_some(name));
        Ok(found)
    }

    fn source(&mut self) -> Result<(), Refusal> {
        if let Some(found) = self.text("source")? {
            self.event.source = found;
        }
        Ok(())
    }

    /// Reads the priority. A value of an unknown scale stays a plain member.
    fn priority(&mut self) {
        self.event.priority = self.fields.text("priority").and_then(|name| Priority::from_name(&name));
        self.taken.extend(self.event.priority.is_some().then_some("priority"));
    }

    /// Finishes the event: adds the payload member `payload` and the members without an attribute.
    fn finish(mut self, payload: &'static str) -> Result<Event, Refusal> {
        self.taken.push(payload);
        let left: Vec<(&str, Raw<'_>)> = kept::left(self.fields, &self.taken);
        self.event.data = kept::data(payload, self.fields.raw(payload), &left)?;
        kept::add_extensions(&mut self.event, &left);
        Ok(self.event)
    }
}

fn tenant(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let tenant = text(fields, name)?;
    if let Some(named) = &tenant {
        check_tenant(named)?;
    }
    Ok(tenant)
}

/// Reads an optional text member. Numbers are accepted too, because older producers send ids as numbers.
fn text(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let Some(raw) = fields.raw(name) else {
        return Ok(None);
    };
    let number = raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let value = match fields.text(name) {
        Some(text) => text.into_owned(),
        None if number => raw.get().to_owned(),
        None => {
            return Err(Refusal::new(
                name.to_owned(),
                "a value that is neither text nor a number",
                "a string",
            ));
        }
    };
    check_name(name, &value)?;
    Ok(Some(value))
}

/// Reads an RFC 3339 time or Unix milliseconds (JavaScript's `Date.now()`).
fn time(raw: Raw<'_>) -> Result<Timestamp, Refusal> {
    let wanted = "an RFC 3339 time or milliseconds since 1970";
    let refuse = || Refusal::new("timestamp", "a value that is not a time", wanted);
    if let Ok(millis) = raw.get().parse::<i64>() {
        let time = Timestamp::from_millisecond(millis).ok();
        return time.filter(is_writable).ok_or_else(refuse);
    }
    raw.text().and_then(|text| text.parse().ok()).filter(is_writable).ok_or_else(refuse)
}

/// Whether RFC 3339 can represent the time. Years before 0 are excluded.
fn is_writable(time: &Timestamp) -> bool {
    !time.to_string().starts_with('-')
}
