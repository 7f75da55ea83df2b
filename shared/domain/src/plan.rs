//! The first half of a decision: which rules match an event, and whom they address. It names the people and the groups
//! that must be looked up before [`crate::decide`](mod@crate::decide) can go on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cancel::CancelKey;
use crate::catalog::Catalog;
use crate::channel::Channel;
use crate::digest::Collected;
use crate::endpoint::{EndpointId, Endpoints};
use crate::event::Event;
use crate::keyed_hash::{self, KeyedHashes};
use crate::path::Path;
use crate::recipient::Group;
use crate::rule::{ActorPolicy, EndpointsOf, Operand, Rule, Selector};
use crate::value_key::{former_value_key, value_key};
use crate::wake::Start;

/// The longest address as it is written, with a name and what else stands around it, in bytes.
const MAX_ADDRESS_BYTES: usize = 1_024;

/// An event, the rules that match it, and their audiences.
pub struct Plan<'a> {
    pub event: &'a Event,
    pub catalog: &'a Catalog,
    /// [`Event::document`], made once; null when no rule matches, for nobody asks then.
    pub document: Value,
    pub matches: Vec<Match<'a>>,
    /// The rules whose waiting messages this event takes back.
    pub cancels: Vec<(&'a Rule, CancelKey)>,
    /// The rules that this event would cancel if it named the thing, each with the first path that finds nothing.
    pub unnamed_cancels: Vec<(&'a Rule, &'a Path)>,
    /// The endpoints that its audiences name, as far as they are known.
    pub endpoints: Endpoints,
    /// What a closed digest holds.
    pub digest: Option<Collected>,
    /// Set when it is not the event itself that is decided about, but what an earlier decision left for later.
    pub woken: bool,
}

/// One rule that matches.
pub struct Match<'a> {
    pub rule: &'a Rule,
    /// Everybody the rule addresses by name, each once, in the order in which the rule names them; the members of
    /// `groups` are added when they are known.
    pub audience: Vec<Audience>,
    /// Those of whom only the group is known yet.
    pub groups: Vec<Group>,
    /// Where the rule's steps begin.
    pub start: Start,
}

/// Somebody or some people a rule addresses. `Debug` shows no address and no hash of one.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    User(String),
    /// Somebody who is told because of a role or a topic, not by name.
    Member(String),
    /// `<name>:<value>`
    Room(String),
    /// An address and nothing else.
    Address {
        channel: Channel,
        address: String,
    },
    /// A webhook endpoint.
    Endpoint(EndpointId),
}

impl std::fmt::Debug for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Audience::Address { channel, .. } => write!(f, "address:{}", channel.name()),
            Audience::User(id) | Audience::Member(id) => f.write_str(&user_name(id)),
            Audience::Room(room) => f.write_str(&room_name(room)),
            Audience::Endpoint(id) => f.write_str(&endpoint_name(id)),
        }
    }
}

impl Audience {
    /// The recipient's name in keys, ledger and logs. An address is written as a keyed hash.
    #[must_use]
    pub fn name(&self, hashes: &KeyedHashes) -> String {
        match self {
            Audience::User(id) | Audience::Member(id) => user_name(id),
            Audience::Room(room) => room_name(room),
            Audience::Address { channel, address } => {
                format!("address:{}:{}", channel.name(), hashes.address(*channel, address))
            }
            Audience::Endpoint(id) => endpoint_name(id),
        }
    }

    /// The name that the last release gave to an address. `None` for all others: their names have not changed.
    #[must_use]
    pub fn former_name(&self) -> Option<String> {
        match self {
            Audience::Address { channel, address } => Some(keyed_hash::former::recipient(*channel, address)),
            Audience::User(_) | Audience::Member(_) | Audience::Room(_) | Audience::Endpoint(_) => None,
        }
    }

    /// The id of the person whom a key, a ledger row or a log calls so, where it is one: the contrary of
    /// [`Audience::name`].
    #[must_use]
    pub fn person_called(name: &str) -> Option<&str> {
        match name.strip_prefix("user:") {
            Some(id) if is_like_a_thing(id) => Some(id),
            Some(_) | None => (!is_like_a_thing(name)).then_some(name),
        }
    }

    /// The id of the person, where it is one.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        match self {
            Audience::User(id) | Audience::Member(id) => Some(id),
            Audience::Room(_) | Audience::Address { .. } | Audience::Endpoint(_) => None,
        }
    }
}

/// The name of a person in keys, ledger and logs. A user whose id reads like a room or an address gets a prefix.
#[must_use]
pub fn user_name(id: &str) -> String {
    if is_like_a_thing(id) { format!("user:{id}") } else { id.to_owned() }
}

