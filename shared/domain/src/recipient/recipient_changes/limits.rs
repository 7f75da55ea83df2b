//! Limits of a recipient's members: lengths, counts, addresses, and the names within a member. Every entry point
//! calls [`check_members`]: the HTTP API, events on the bus, and the CLI's import. Stored values are not checked
//! again, so values that an earlier release accepted stay readable.

use serde_json::{Map, Value};

use crate::base::channel::{AddressForm, Channel};
use crate::event::{Found, Refusal, kind_of};
use crate::recipient::{EmailAddress, PhoneNumber};

/// Maximum length of a user's name in characters.
pub const MAX_NAME_CHARS: usize = 256;

/// Maximum length of a language tag in bytes.
///
/// Source: RFC 5646, section 4.4.1: every tag that is in use fits 35 characters.
pub const MAX_LOCALE_BYTES: usize = 35;

/// Maximum length of an e-mail address in bytes.
///
/// Source: RFC 5321, section 4.5.3.1.3, without the brackets of a path.
pub const MAX_EMAIL_BYTES: usize = 254;

/// Maximum length of an e-mail address as written, including a name and punctuation, in bytes.
pub const MAX_WRITTEN_EMAIL_BYTES: usize = 1_024;

/// Maximum length of a phone number as written, in bytes: 15 full-width digits and the punctuation between them.
pub const MAX_PHONE_BYTES: usize = 100;

/// Maximum length of an id, tenant, role, scope or topic in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// Maximum length of a device's endpoint in bytes.
pub const MAX_DEVICE_ENDPOINT_BYTES: usize = 2_048;

/// Maximum numbers of devices, tenants, roles, topics (in each list), and tenants with own topics or settings.
pub const MAX_DEVICES: usize = 50;
pub const MAX_TENANTS: usize = 100;
pub const MAX_ROLES: usize = 200;
pub const MAX_TOPICS: usize = 1_000;

/// Maximum numbers of suppressions and unsubscriptions.
pub const MAX_SUPPRESSED: usize = 100;
pub const MAX_UNSUBSCRIBED: usize = 200;

/// Maximum sizes of preferences, quiet hours and tenant settings, in bytes of JSON.
pub const MAX_PREFERENCES_BYTES: usize = 32 * 1024;
pub const MAX_QUIET_BYTES: usize = 16 * 1024;
pub const MAX_IN_TENANTS_BYTES: usize = 64 * 1024;

/// Maximum size of a recipient's description, in bytes of JSON.
pub const MAX_PERSON_BYTES: usize = 128 * 1024;

/// Maximum size of a recipient with its history in bytes, up to which producers and callers may add data. The rest of
/// a DynamoDB item (400 KB) is reserved for bounces, opt-outs and unsubscriptions.
///
/// Source: DynamoDB developer guide, "Quotas", item size.
pub const MAX_ENTRY_BYTES: usize = 256 * 1024;

/// The form of an e-mail address, for refusals.
const WANTED_EMAIL: &str = "an e-mail address, local@domain, with ASCII before the @";

/// The maximum size including suppressions and unsubscriptions, for which the reserve is kept.
pub const MAX_WITH_SUPPRESSIONS_BYTES: usize = 384 * 1024;

/// The members of each object within a recipient.
const DEVICE: [&str; 5] = ["id", "platform", "endpoint", "zone", "tenant"];
const ROLE: [&str; 2] = ["role", "in"];
const SETTINGS: [&str; 3] = ["zone", "preferences", "quiet"];
const SUPPRESSION: [&str; 4] = ["channel", "why", "until", "address"];
const UNSUBSCRIPTION: [&str; 2] = ["at", "message"];

/// Checks the lengths, counts, addresses and inner names of a recipient's members, or of a merge patch. `null` means
/// that a member is removed. Members of another shape are left to the parser.
///
/// # Errors
/// [`Refusal`] with the member, the kind of the found value, and the wanted value. The refusal does not quote the
/// value.
pub fn check_members(members: &Map<String, Value>) -> Result<(), Refusal> {
    check(members, "")
}

