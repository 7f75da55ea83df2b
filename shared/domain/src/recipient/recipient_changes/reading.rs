//! Conversion of JSON to recipients and tenants. The reasons of refusals do not quote the input.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::limits::{self, kind};
use super::{MAX_USERS, spelling, zones};
use crate::base::channel::Channel;
use crate::base::suggestions::nearest;
use crate::event::{Event, Found, MAX_EVENT_BYTES, Refusal, check_name, kind_of};
use crate::recipient::preference::Preferences;
use crate::recipient::{ALL_TENANTS, Recipient, Settings};
use crate::time::quiet_hours::Windows;

/// The wanted form of each member of a recipient's JSON except its addresses, for refusals.
const MEMBERS: [(&str, &str); 14] = [
    ("id", "a string of 1 to 256 bytes"),
    ("name", "a string of at most 256 characters"),
    ("devices", "a list of {id, platform: apns | apns_sandbox | fcm, endpoint, zone, tenant}"),
    ("locale", "a language tag of at most 35 bytes, such as de-CH"),
    ("zone", zones::WANTED),
    ("tenants", "a list of strings"),
    ("roles", "a list of {role, in}"),
    ("topics", "a list of strings such as project:42"),
    ("topics_in", "an object with a list of topics for each tenant"),
    ("preferences", "preferences"),
    ("quiet", "quiet hours"),
    ("in_tenants", "an object with {zone, preferences, quiet} for each tenant"),
    ("suppressed", "a list of {channel, why: bounced | complained | opted_out, until, address}"),
    ("unsubscribed", "an object with {at, message} for commercial or category:<name>"),
];

/// [`MEMBERS`], with the addresses of all channels after the name.
fn members() -> Vec<(&'static str, &'static str)> {
    let mut members = MEMBERS.to_vec();
    let addresses = Channel::with_addresses().map(|(_, address)| (address.member, address.wanted));
    members.splice(2..2, addresses);
    members
}

/// The wanted form of each member of a tenant's JSON.
const SETTINGS: [(&str, &str); 3] =
    [("zone", zones::WANTED), ("preferences", "preferences"), ("quiet", "quiet hours")];

/// Reads a recipient's JSON.
///
/// # Errors
/// [`Refusal`] with the invalid member.
pub fn person(text: &str) -> Result<Recipient, Refusal> {
    if text.len() > MAX_EVENT_BYTES {
        let wanted = format!("at most {MAX_EVENT_BYTES} bytes for one recipient");
        return Err(Refusal::new("body", Found::count(text.len(), "bytes"), wanted));
    }
    of_object(&parse(text)?, "")
}

/// Reads a tenant's JSON: `{"tenant": "<id>", "zone": …, "preferences": …, "quiet": …}`.
///
/// # Errors
/// [`Refusal`] with the invalid member.
pub fn tenant(text: &str) -> Result<(String, Settings), Refusal> {
    tenant_of_object(parse(text)?, "tenant", "")
}

/// Reads settings of a tenant, or of a recipient within a tenant. Channel names are not checked, because part of the
/// input may be stored already.
///
/// # Errors
/// [`Refusal`] with the invalid member.
pub fn settings(members: &Map<String, Value>) -> Result<Settings, Refusal> {
    settings_of_object(members, "")
}

fn parse(text: &str) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::new("body", kind_of(text), "one JSON object")),
        Err(error) => Err(Refusal::not_json(&error)),
    }
}

/// The event's `data`, which must be an object.
pub(super) fn object(event: &Event) -> Result<Map<String, Value>, Refusal> {
    let Some(data) = &event.data else { return Err(Refusal::new("data", "nothing", "a JSON object")) };
    match serde_json::from_str(data.text()) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(Refusal::new("data", kind_of(data.text()), "a JSON object")),
    }
}

/// Reads a recipient. `prefix` precedes member names in refusals.
pub(super) fn of_object(data: &Map<String, Value>, prefix: &str) -> Result<Recipient, Refusal> {
    id_of(data, "id", prefix)?;
    let mut normal = data.clone();
    spelling::normalize_addresses(&mut normal);
    let person: Recipient =
        typed(Value::Object(normal)).ok_or_else(|| at_fault::<Recipient>(data, prefix, &members()))?;
    check(&person, prefix)?;
    zones::check(data, prefix)?;
    spelling::check(data, prefix)?;
    limits::check(data, prefix)?;
    Ok(person)
}