/// The name of an endpoint in keys, ledger and logs.
#[must_use]
pub fn endpoint_name(id: &EndpointId) -> String {
    format!("endpoint:{}", id.name())
}

fn room_name(room: &str) -> String {
    format!("room:{room}")
}

/// Whether a user's id reads like a room or an address, or like what is made of such an id.
fn is_like_a_thing(id: &str) -> bool {
    let id = id.trim_start_matches("user:");
    ["room:", "address:", "endpoint:"].iter().any(|it| id.starts_with(it))
}

impl<'a> Plan<'a> {
    #[must_use]
    pub fn of(event: &'a Event, catalog: &'a Catalog) -> Plan<'a> {
        let rules = catalog.matching(event);
        let cancelled = catalog.cancelled_by(event);
        let interests = !rules.is_empty() || !cancelled.is_empty();
        let document = if interests { event.document() } else { Value::Null };
        let matches = rules
            .into_iter()
            .map(|rule| Match {
                rule,
                audience: audience(rule, &document["detail"]),
                groups: groups(rule, event, catalog, &document["detail"]),
                start: Start::default(),
            })
            .collect();
        let (mut cancels, mut unnamed_cancels) = (Vec::new(), Vec::new());
        for rule in cancelled {
            match cancel_key(rule, event, &document["detail"], catalog.hashes()) {
                Some(key) => cancels.push((rule, key)),
                None => {
                    unnamed_cancels.extend(missing_part(rule, &document["detail"]).map(|path| (rule, path)));
                }
            }
        }
        Plan {
            event,
            catalog,
            document,
            matches,
            cancels,
            unnamed_cancels,
            endpoints: Endpoints::new(),
            digest: None,
            woken: false,
        }
    }

    /// What is left for later of one rule: for one recipient, or for a part of the audience.
    #[must_use]
    pub fn woken(
        event: &'a Event,
        catalog: &'a Catalog,
        matched: Option<Match<'a>>,
        digest: Option<Collected>,
    ) -> Plan<'a> {
        let document = event.document();
        Plan {
            event,
            catalog,
            document,
            matches: matched.into_iter().collect(),
            cancels: Vec::new(),
            unnamed_cancels: Vec::new(),
            endpoints: Endpoints::new(),
            digest,
            woken: true,
        }
    }

    /// The ids of everybody whose profile is needed.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&str> {
        self.matches.iter().flat_map(|it| &it.audience).filter_map(Audience::person).collect()
    }

    /// The endpoints that audiences name and that are not known yet.
    #[must_use]
    pub fn unknown_endpoints(&self) -> Vec<EndpointId> {
        let audiences = self.matches.iter().flat_map(|it| &it.audience);
        let named = audiences.filter_map(|audience| match audience {
            Audience::Endpoint(id) if !self.endpoints.contains_key(&endpoint_name(id)) => Some(id.clone()),
            Audience::Endpoint(_)
            | Audience::User(_)
            | Audience::Member(_)
            | Audience::Room(_)
            | Audience::Address { .. } => None,
        });
        named.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The event's envelope; null when no rule matches.
    #[must_use]
    pub fn envelope(&self) -> &Value {
        &self.document["detail"]
    }
}

impl Match<'_> {
    /// Adds members of a group; who is addressed already is not added again.
    pub fn add_members(&mut self, ids: impl IntoIterator<Item = String>) {
        let mut seen: BTreeSet<String> =
            self.audience.iter().filter_map(Audience::person).map(str::to_owned).collect();
        self.audience.extend(ids.into_iter().filter(|it| seen.insert(it.clone())).map(Audience::Member));
    }

    /// Adds what a page of a group holds: ids of people, or of a tenant's endpoints.
    pub fn add(&mut self, group: &Group, ids: impl IntoIterator<Item = String>) {
        match group {
            Group::Role { .. } | Group::Topic { .. } => self.add_members(ids),
            Group::Endpoints { .. } => {
                self.audience.extend(ids.into_iter().map(|id| member(group, id)));
            }
        }
    }
}

/// A member of a group, by the id that the group has for it.
#[must_use]
pub fn member(group: &Group, id: String) -> Audience {
    match group {
        Group::Role { .. } | Group::Topic { .. } => Audience::Member(id),
        Group::Endpoints { tenant } => Audience::Endpoint(EndpointId { tenant: tenant.clone(), id }),
    }
}

/// What this rule's messages about this event are cancelled by. `None` when the event has not all of its values.
#[must_use]
pub fn cancel_key(rule: &Rule, event: &Event, envelope: &Value, hashes: &KeyedHashes) -> Option<CancelKey> {
    let values = cancel_values(rule, envelope, value_key)?;
    Some(CancelKey::of(event.tenant.as_deref(), &rule.name, &values, hashes))
}