/// Checks members. `place` is the prefix of a member's name in refusals.
pub(super) fn check(members: &Map<String, Value>, prefix: &str) -> Result<(), Refusal> {
    for (name, value) in members {
        let location = format!("{prefix}{name}");
        if let (Some(channel), Value::String(text)) = (Channel::of_member(name), value) {
            address(&location, channel, text)?;
            continue;
        }
        match (name.as_str(), value) {
            ("name", Value::String(name)) => {
                text(&location, name, name.chars().count(), MAX_NAME_CHARS, "characters")?;
            }
            ("locale", Value::String(tag)) => text(&location, tag, tag.len(), MAX_LOCALE_BYTES, "bytes")?,
            ("devices", Value::Array(array)) => devices(&location, array)?,
            ("tenants", Value::Array(array)) => count(&location, array.len(), MAX_TENANTS)?,
            ("roles", Value::Array(array)) => {
                count(&location, array.len(), MAX_ROLES)?;
                each(&location, array, &ROLE)?;
            }
            ("topics", Value::Array(array)) => count(&location, array.len(), MAX_TOPICS)?,
            ("topics_in", Value::Object(object)) => topics_in(&location, object)?,
            ("preferences", Value::Object(_)) => size(&location, value, MAX_PREFERENCES_BYTES)?,
            ("quiet", Value::Object(_) | Value::Array(_)) => size(&location, value, MAX_QUIET_BYTES)?,
            ("in_tenants", Value::Object(object)) => in_tenants(&location, value, object)?,
            ("suppressed", Value::Array(array)) => {
                count(&location, array.len(), MAX_SUPPRESSED)?;
                each(&location, array, &SUPPRESSION)?;
            }
            ("unsubscribed", Value::Object(object)) => unsubscribed(&location, object)?,
            _ => {}
        }
    }
    let bytes = json_bytes(members);
    if bytes > MAX_PERSON_BYTES {
        let prefix = if prefix.is_empty() { "body" } else { prefix.trim_end_matches('.') };
        return Err(too_long(prefix, bytes, MAX_PERSON_BYTES, "bytes"));
    }
    Ok(())
}

/// Checks that a change does not let members grow beyond their limits, although each part of it fits. Members that
/// shrink may stay too large, so that an oversized recipient of an earlier release can be repaired step by step.
///
/// # Errors
/// [`Refusal`] with the member.
pub(super) fn check_growth(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    prefix: &str,
) -> Result<(), Refusal> {
    for (name, value) in after {
        let length =
            |members: &Map<String, Value>| members.get(name).map_or(0, |value| value.to_string().len());
        if before.get(name) != Some(value) && length(after) > length(before) {
            check(&Map::from_iter([(name.clone(), value.clone())]), prefix)?;
        }
    }
    Ok(())
}

/// Checks a tenant's own settings.
///
/// # Errors
/// [`Refusal`] with the member.
pub(super) fn check_settings(settings: &Map<String, Value>, prefix: &str) -> Result<(), Refusal> {
    if let Some(value) = settings.get("preferences") {
        size(&format!("{prefix}preferences"), value, MAX_PREFERENCES_BYTES)?;
    }
    match settings.get("quiet") {
        Some(value) => size(&format!("{prefix}quiet"), value, MAX_QUIET_BYTES),
        None => Ok(()),
    }
}

/// Refuses an address that cannot be sent to.
fn address(location: &str, channel: Channel, value: &str) -> Result<(), Refusal> {
    let Some(spec) = channel.address() else { return Ok(()) };
    match spec.form {
        AddressForm::Email => email(location, value),
        AddressForm::Phone => phone(location, value),
        AddressForm::Id(_) if value.len() > MAX_ID_BYTES => {
            Err(too_long(location, value.len(), MAX_ID_BYTES, "bytes"))
        }
        AddressForm::Id(parse) => match parse(value) {
            Ok(_) => Ok(()),
            Err(why) => Err(Refusal::new(location.to_owned(), Found::text_because(value, why), spec.wanted)),
        },
    }
}

/// Refuses an e-mail address that cannot be sent to.
fn email(location: &str, value: &str) -> Result<(), Refusal> {
    if value.len() > MAX_WRITTEN_EMAIL_BYTES {
        return Err(too_long(location, value.len(), MAX_WRITTEN_EMAIL_BYTES, "bytes"));
    }
    match EmailAddress::parse(value) {
        Ok(_) => Ok(()),
        Err(why) => {
            Err(Refusal::new(location.to_owned(), Found::text_because(value, why.why()), WANTED_EMAIL))
        }
    }
}

/// Refuses a phone number that cannot be sent to.
fn phone(location: &str, value: &str) -> Result<(), Refusal> {
    let refuse = |why| {
        let wanted = "+ and 7 to 15 digits with the country code, such as +49 30 1234567";
        Err(Refusal::new(location.to_owned(), Found::text_because(value, why), wanted))
    };
    if value.len() > MAX_PHONE_BYTES {
        return refuse("it is too long");
    }
    match PhoneNumber::parse(value) {
        Ok(_) => Ok(()),
        Err(why) => refuse(why.why()),
    }
}