/// Reads a tenant. `name` is the member with the tenant's id.
pub(super) fn tenant_of_object(
    mut data: Map<String, Value>,
    name: &str,
    prefix: &str,
) -> Result<(String, Settings), Refusal> {
    let id = id_of(&data, name, prefix)?;
    data.remove(name);
    let settings = settings_of_object(&data, prefix)?;
    spelling::check(&data, prefix)?;
    Ok((id, settings))
}

fn settings_of_object(data: &Map<String, Value>, prefix: &str) -> Result<Settings, Refusal> {
    if let Some(stranger) = data.keys().find(|key| !SETTINGS.iter().any(|(name, _)| name == key)) {
        return Err(unknown(stranger, prefix, &SETTINGS));
    }
    let settings =
        typed(Value::Object(data.clone())).ok_or_else(|| at_fault::<Settings>(data, prefix, &SETTINGS))?;
    zones::check(data, prefix)?;
    limits::check_settings(data, prefix)?;
    Ok(settings)
}

/// Reads a merge patch with the recipient's id. Zones, addresses, lengths and counts are checked here. Shapes can be
/// checked only with the patched recipient.
pub(super) fn patch(mut data: Map<String, Value>) -> Result<(String, Map<String, Value>), Refusal> {
    let id = id_of(&data, "id", "data.")?;
    data.remove("id");
    let members = members();
    if let Some(stranger) = data.keys().find(|key| !members.iter().any(|(name, _)| name == key)) {
        return Err(unknown(stranger, "data.", &members));
    }
    if data.is_empty() {
        return Err(Refusal::new("data", "nothing but an id", "at least one member that changes"));
    }
    zones::check(&data, "data.")?;
    spelling::check(&data, "data.")?;
    limits::check(&data, "data.")?;
    spelling::normalize_addresses(&mut data);
    Ok((id, data))
}

pub(super) fn deleted(data: &Map<String, Value>) -> Result<String, Refusal> {
    let id = id_of(data, "id", "data.")?;
    match data.keys().find(|key| *key != "id") {
        Some(stranger) => Err(unknown(stranger, "data.", &MEMBERS[..1])),
        None => Ok(id),
    }
}

/// The user and the id of the unregistered device.
pub(super) fn unregistered(data: &Map<String, Value>) -> Result<(String, String), Refusal> {
    Ok((id_of(data, "recipient", "data.")?, id_of(data, "device", "data.")?))
}

/// The user who opted out.
pub(super) fn opted_out(data: &Map<String, Value>) -> Result<String, Refusal> {
    id_of(data, "recipient", "data.")
}

/// The topic, and the users who join or leave it, without duplicates and sorted by id.
pub(super) fn membership(data: &Map<String, Value>) -> Result<(String, BTreeSet<String>), Refusal> {
    if let Some(stranger) = data.keys().find(|key| !["topic", "users"].contains(&key.as_str())) {
        return Err(unknown(stranger, "data.", &[("topic", ""), ("users", "")]));
    }
    let wanted = "a topic such as project:42";
    let topic = match data.get("topic") {
        Some(Value::String(text)) => text,
        other => return Err(Refusal::new("data.topic", kind(other), wanted)),
    };
    check_topic("data.topic", topic)?;
    let wanted = format!("a list of 1 to {MAX_USERS} ids");
    let users = match data.get("users") {
        Some(Value::Array(array)) => array,
        other => return Err(Refusal::new("data.users", kind(other), wanted)),
    };
    if users.is_empty() || users.len() > MAX_USERS {
        return Err(Refusal::new("data.users", Found::count(users.len(), "entries"), wanted));
    }
    let ids = users.iter().map(|user| {
        let id = user.as_str().ok_or_else(|| Refusal::new("data.users", kind(Some(user)), "strings"))?;
        check_name("data.users", id).map(|()| id.to_owned())
    });
    Ok((topic.clone(), ids.collect::<Result<_, _>>()?))
}

