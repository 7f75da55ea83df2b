//! What each member of a person may hold: lengths, counts, addresses, and the names within a member. Every door calls
//! [`check_members`]: the HTTP API, events on the bus, and the import of the command line. What is stored is not judged
//! again: a value that an earlier release took stays readable.

use serde_json::{Map, Value};

use crate::channel::{AddressForm, Channel};
use crate::event::{Found, Refusal, kind_of};
use crate::recipient::{EmailAddress, PhoneNumber};

/// The longest name of a person, in characters.
pub const MAX_NAME_CHARS: usize = 256;

/// The longest language tag, in bytes.
///
/// Source: RFC 5646, section 4.4.1: every tag that is in use fits 35 characters.
pub const MAX_LOCALE_BYTES: usize = 35;

/// The longest e-mail address, in bytes.
///
/// Source: RFC 5321, section 4.5.3.1.3, without the brackets of a path.
pub const MAX_EMAIL_BYTES: usize = 254;

/// The longest e-mail address as it is written, with a name and what else stands around it, in bytes.
pub const MAX_WRITTEN_EMAIL_BYTES: usize = 1_024;

/// The longest phone number as it is written, in bytes: 15 full-width digits, and what people write between them.
pub const MAX_PHONE_BYTES: usize = 100;

/// The longest id, tenant, role, scope and topic, in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// The longest endpoint of a device, in bytes.
pub const MAX_DEVICE_ENDPOINT_BYTES: usize = 2_048;

/// The most devices, tenants, roles, topics (of each list), and tenants with own topics or settings.
pub const MAX_DEVICES: usize = 50;
pub const MAX_TENANTS: usize = 100;
pub const MAX_ROLES: usize = 200;
pub const MAX_TOPICS: usize = 1_000;

/// The most closed channels and unsubscriptions.
pub const MAX_SUPPRESSED: usize = 100;
pub const MAX_UNSUBSCRIBED: usize = 200;

/// The largest preferences, quiet hours and settings of tenants, in bytes of JSON.
pub const MAX_PREFERENCES_BYTES: usize = 32 * 1024;
pub const MAX_QUIET_BYTES: usize = 16 * 1024;
pub const MAX_IN_TENANTS_BYTES: usize = 64 * 1024;

/// The largest description of a person, in bytes of JSON.
pub const MAX_PERSON_BYTES: usize = 128 * 1024;

/// The largest person with the record of what was said when, in bytes, to which a producer or a caller may still add
/// something. The rest of an item of DynamoDB (400 KB) is kept free for later words: a bounce, a STOP, an unsubscription.
///
/// Source: DynamoDB developer guide, "Quotas", item size.
pub const MAX_ENTRY_BYTES: usize = 256 * 1024;

/// The form of an e-mail address, in words for a refusal.
const WANTED_EMAIL: &str = "an e-mail address, local@domain, with ASCII before the @";

/// The same with closed channels and unsubscriptions: nothing else may take the rest.
pub const MAX_WITH_LATER_WORDS_BYTES: usize = 384 * 1024;

/// The members of each object within a person.
const DEVICE: [&str; 5] = ["id", "platform", "endpoint", "zone", "tenant"];
const ROLE: [&str; 2] = ["role", "in"];
const SETTINGS: [&str; 3] = ["zone", "preferences", "quiet"];
const SUPPRESSION: [&str; 4] = ["channel", "why", "until", "address"];
const UNSUBSCRIPTION: [&str; 2] = ["at", "message"];

/// Checks the members of a person, or of a merge patch of one, as far as lengths, counts, addresses and names within
/// members go. A `null` says that a member is taken away. What has another shape is left to whoever reads the shape.
///
/// # Errors
/// [`Refusal`] names the member, the kind of what was found, and what is wanted. It quotes nothing of the value.
pub fn check_members(members: &Map<String, Value>) -> Result<(), Refusal> {
    check(members, "")
}