/// The key that the last release made of the same values, where it made one of them. Jobs and cancellations of that
/// release carry it.
#[must_use]
pub fn former_cancel_key(rule: &Rule, event: &Event, envelope: &Value) -> Option<CancelKey> {
    let values = cancel_values(rule, envelope, former_value_key)?;
    Some(CancelKey::former(event.tenant.as_deref(), &rule.name, &values))
}

fn cancel_values(
    rule: &Rule,
    envelope: &Value,
    key: impl Fn(&Path, &Value) -> Option<String>,
) -> Option<Vec<String>> {
    rule.cancel.as_ref()?.key.iter().map(|path| key(path, envelope)).collect()
}

/// The first path of a rule's cancel key that finds nothing in the event.
fn missing_part<'r>(rule: &'r Rule, envelope: &Value) -> Option<&'r Path> {
    rule.cancel.as_ref()?.key.iter().find(|path| value_key(path, envelope).is_none())
}

/// Those whom the rule names, each once.
#[must_use]
pub fn audience(rule: &Rule, envelope: &Value) -> Vec<Audience> {
    let mut found: Vec<Audience> = Vec::new();
    for selector in &rule.to {
        match selector {
            Selector::User(operand) => {
                found.extend(operand.names(envelope).into_iter().map(Audience::User));
            }
            Selector::Room { name, of } => {
                let rooms = of.names(envelope).into_iter();
                found.extend(rooms.map(|room| Audience::Room(format!("{name}:{room}"))));
            }
            Selector::Address { channel, of } => {
                let addresses = addresses(of, envelope).into_iter();
                found.extend(addresses.map(|address| Audience::Address { channel: *channel, address }));
            }
            Selector::Role { .. } | Selector::Topic { .. } | Selector::Endpoints(_) => {}
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|audience| seen.insert(identity(audience)));
    found
}

/// The addresses that an operand leads to, as they are written. A value of another kind than a text is written as JSON:
/// no message can be sent there, and the decision says so. Null and an empty text name nobody.
fn addresses(operand: &Operand, envelope: &Value) -> Vec<String> {
    let path = match operand {
        Operand::Literal(text) => return vec![text.clone()],
        Operand::Path(path) => path,
    };
    let as_text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    };
    // A run that waits keeps the address: what is far too long for one is not carried along.
    let bounded = |text: String| match text.len() {
        ..=MAX_ADDRESS_BYTES => text,
        bytes => format!("a text of {bytes} bytes"),
    };
    path.find(envelope).into_iter().filter_map(as_text).map(bounded).collect()
}

/// What makes two audiences of one event the same. It is compared here and never stored: it holds the address.
fn identity(audience: &Audience) -> String {
    match audience {
        Audience::User(id) | Audience::Member(id) => user_name(id),
        Audience::Room(room) => room_name(room),
        Audience::Address { channel, address } => {
            format!("address:{}:{}", channel.name(), keyed_hash::normal(*channel, address))
        }
        Audience::Endpoint(id) => endpoint_name(id),
    }
}

fn groups(rule: &Rule, event: &Event, catalog: &Catalog, envelope: &Value) -> Vec<Group> {
    let mut groups = Vec::new();
    for selector in &rule.to {
        match selector {
            Selector::Role { role, scope } => {
                let scopes = scope.names(envelope).into_iter();
                groups.extend(scopes.map(|scope| Group::Role { scope, role: role.clone() }));
            }
            Selector::Topic { name, of } => {
                for value in of.names(envelope) {
                    let topics = catalog.policy().topics_of(name, &value).into_iter();
                    let tenant = event.tenant.clone();
                    groups.extend(topics.map(|name| Group::Topic { tenant: tenant.clone(), name }));
                }
            }
            Selector::Endpoints(EndpointsOf::Tenant) => {
                groups.push(Group::Endpoints { tenant: event.tenant.clone() });
            }
            Selector::User(_) | Selector::Room { .. } | Selector::Address { .. } => {}
        }
    }
    let mut seen = Vec::new();
    groups.retain(|group| {
        !seen.contains(group) && {
            seen.push(group.clone());
            true
        }
    });
    groups
}

/// Whether this rule leaves the one who caused the event out of its audience.
#[must_use]
pub fn leaves_out(rule: &Rule, event: &Event, audience: &Audience) -> bool {
    let is_actor = event.actor.is_some() && event.actor.as_deref() == audience.person();
    is_actor
        && match (rule.actor, audience) {
            (Some(ActorPolicy::Include), _) => false,
            (Some(ActorPolicy::Exclude), _) | (None, Audience::Member(_)) => true,
            (
                None,
                Audience::User(_) | Audience::Room(_) | Audience::Address { .. } | Audience::Endpoint(_),
            ) => false,
        }
}

#[cfg(test)]
mod tests;