/// Checks the rules that the types do not express.
///
/// # Errors
/// [`Refusal`] with the member. `prefix` precedes its name.
pub(super) fn check(person: &Recipient, prefix: &str) -> Result<(), Refusal> {
    let name = |member: &str| format!("{prefix}{member}");
    for tenant in person.tenants.iter().chain(person.in_tenants.keys()).chain(person.topics_in.keys()) {
        check_name(&name("tenants"), tenant)?;
    }
    let is_for_all = [
        ("in_tenants", person.in_tenants.contains_key(ALL_TENANTS)),
        ("topics_in", person.topics_in.contains_key(ALL_TENANTS)),
    ];
    if let Some((member, _)) = is_for_all.iter().find(|(_, is_for_all)| *is_for_all) {
        return Err(Refusal::new(name(member), "the name that stands for all tenants", "one tenant's name"));
    }
    for topic in person.topics.iter().chain(person.topics_in.values().flatten()) {
        check_topic(&name("topics"), topic)?;
    }
    for role in &person.roles {
        check_name(&name("roles"), &role.role)?;
        check_name(&name("roles"), &role.scope)?;
    }
    let mut devices = BTreeSet::new();
    match person.devices.iter().all(|device| devices.insert(&device.id)) {
        true => Ok(()),
        false => Err(Refusal::new(name("devices"), "an id twice", "an id for each device")),
    }
}

/// The refusal of members that do not form a valid recipient.
pub(super) fn invalid_recipient(data: &Map<String, Value>) -> Refusal {
    at_fault::<Recipient>(data, "data.", &members())
}

fn check_topic(attribute: &str, topic: &str) -> Result<(), Refusal> {
    check_name(attribute, topic)?;
    match topic.split_once(':') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok(()),
        Some(_) | None => Err(Refusal::new(
            attribute.to_owned(),
            "a name without a value",
            "<name>:<value>, such as project:42",
        )),
    }
}

fn id_of(data: &Map<String, Value>, name: &str, prefix: &str) -> Result<String, Refusal> {
    let attribute = format!("{prefix}{name}");
    match data.get(name) {
        Some(Value::String(id)) => check_name(&attribute, id).map(|()| id.clone()),
        other => Err(Refusal::new(attribute, kind(other), "a string of 1 to 256 bytes")),
    }
}

/// Finds the member that makes an object invalid, by trying each member alone.
fn at_fault<T: DeserializeOwned>(
    data: &Map<String, Value>,
    prefix: &str,
    known: &[(&str, &'static str)],
) -> Refusal {
    if let Some(stranger) = data.keys().find(|key| !known.iter().any(|(name, _)| name == key)) {
        return unknown(stranger, prefix, known);
    }
    for (name, wanted) in known {
        let Some(value) = data.get(*name) else { continue };
        let mut alone = Map::from_iter([((*name).to_owned(), value.clone())]);
        if known[0].0 == "id" {
            alone.entry("id").or_insert_with(|| "-".into());
        }
        if typed::<T>(Value::Object(alone)).is_none() {
            if let Some(refusal) = within(name, value, prefix) {
                return refusal;
            }
            let found = match value {
                Value::Array(_) => "a list of another shape",
                Value::Object(_) => "an object of another shape",
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => kind(Some(value)),
            };
            return Refusal::new(format!("{prefix}{name}"), found, wanted);
        }
    }
    Refusal::new(prefix.trim_end_matches('.').to_owned(), "members that do not fit together", "a recipient")
}

/// The exact fault within a member that has a parser of its own. The found value is left out, because those parsers
/// quote it.
fn within(name: &str, value: &Value, prefix: &str) -> Option<Refusal> {
    let (at, wanted) = match name {
        "preferences" => Preferences::read(value).err().map(|err| (err.place, err.wanted))?,
        "quiet" => Windows::try_from(value.clone()).err().map(|err| (err.at, err.wanted))?,
        "in_tenants" => {
            let mut tenants = value.as_object()?.iter();
            return tenants.find_map(|(tenant, settings)| {
                let members = settings.as_object()?;
                let prefix = format!("{prefix}{name}.{tenant}.");
                let is_good = typed::<Settings>(settings.clone()).is_some();
                (!is_good).then(|| at_fault::<Settings>(members, &prefix, &SETTINGS))
            });
        }
        _ => return None,
    };
    // `the set` and `at the top` stand for the whole member.
    let at = match at.as_str() {
        "the set" | "at the top" => String::new(),
        list if list.starts_with('[') => at,
        _ => format!(".{at}"),
    };
    Some(Refusal::new(format!("{prefix}{name}{at}"), "something else", wanted))
}

fn unknown(name: &str, prefix: &str, known: &[(&str, &str)]) -> Refusal {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let wanted = match nearest(name, names.iter().copied()) {
        Some(near) => format!("only {}; did you mean `{near}`?", names.join(", ")),
        None => format!("only {}", names.join(", ")),
    };
    Refusal::new(format!("{prefix}{name}"), "a member that is not known", wanted)
}

fn typed<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}
