//! The items of the people table and their contents.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::recipient::recipient_changes::Entry;
use domain::recipient::{Group, NO_TENANT, Recipient, Settings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::item::{Item, Malformed, key, sort_key};
use crate::seconds;

/// The members of a person that are plain text, and those that are lists of text. Each of the others is JSON text,
/// so that a member of another shape changes no attribute.
const PLAIN: [&str; 4] = ["id", "name", "locale", "zone"];
const LISTS: [&str; 2] = ["tenants", "topics"];
const NESTED: [&str; 8] =
    ["devices", "roles", "topics_in", "preferences", "quiet", "in_tenants", "suppressed", "unsubscribed"];

/// [`PLAIN`] and the addresses of all channels.
fn plain() -> impl Iterator<Item = &'static str> {
    PLAIN.into_iter().chain(Channel::with_addresses().map(|(_, address)| address.member))
}

/// The tenants that registered devices, by device id. Separate from `devices`, because the last release rejects new
/// members there.
const DEVICE_TENANTS: &str = "device_tenants";

/// The mark of a profile with address entries.
const ADDRESSES: &str = "has_addresses";

/// A profile as stored in the table.
#[derive(Clone, Default)]
pub(super) struct Filed {
    pub(super) entry: Entry,
    /// The number of writes. `None` for an item that was never written, or only before writes were counted.
    pub(super) version: Option<i64>,
    /// The groups that may still have a membership item although the person left them, while memberships are
    /// written in several transactions. `None`: all membership items are up to date.
    pub(super) open: Option<BTreeSet<String>>,
    /// Whether the person's addresses have their entries. Earlier releases wrote none.
    pub(super) has_addresses: bool,
}

impl Filed {
    /// The partitions that certainly hold a membership, and those that may hold one.
    pub(super) fn entered(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let own = partitions(&self.entry);
        let possible: BTreeSet<String> = own.union(&self.former()).cloned().collect();
        match &self.open {
            None => (own, possible),
            Some(open) => (BTreeSet::new(), possible.union(open).cloned().collect()),
        }
    }

    /// The partitions in which the last release entered a person without tenants: in that release such a person
    /// belonged to all tenants.
    fn former(&self) -> BTreeSet<String> {
        let Some(person) = self.entry.person.as_ref().filter(|person| person.tenants.is_empty()) else {
            return BTreeSet::new();
        };
        let topics = person.topics_in.iter();
        let topics =
            topics.flat_map(|(tenant, all)| all.iter().map(move |topic| Group::topic(Some(tenant), topic)));
        topics.map(|topic| partition(&topic)).collect()
    }
}

/// The partitions of a person's memberships.
pub(super) fn partitions(entry: &Entry) -> BTreeSet<String> {
    entry.groups().iter().map(partition).collect()
}

/// The partition of a group.
pub(super) fn partition(group: &Group) -> String {
    match group {
        Group::Role { scope, role } => key(&["role", scope, role]),
        Group::Topic { tenant, name } => key(&["topic", tenant.as_deref().unwrap_or(NO_TENANT), name]),
        // No person is in it, because endpoints have a table of their own.
        Group::Endpoints { tenant } => key(&["endpoints", tenant.as_deref().unwrap_or(NO_TENANT)]),
    }
}

/// A person's sort key in the partitions of their groups.
pub(super) fn member_key(id: &str) -> String {
    sort_key(&["user", id])
}

pub(super) fn membership_key(partition: &str, id: &str) -> Item {
    Item::default().text("pk", partition).text("sk", member_key(id))
}

pub(super) fn membership(partition: &str, id: &str) -> Item {
    membership_key(partition, id).text("id", id)
}

pub(super) fn profile(id: &str) -> Item {
    Item::default().text("pk", key(&["user", id])).text("sk", "profile")
}

pub(super) fn tenant(id: &str) -> Item {
    Item::default().text("pk", key(&["tenant", id])).text("sk", "profile")
}

/// The item of a profile. A profile without a person has no `id`. It records that the person was deleted, or the
/// memberships of a person who is not described yet.
pub(super) fn to_item(id: &str, filed: &Filed) -> Item {
    let mut item = profile(id).text("history", filed.entry.history());
    if let Some(version) = filed.version {
        item = item.number("version", version);
    }
    if let Some(open) = &filed.open {
        item = item.text("open", text_of(open));
    }
    if filed.has_addresses {
        item = item.number(ADDRESSES, 1);
    }
    if let Some(forget_at) = filed.entry.forget_at() {
        item = item.number("ttl", seconds(forget_at));
    }
    match &filed.entry.person {
        Some(person) => item.with(members(person)).maybe(DEVICE_TENANTS, device_tenants(person).as_deref()),
        None => item,
    }
}