/// `place` stands before a member's name in a refusal.
pub(super) fn check(members: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    for (name, value) in members {
        let at = format!("{place}{name}");
        if let (Some(channel), Value::String(text)) = (Channel::of_member(name), value) {
            address(&at, channel, text)?;
            continue;
        }
        match (name.as_str(), value) {
            ("name", Value::String(it)) => text(&at, it, it.chars().count(), MAX_NAME_CHARS, "characters")?,
            ("locale", Value::String(it)) => text(&at, it, it.len(), MAX_LOCALE_BYTES, "bytes")?,
            ("devices", Value::Array(array)) => devices(&at, array)?,
            ("tenants", Value::Array(array)) => count(&at, array.len(), MAX_TENANTS)?,
            ("roles", Value::Array(array)) => {
                count(&at, array.len(), MAX_ROLES)?;
                each(&at, array, &ROLE)?;
            }
            ("topics", Value::Array(array)) => count(&at, array.len(), MAX_TOPICS)?,
            ("topics_in", Value::Object(object)) => topics_in(&at, object)?,
            ("preferences", Value::Object(_)) => size(&at, value, MAX_PREFERENCES_BYTES)?,
            ("quiet", Value::Object(_) | Value::Array(_)) => size(&at, value, MAX_QUIET_BYTES)?,
            ("in_tenants", Value::Object(object)) => in_tenants(&at, value, object)?,
            ("suppressed", Value::Array(array)) => {
                count(&at, array.len(), MAX_SUPPRESSED)?;
                each(&at, array, &SUPPRESSION)?;
            }
            ("unsubscribed", Value::Object(object)) => unsubscribed(&at, object)?,
            _ => {}
        }
    }
    let bytes = json_bytes(members);
    if bytes > MAX_PERSON_BYTES {
        let place = if place.is_empty() { "body" } else { place.trim_end_matches('.') };
        return Err(too_long(place, bytes, MAX_PERSON_BYTES, "bytes"));
    }
    Ok(())
}

/// Whether a change lets members grow beyond their limits although each part of it fits. What only shrinks may stay too
/// large: so a person that an earlier release let grow can be repaired step by step.
///
/// # Errors
/// [`Refusal`] names the member.
pub(super) fn check_growth(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    place: &str,
) -> Result<(), Refusal> {
    for (name, value) in after {
        let length = |members: &Map<String, Value>| members.get(name).map_or(0, |it| it.to_string().len());
        if before.get(name) != Some(value) && length(after) > length(before) {
            check(&Map::from_iter([(name.clone(), value.clone())]), place)?;
        }
    }
    Ok(())
}

/// Checks a tenant's own settings.
///
/// # Errors
/// [`Refusal`] names the member.
pub(super) fn check_settings(settings: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    if let Some(value) = settings.get("preferences") {
        size(&format!("{place}preferences"), value, MAX_PREFERENCES_BYTES)?;
    }
    match settings.get("quiet") {
        Some(value) => size(&format!("{place}quiet"), value, MAX_QUIET_BYTES),
        None => Ok(()),
    }
}

/// Refuses an address that no message could be sent to.
fn address(at: &str, channel: Channel, value: &str) -> Result<(), Refusal> {
    let Some(spec) = channel.address() else { return Ok(()) };
    match spec.form {
        AddressForm::Email => email(at, value),
        AddressForm::Phone => phone(at, value),
        AddressForm::Id(_) if value.len() > MAX_ID_BYTES => {
            Err(too_long(at, value.len(), MAX_ID_BYTES, "bytes"))
        }
        AddressForm::Id(parse) => match parse(value) {
            Ok(_) => Ok(()),
            Err(why) => Err(Refusal::new(at.to_owned(), Found::text_because(value, why), spec.wanted)),
        },
    }
}

/// Refuses an e-mail address that no message could be sent to.
fn email(at: &str, value: &str) -> Result<(), Refusal> {
    if value.len() > MAX_WRITTEN_EMAIL_BYTES {
        return Err(too_long(at, value.len(), MAX_WRITTEN_EMAIL_BYTES, "bytes"));
    }
    match EmailAddress::parse(value) {
        Ok(_) => Ok(()),
        Err(why) => Err(Refusal::new(at.to_owned(), Found::text_because(value, why.why()), WANTED_EMAIL)),
    }
}

/// Refuses a phone number that no message could be sent to.
fn phone(at: &str, value: &str) -> Result<(), Refusal> {
    let refuse = |why| {
        let wanted = "+ and 7 to 15 digits with the country code, such as +49 30 1234567";
        Err(Refusal::new(at.to_owned(), Found::text_because(value, why), wanted))
    };
    if value.len() > MAX_PHONE_BYTES {
        return refuse("it is too long");
    }
    match PhoneNumber::parse(value) {
        Ok(_) => Ok(()),
        Err(why) => refuse(why.why()),
    }
}

