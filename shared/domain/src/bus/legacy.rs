//! The envelopes of the systems that Carillon takes over from, and plain EventBridge events.
//!
//! The ids of people and tenants lived in these envelopes, outside the payload. They are added to `data`, unless it
//! has a member of that name, so that rules find them where a CloudEvent would carry them.

use jiff::Timestamp;

use super::BusEvent;
use crate::event::{
    Data, Event, Fields, Priority, Refusal, check_name, check_tenant, check_type, trace_context,
};
use crate::json::Raw;

pub(super) fn hub(fields: &Fields<'_>, bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    let mut event = base(fields, bus, received, "eventId", "eventType")?;
    event.tenant = tenant(fields, "clinicId")?;
    event.priority = fields.text("priority").and_then(|it| Priority::from_name(&it));
    event.data = merged("payload", fields, &["userId", "clinicId", "category"])?;
    Ok(event)
}

pub(super) fn circle(fields: &Fields<'_>, bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    let mut event = base(fields, bus, received, "id", "type")?;
    event.tenant = tenant(fields, "familyId")?;
    event.actor = text(fields, "causedBy")?;
    event.data = merged("data", fields, &["familyId", "careRecipientId"])?;
    Ok(event)
}

pub(super) fn business(
    fields: &Fields<'_>,
    bus: &BusEvent<'_>,
    received: Timestamp,
) -> Result<Event, Refusal> {
    let mut event = base(fields, bus, received, "id", "type")?;
    event.actor = text(fields, "userId")?;
    event.data = merged("data", fields, &["userId"])?;
    Ok(event)
}

/// Any event that EventBridge can carry: id, source, type and time from its own fields, `detail` as data.
pub(super) fn plain(bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    let mut event = frame(bus, received)?;
    event.data = Some(bus.detail_as_data()?);
    Ok(event)
}

/// EventBridge's own fields, and no payload yet.
fn frame(bus: &BusEvent<'_>, received: Timestamp) -> Result<Event, Refusal> {
    check_type(&bus.detail_type)?;
    let [source, kind, id] = [&bus.source, &bus.detail_type, &bus.id].map(|it| it.clone().into_owned());
    Ok(Event::bare(source, kind, id, received))
}

/// What all older envelopes have in common, with EventBridge's own fields where one is missing.
fn base(
    fields: &Fields<'_>,
    bus: &BusEvent<'_>,
    received: Timestamp,
    id: &str,
    kind: &str,
) -> Result<Event, Refusal> {
    let mut event = frame(bus, received)?;
    if let Some(it) = text(fields, id)? {
        event.id = it;
    }
    if let Some(it) = text(fields, kind)? {
        check_type(&it)?;
        event.kind = it;
    }
    if let Some(it) = text(fields, "source")? {
        event.source = it;
    }
    if let Some(raw) = fields.raw("timestamp") {
        event.time = time(raw)?;
    }
    event.correlation_id = text(fields, "correlationId")?;
    event.traceparent = fields.text("traceparent").and_then(|it| trace_context(&it).map(str::to_owned).ok());
    Ok(event)
}

/// A member that must be text when it is there. Numbers are taken too: older producers send ids as numbers.
fn tenant(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let tenant = text(fields, name)?;
    if let Some(named) = &tenant {
        check_tenant(named)?;
    }
    Ok(tenant)
}

fn text(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let Some(raw) = fields.raw(name) else {
        return Ok(None);
    };
    let number = raw.get().starts_with(|it: char| it == '-' || it.is_ascii_digit());
    let value = match fields.text(name) {
        Some(it) => it.into_owned(),
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

/// RFC 3339, or milliseconds since 1970 as JavaScript's `Date.now()` gives them.
fn time(raw: Raw<'_>) -> Result<Timestamp, Refusal> {
    let wanted = "an RFC 3339 time or milliseconds since 1970";
    let refuse = || Refusal::new("timestamp", "something that is not a time", wanted);
    if let Ok(millis) = raw.get().parse::<i64>() {
        let time = Timestamp::from_millisecond(millis).ok();
        return time.filter(is_writable).ok_or_else(refuse);
    }
    raw.text().and_then(|it| it.parse().ok()).filter(is_writable).ok_or_else(refuse)
}

/// Whether RFC 3339 can write it: no year before 0.
fn is_writable(time: &Timestamp) -> bool {
    !time.to_string().starts_with('-')
}

/// The payload, which the envelope calls `member`, with members of the envelope added where it has none of that name.
fn merged(member: &str, envelope: &Fields<'_>, names: &[&str]) -> Result<Option<Data>, Refusal> {
    let payload = envelope.raw(member);
    let inner = match payload {
        Some(raw) if raw.get().starts_with('{') => Some(Fields::of(raw.get())?),
        Some(_) | None => None,
    };
    let mut members: Vec<(&str, Raw<'_>)> = Vec::new();
    match (&inner, payload) {
        (Some(fields), _) => members.extend(fields.iter()),
        // Not an object: there is nothing to add to, so it becomes a member itself.
        (None, Some(raw)) => members.push(("payload", raw)),
        (None, None) => {}
    }
    for name in names {
        if let Some(raw) = envelope.raw(name)
            && !members.iter().any(|(it, _)| it == name)
        {
            members.push((name, raw));
        }
    }
    if members.is_empty() {
        return Ok(None);
    }
    let mut text = String::from("{");
    for (name, raw) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(name).to_string());
        text.push(':');
        text.push_str(raw.get());
    }
    text.push('}');
    let text = Raw::of(&text).expect("members that were JSON, in braces");
    Data::read(member, text).map(Some)
}
