//! Members of an older envelope without a CloudEvents attribute. All of them stay readable.
//!
//! A scalar becomes an extension under its lower-case name (`$.category`, `$.routingkey`). Every member is also in
//! `data` under its own name, unless the payload has a member of that name (`$.data.target.excludeUsers`).

use crate::base::json::Raw;
use crate::event::producers::EVENT_NAME;
use crate::event::replay::{RENOTIFY, REPLAY_ID};
use crate::event::{Data, Event, Extension, Fields, MAX_EVENT_BYTES, Refusal, extension, is_extension_name};

/// The attributes of CloudEvents and of Carillon. An extension with such a name gets [`PREFIX`].
const ATTRIBUTES: [&str; 21] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "subject",
    "dataschema",
    "datacontenttype",
    "data",
    "tenant",
    "correlationid",
    "causationid",
    "actor",
    "authid",
    "authtype",
    "traceparent",
    "priority",
    "sequence",
    "expirytime",
    REPLAY_ID,
    RENOTIFY,
];

/// The prefix of an extension whose name equals an attribute, as in `$.envelopetype`.
const PREFIX: &str = "envelope";

/// The longest value that becomes an extension, in bytes of JSON.
const MAX_VALUE_BYTES: usize = 258;

/// The limit of all these extensions together, in bytes.
const MAX_ALL_BYTES: usize = 4 * 1024;

/// The reserve for all attributes at their usual lengths, in bytes.
const FRAME_BYTES: usize = 4 * 1024;

/// The members without an attribute, sorted by name, so that the order of members does not change the event.
pub(super) fn left<'f>(envelope: &'f Fields<'_>, taken: &[&str]) -> Vec<(&'f str, Raw<'f>)> {
    let is_left = |name: &str, raw: &Raw<'_>| raw.get() != "null" && !taken.contains(&name);
    let mut left: Vec<(&str, Raw<'_>)> = envelope.iter().filter(|(name, raw)| is_left(name, raw)).collect();
    left.sort_by_key(|(name, _)| *name);
    left
}

/// Adds scalar members as extensions, as far as they fit the event size.
pub(super) fn add_extensions(event: &mut Event, left: &[(&str, Raw<'_>)]) {
    // A recorded event must stay readable, so extensions must not exceed its size limit.
    let payload = event.data.as_ref().map_or(0, |data| data.text().len());
    let most = MAX_EVENT_BYTES.saturating_sub(payload + FRAME_BYTES).min(MAX_ALL_BYTES);
    let mut bytes = 0;
    for (member, raw) in left {
        let lower = member.to_ascii_lowercase();
        if raw.get().len() > MAX_VALUE_BYTES || !is_extension_name(&lower) {
            continue;
        }
        let is_attribute = ATTRIBUTES.contains(&lower.as_str()) || lower == EVENT_NAME;
        let name = if is_attribute { format!("{PREFIX}{lower}") } else { lower };
        bytes += name.len() + raw.get().len();
        if bytes > most || event.extensions.contains_key(&name) {
            continue;
        }
        let value = extension(&name, *raw, true).ok().or_else(|| number(*raw));
        event.extensions.extend(value.map(|value| (name, value)));
    }
}

/// Returns a number outside the integer range of CloudEvents as text.
fn number(raw: Raw<'_>) -> Option<Extension> {
    let is_number = raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
    is_number.then(|| Extension::Text(raw.get().to_owned()))
}

/// Returns the payload member `member`, extended by the remaining members that do not exist in the payload.
pub(super) fn data(
    member: &str,
    payload: Option<Raw<'_>>,
    left: &[(&str, Raw<'_>)],
) -> Result<Option<Data>, Refusal> {
    let inner = match payload {
        Some(raw) if raw.get().starts_with('{') => Some(Fields::of(raw.get())?),
        Some(_) | None => None,
    };
    let mut members: Vec<(&str, Raw<'_>)> = Vec::new();
    match (&inner, payload) {
        (Some(fields), _) => members.extend(fields.iter()),
        // The payload is not an object, so it becomes a member itself.
        (None, Some(raw)) => members.push(("payload", raw)),
        (None, None) => {}
    }
    let own = members.len();
    for (name, raw) in left {
        if !members[..own].iter().any(|(known, _)| known == name) {
            members.push((name, *raw));
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