fn text(location: &str, value: &str, length: usize, most: usize, unit: &'static str) -> Result<(), Refusal> {
    if length > most {
        return Err(too_long(location, length, most, unit));
    }
    match value.chars().any(char::is_control) {
        true => Err(Refusal::new(location.to_owned(), "a control character", "printable text")),
        false => Ok(()),
    }
}

fn count(location: &str, found: usize, most: usize) -> Result<(), Refusal> {
    if found > most { Err(too_long(location, found, most, "entries")) } else { Ok(()) }
}

fn size(location: &str, value: &Value, most: usize) -> Result<(), Refusal> {
    let bytes = value.to_string().len();
    if bytes > most { Err(too_long(location, bytes, most, "bytes of JSON")) } else { Ok(()) }
}

pub(super) fn too_long(location: &str, found: usize, most: usize, unit: &'static str) -> Refusal {
    Refusal::new(location.to_owned(), Found::count(found, unit), format_args!("at most {most} {unit}"))
}

fn devices(location: &str, devices: &[Value]) -> Result<(), Refusal> {
    count(location, devices.len(), MAX_DEVICES)?;
    each(location, devices, &DEVICE)?;
    for (index, device) in devices.iter().enumerate() {
        let member = |name: &str| device.get(name).and_then(Value::as_str);
        if let Some(id) = member("id") {
            name(&format!("{location}[{index}].id"), id, MAX_ID_BYTES)?;
        }
        if let Some(tenant) = member("tenant") {
            name(&format!("{location}[{index}].tenant"), tenant, MAX_ID_BYTES)?;
        }
        if let Some(endpoint) = member("endpoint") {
            name(&format!("{location}[{index}].endpoint"), endpoint, MAX_DEVICE_ENDPOINT_BYTES)?;
        }
    }
    Ok(())
}

/// Checks that a text is not empty.
fn name(location: &str, value: &str, most: usize) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::new(location.to_owned(), "an empty text", "a non-empty text"));
    }
    text(location, value, value.len(), most, "bytes")
}

fn topics_in(location: &str, tenants: &Map<String, Value>) -> Result<(), Refusal> {
    count(location, tenants.len(), MAX_TENANTS)?;
    tenants
        .values()
        .filter_map(Value::as_array)
        .try_for_each(|topics| count(location, topics.len(), MAX_TOPICS))
}

fn in_tenants(location: &str, value: &Value, tenants: &Map<String, Value>) -> Result<(), Refusal> {
    count(location, tenants.len(), MAX_TENANTS)?;
    for settings in tenants.values().filter_map(Value::as_object) {
        known(location, settings, &SETTINGS)?;
    }
    size(location, value, MAX_IN_TENANTS_BYTES)
}

fn unsubscribed(location: &str, scopes: &Map<String, Value>) -> Result<(), Refusal> {
    count(location, scopes.len(), MAX_UNSUBSCRIBED)?;
    for (scope, word) in scopes {
        text(location, scope, scope.len(), MAX_ID_BYTES, "bytes in a scope")?;
        let Some(word) = word.as_object() else { continue };
        known(location, word, &UNSUBSCRIPTION)?;
        if let Some(message) = word.get("message").and_then(Value::as_str) {
            text(location, message, message.len(), MAX_ID_BYTES, "bytes in a message's key")?;
        }
    }
    Ok(())
}

/// Refuses unknown members in the elements of a list.
fn each(location: &str, elements: &[Value], names: &[&str]) -> Result<(), Refusal> {
    for (index, element) in elements.iter().enumerate() {
        if let Some(members) = element.as_object() {
            known(&format!("{location}[{index}]"), members, names)?;
        }
    }
    Ok(())
}

fn known(location: &str, members: &Map<String, Value>, names: &[&str]) -> Result<(), Refusal> {
    match members.keys().any(|key| !names.contains(&key.as_str())) {
        true => Err(Refusal::new(
            location.to_owned(),
            "a member that is not known",
            format!("only {}", names.join(", ")),
        )),
        false => Ok(()),
    }
}

fn json_bytes(members: &Map<String, Value>) -> usize {
    members.iter().map(|(name, value)| name.len() + value.to_string().len() + 4).sum()
}

/// The kind of a JSON value, for refusals.
pub(super) fn kind(value: Option<&Value>) -> &'static str {
    value.map_or("nothing", |value| kind_of(&value.to_string()))
}

#[cfg(test)]
mod tests;
