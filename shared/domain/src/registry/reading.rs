//! From JSON to people and tenants, with reasons that quote nothing of what was sent.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::limits::{self, kind};
use super::{MAX_USERS, spelling, zones};
use crate::channel::Channel;
use crate::event::{Event, Found, MAX_EVENT_BYTES, Refusal, check_name, kind_of};
use crate::preference::Preferences;
use crate::recipient::{ALL_TENANTS, Recipient, Settings};
use crate::suggestions::nearest;
use crate::window::Windows;

/// What each member of a recipient's JSON must be, in words for a refusal.
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

/// [`MEMBERS`] with the addresses of all channels behind the name.
fn members() -> Vec<(&'static str, &'static str)> {
    let mut members = MEMBERS.to_vec();
    let addresses = Channel::with_addresses().map(|(_, address)| (address.member, address.wanted));
    members.splice(2..2, addresses);
    members
}

/// The same for a tenant's.
const SETTINGS: [(&str, &str); 3] =
    [("zone", zones::WANTED), ("preferences", "preferences"), ("quiet", "quiet hours")];

/// Reads a person's JSON.
///
/// # Errors
/// [`Refusal`] names the member at fault.
pub fn person(text: &str) -> Result<Recipient, Refusal> {
    if text.len() > MAX_EVENT_BYTES {
        let wanted = format!("at most {MAX_EVENT_BYTES} bytes for one person");
        return Err(Refusal::new("body", Found::count(text.len(), "bytes"), wanted));
    }
    of_object(&parse(text)?, "")
}

/// Reads a tenant's JSON: `{"tenant": "<id>", "zone": …, "preferences": …, "quiet": …}`.
///
/// # Errors
/// [`Refusal`] names the member at fault.
pub fn tenant(text: &str) -> Result<(String, Settings), Refusal> {
    tenant_of_object(parse(text)?, "tenant", "")
}

/// Reads settings of a tenant, or of a person within one. Names of channels are not judged: a part of what is read may
/// be stored already.
///
/// # Errors
/// [`Refusal`] names the member at fault.
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

/// `place` stands before the member's name in a refusal.
pub(super) fn of_object(data: &Map<String, Value>, place: &str) -> Result<Recipient, Refusal> {
    id_of(data, "id", place)?;
    let mut normal = data.clone();
    spelling::normalize_addresses(&mut normal);
    let person: Recipient =
        typed(Value::Object(normal)).ok_or_else(|| at_fault::<Recipient>(data, place, &members()))?;
    check(&person, place)?;
    zones::check(data, place)?;
    spelling::check(data, place)?;
    limits::check(data, place)?;
    Ok(person)
}

/// `name` is the member that names the tenant.
pub(super) fn tenant_of_object(
    mut data: Map<String, Value>,
    name: &str,
    place: &str,
) -> Result<(String, Settings), Refusal> {
    let id = id_of(&data, name, place)?;
    data.remove(name);
    let settings = settings_of_object(&data, place)?;
    spelling::check(&data, place)?;
    Ok((id, settings))
}

fn settings_of_object(data: &Map<String, Value>, place: &str) -> Result<Settings, Refusal> {
    if let Some(stranger) = data.keys().find(|key| !SETTINGS.iter().any(|(name, _)| name == key)) {
        return Err(unknown(stranger, place, &SETTINGS));
    }
    let settings =
        typed(Value::Object(data.clone())).ok_or_else(|| at_fault::<Settings>(data, place, &SETTINGS))?;
    zones::check(data, place)?;
    limits::check_settings(data, place)?;
    Ok(settings)
}

/// A merge patch and whose it is. Shapes can be judged only together with what the patch changes; zones, addresses,
/// lengths and counts are judged here.
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

/// Whose device is gone, and which.
pub(super) fn unregistered(data: &Map<String, Value>) -> Result<(String, String), Refusal> {
    Ok((id_of(data, "recipient", "data.")?, id_of(data, "device", "data.")?))
}

/// Who said stop.
pub(super) fn opted_out(data: &Map<String, Value>) -> Result<String, Refusal> {
    id_of(data, "recipient", "data.")
}

/// The topic, and who joins or leaves it: each once, in the order of their ids.
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

/// What the types do not say.
///
/// # Errors
/// [`Refusal`] names the member; `place` stands before its name.
pub(super) fn check(person: &Recipient, place: &str) -> Result<(), Refusal> {
    let name = |it: &str| format!("{place}{it}");
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

/// The members of a recipient that does not hold together.
pub(super) fn misfit(data: &Map<String, Value>) -> Refusal {
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

fn id_of(data: &Map<String, Value>, name: &str, place: &str) -> Result<String, Refusal> {
    let attribute = format!("{place}{name}");
    match data.get(name) {
        Some(Value::String(id)) => check_name(&attribute, id).map(|()| id.clone()),
        other => Err(Refusal::new(attribute, kind(other), "a string of 1 to 256 bytes")),
    }
}

/// Which member keeps an object from being what it should be. Each is tried alone.
fn at_fault<T: DeserializeOwned>(
    data: &Map<String, Value>,
    place: &str,
    known: &[(&str, &'static str)],
) -> Refusal {
    if let Some(stranger) = data.keys().find(|key| !known.iter().any(|(name, _)| name == key)) {
        return unknown(stranger, place, known);
    }
    for (name, wanted) in known {
        let Some(value) = data.get(*name) else { continue };
        let mut alone = Map::from_iter([((*name).to_owned(), value.clone())]);
        if known[0].0 == "id" {
            alone.entry("id").or_insert_with(|| "-".into());
        }
        if typed::<T>(Value::Object(alone)).is_none() {
            if let Some(refusal) = within(name, value, place) {
                return refusal;
            }
            let found = match value {
                Value::Array(_) => "a list of another shape",
                Value::Object(_) => "an object of another shape",
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => kind(Some(value)),
            };
            return Refusal::new(format!("{place}{name}"), found, wanted);
        }
    }
    Refusal::new(place.trim_end_matches('.').to_owned(), "members that do not go together", "a recipient")
}

/// What exactly is wrong within a member that can tell. Of what was found there it says nothing: the words for that quote.
fn within(name: &str, value: &Value, place: &str) -> Option<Refusal> {
    let (at, wanted) = match name {
        "preferences" => Preferences::read(value).err().map(|err| (err.place, err.wanted))?,
        "quiet" => Windows::try_from(value.clone()).err().map(|err| (err.at, err.wanted))?,
        "in_tenants" => {
            let mut tenants = value.as_object()?.iter();
            return tenants.find_map(|(tenant, settings)| {
                let members = settings.as_object()?;
                let place = format!("{place}{name}.{tenant}.");
                let is_good = typed::<Settings>(settings.clone()).is_some();
                (!is_good).then(|| at_fault::<Settings>(members, &place, &SETTINGS))
            });
        }
        _ => return None,
    };
    // `the set` and `at the top` are the member as a whole.
    let at = match at.as_str() {
        "the set" | "at the top" => String::new(),
        list if list.starts_with('[') => at,
        _ => format!(".{at}"),
    };
    Some(Refusal::new(format!("{place}{name}{at}"), "something else", wanted))
}

fn unknown(name: &str, place: &str, known: &[(&str, &str)]) -> Refusal {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let wanted = match nearest(name, names.iter().copied()) {
        Some(near) => format!("only {}; did you mean `{near}`?", names.join(", ")),
        None => format!("only {}", names.join(", ")),
    };
    Refusal::new(format!("{place}{name}"), "a member that is not known", wanted)
}

fn typed<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}