fn text(at: &str, value: &str, length: usize, most: usize, unit: &'static str) -> Result<(), Refusal> {
    if length > most {
        return Err(too_long(at, length, most, unit));
    }
    match value.chars().any(char::is_control) {
        true => Err(Refusal::new(at.to_owned(), "a control character", "printable text")),
        false => Ok(()),
    }
}

fn count(at: &str, found: usize, most: usize) -> Result<(), Refusal> {
    if found > most { Err(too_long(at, found, most, "entries")) } else { Ok(()) }
}

fn size(at: &str, value: &Value, most: usize) -> Result<(), Refusal> {
    let bytes = value.to_string().len();
    if bytes > most { Err(too_long(at, bytes, most, "bytes of JSON")) } else { Ok(()) }
}

pub(super) fn too_long(at: &str, found: usize, most: usize, unit: &'static str) -> Refusal {
    Refusal::new(at.to_owned(), Found::count(found, unit), format_args!("at most {most} {unit}"))
}

fn devices(at: &str, devices: &[Value]) -> Result<(), Refusal> {
    count(at, devices.len(), MAX_DEVICES)?;
    each(at, devices, &DEVICE)?;
    for (index, device) in devices.iter().enumerate() {
        let member = |name: &str| device.get(name).and_then(Value::as_str);
        if let Some(id) = member("id") {
            name(&format!("{at}[{index}].id"), id, MAX_ID_BYTES)?;
        }
        if let Some(tenant) = member("tenant") {
            name(&format!("{at}[{index}].tenant"), tenant, MAX_ID_BYTES)?;
        }
        if let Some(endpoint) = member("endpoint") {
            name(&format!("{at}[{index}].endpoint"), endpoint, MAX_DEVICE_ENDPOINT_BYTES)?;
        }
    }
    Ok(())
}

/// A text that is not empty.
fn name(at: &str, value: &str, most: usize) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::new(at.to_owned(), "an empty text", "a text that is not empty"));
    }
    text(at, value, value.len(), most, "bytes")
}

fn topics_in(at: &str, tenants: &Map<String, Value>) -> Result<(), Refusal> {
    count(at, tenants.len(), MAX_TENANTS)?;
    tenants.values().filter_map(Value::as_array).try_for_each(|it| count(at, it.len(), MAX_TOPICS))
}

fn in_tenants(at: &str, value: &Value, tenants: &Map<String, Value>) -> Result<(), Refusal> {
    count(at, tenants.len(), MAX_TENANTS)?;
    for settings in tenants.values().filter_map(Value::as_object) {
        known(at, settings, &SETTINGS)?;
    }
    size(at, value, MAX_IN_TENANTS_BYTES)
}

fn unsubscribed(at: &str, scopes: &Map<String, Value>) -> Result<(), Refusal> {
    count(at, scopes.len(), MAX_UNSUBSCRIBED)?;
    for (scope, word) in scopes {
        text(at, scope, scope.len(), MAX_ID_BYTES, "bytes in a scope")?;
        let Some(word) = word.as_object() else { continue };
        known(at, word, &UNSUBSCRIPTION)?;
        if let Some(message) = word.get("message").and_then(Value::as_str) {
            text(at, message, message.len(), MAX_ID_BYTES, "bytes in a message's key")?;
        }
    }
    Ok(())
}

/// No element of a list has a member that is not known.
fn each(at: &str, elements: &[Value], names: &[&str]) -> Result<(), Refusal> {
    for (index, element) in elements.iter().enumerate() {
        if let Some(members) = element.as_object() {
            known(&format!("{at}[{index}]"), members, names)?;
        }
    }
    Ok(())
}

fn known(at: &str, members: &Map<String, Value>, names: &[&str]) -> Result<(), Refusal> {
    match members.keys().any(|key| !names.contains(&key.as_str())) {
        true => Err(Refusal::new(
            at.to_owned(),
            "a member that is not known",
            format!("only {}", names.join(", ")),
        )),
        false => Ok(()),
    }
}

fn json_bytes(members: &Map<String, Value>) -> usize {
    members.iter().map(|(name, value)| name.len() + value.to_string().len() + 4).sum()
}

/// The kind of a JSON value, in words for a refusal.
pub(super) fn kind(value: Option<&Value>) -> &'static str {
    value.map_or("nothing", |it| kind_of(&it.to_string()))
}

#[cfg(test)]
mod tests;