/// The tenants of a person's devices, as JSON. `None` if no device has a tenant.
fn device_tenants(person: &Recipient) -> Option<String> {
    let devices = person.devices.iter();
    let tenants: Map<String, Value> =
        devices.filter_map(|device| Some((device.id.clone(), device.tenant.clone()?.into()))).collect();
    (!tenants.is_empty()).then(|| Value::Object(tenants).to_string())
}

fn members(person: &Recipient) -> Item {
    let mut item = Item::default();
    let mut person = person.clone();
    for device in &mut person.devices {
        device.tenant = None;
    }
    let Ok(Value::Object(members)) = serde_json::to_value(person) else { return item };
    for (name, value) in members {
        let plain = value.as_str().filter(|_| plain().any(|plain| plain == name));
        let list = value.as_array().filter(|_| LISTS.contains(&name.as_str()));
        item = if let Some(text) = plain {
            item.text(&name, text)
        } else if let Some(list) = list {
            item.texts(&name, list.iter().filter_map(|value| value.as_str().map(str::to_owned)))
        } else {
            item.text(&name, value.to_string())
        };
    }
    item
}

/// The person of a profile. `None` if it holds none.
///
/// # Errors
/// [`Malformed`] names an attribute that another release may have written.
pub(super) fn person(item: &Item) -> Result<Option<Recipient>, Malformed> {
    let mut members = Map::new();
    for name in plain() {
        if let Some(text) = item.get(name) {
            members.insert(name.to_owned(), text.into());
        }
    }
    if !members.contains_key("id") {
        return Ok(None);
    }
    for name in LISTS {
        members.insert(name.to_owned(), item.get_texts(name).into());
    }
    for name in NESTED {
        if let Some(text) = item.get(name) {
            members.insert(name.to_owned(), nested(name, text)?);
        }
    }
    let person = serde_json::from_value(Value::Object(members));
    let mut person: Recipient =
        person.map_err(|_| Malformed { attribute: "profile".to_owned(), wanted: "a person" })?;
    if let Some(text) = item.get(DEVICE_TENANTS) {
        let mut tenants: BTreeMap<String, String> = nested(DEVICE_TENANTS, text)?;
        for device in &mut person.devices {
            device.tenant = tenants.remove(&device.id);
        }
    }
    Ok(Some(person))
}

/// A whole profile.
///
/// # Errors
/// [`Malformed`] names an attribute that another release may have written.
pub(super) fn filed(item: &Item) -> Result<Filed, Malformed> {
    let person = person(item)?;
    let entry = match (item.get("history"), person) {
        (Some(text), person) => Entry::restore(person, text)
            .map_err(|_| Malformed { attribute: "history".to_owned(), wanted: "a history" })?,
        (None, Some(person)) => Entry::undated(person),
        (None, None) => Entry::default(),
    };
    let open = item.get("open").map(|text| nested("open", text)).transpose()?;
    let has_addresses = item.get_number(ADDRESSES) == Some(1);
    Ok(Filed { entry, version: item.get_number("version"), open, has_addresses })
}

/// A tenant's item. `at` and `by` are time and author of the settings.
pub(super) fn tenant_item(id: &str, settings: &Settings, at: Timestamp, by: &str) -> Item {
    let json = |value: &Value| value.to_string();
    tenant(id)
        .text("tenant", id)
        .maybe("zone", settings.zone.as_deref())
        .maybe("preferences", member(settings, "preferences").as_ref().map(json).as_deref())
        .maybe("quiet", member(settings, "quiet").as_ref().map(json).as_deref())
        .number("changed_at", nanoseconds(at))
        .text("changed_by", by)
}

/// Whole nanoseconds since 1970. An `i64` lasts until the year 2262.
pub(super) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

fn member(settings: &Settings, name: &str) -> Option<Value> {
    let mut members = serde_json::to_value(settings).ok()?;
    Some(members.get_mut(name)?.take())
}

/// The tenant of an item, and its settings.
///
/// # Errors
/// [`Malformed`] names an attribute that another release may have written.
pub(super) fn settings(item: &Item) -> Result<(String, Settings), Malformed> {
    let mut members = Map::new();
    if let Some(zone) = item.get("zone") {
        members.insert("zone".to_owned(), zone.into());
    }
    for name in ["preferences", "quiet"] {
        if let Some(text) = item.get(name) {
            members.insert(name.to_owned(), nested(name, text)?);
        }
    }
    let settings = serde_json::from_value(Value::Object(members))
        .map_err(|_| Malformed { attribute: "profile".to_owned(), wanted: "a tenant's settings" })?;
    Ok((item.read("tenant")?.to_owned(), settings))
}

fn text_of(value: &BTreeSet<String>) -> String {
    serde_json::to_string(value).expect("a list of text always serializes")
}

fn nested<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|_| Malformed { attribute: name.to_owned(), wanted: "JSON" })
}
