//! The first half of a decision: the rules that match an event, and their audiences. A plan names the recipients and
//! groups that must be looked up before [`crate::decide`](mod@crate::decide) can continue.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::channel::Channel;
use crate::base::path::Path;
use crate::base::sensitive::{self, Sensitive};
use crate::base::value_key::{former_value_key, value_key};
use crate::catalog::Catalog;
use crate::catalog::rule::{ActorPolicy, EndpointsOf, Operand, Rule, Selector};
use crate::decide::continuation::Start;
use crate::event::Event;
use crate::limits::cancel::CancelKey;
use crate::limits::digest::Collected;
use crate::recipient::Group;
use crate::recipient::keyed_hash::{self, KeyedHashes};
pub use crate::webhook::endpoint::endpoint_name;
use crate::webhook::endpoint::{EndpointId, Endpoints};

/// Maximum length of a written address in bytes, including a display name and punctuation.
const MAX_ADDRESS_BYTES: usize = 1_024;

/// An event with its matching rules and their audiences.
pub struct Plan<'a> {
    pub event: &'a Event,
    pub catalog: &'a Catalog,
    /// [`Event::document`], computed once. Null if no rule matches, because the document is not needed then.
    pub document: Value,
    pub matches: Vec<Match<'a>>,
    /// The rules whose pending messages this event cancels.
    pub cancels: Vec<(&'a Rule, CancelKey)>,
    /// The rules that this event would cancel if it had a complete cancel key. The path is the first one without a
    /// value.
    pub unnamed_cancels: Vec<(&'a Rule, &'a Path)>,
    /// The endpoints of the audiences, as far as they have been looked up.
    pub endpoints: Endpoints,
    /// The collected events of a closed digest window.
    pub digest: Option<Collected>,
    /// Whether the decision continues an earlier one, instead of deciding about the event itself.
    pub resumed: bool,
}

/// One matching rule.
pub struct Match<'a> {
    pub rule: &'a Rule,
    /// All recipients that the rule names, without duplicates, in the rule's order. Members of `groups` are added
    /// after their look-up.
    pub audience: Vec<Audience>,
    /// The groups that have not been expanded yet.
    pub groups: Vec<Group>,
    /// The step at which the rule starts.
    pub start: Start,
}

/// A recipient of a rule. `Debug` shows neither addresses nor their hashes.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    User(String),
    /// A user who is addressed through a role or a topic, and not by id.
    Member(String),
    /// `<name>:<value>`
    Room(String),
    /// A bare address without a user.
    Address {
        channel: Channel,
        #[serde(serialize_with = "sensitive::stored")]
        address: Sensitive<String>,
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
    /// The recipient's name in keys, ledger and logs. An address is replaced by its keyed hash.
    #[must_use]
    pub fn name(&self, hashes: &KeyedHashes) -> String {
        match self {
            Audience::User(id) | Audience::Member(id) => user_name(id),
            Audience::Room(room) => room_name(room),
            Audience::Address { channel, address } => {
                format!("address:{}:{}", channel.name(), hashes.address(*channel, address.expose()))
            }
            Audience::Endpoint(id) => endpoint_name(id),
        }
    }

    /// The name of an address in the last release. `None` for all other recipients, whose names have not changed.
    #[must_use]
    pub fn former_name(&self) -> Option<String> {
        match self {
            Audience::Address { channel, address } => {
                Some(keyed_hash::former::recipient(*channel, address.expose()))
            }
            Audience::User(_) | Audience::Member(_) | Audience::Room(_) | Audience::Endpoint(_) => None,
        }
    }

    /// The user id in a recipient's name, if the recipient is a user. The inverse of [`Audience::name`].
    #[must_use]
    pub fn user_id_in_name(name: &str) -> Option<&str> {
        match name.strip_prefix("user:") {
            Some(id) if has_reserved_prefix(id) => Some(id),
            Some(_) | None => (!has_reserved_prefix(name)).then_some(name),
        }
    }

    /// The user's id, if the recipient is a user.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        match self {
            Audience::User(id) | Audience::Member(id) => Some(id),
            Audience::Room(_) | Audience::Address { .. } | Audience::Endpoint(_) => None,
        }
    }
}

/// The name of a user in keys, ledger and logs. An id that looks like a room or an address gets a prefix.
#[must_use]
pub fn user_name(id: &str) -> String {
    if has_reserved_prefix(id) { format!("user:{id}") } else { id.to_owned() }
}

fn room_name(room: &str) -> String {
    format!("room:{room}")
}

/// Whether a user's id looks like the name of a room or an address, with or without the prefix for such ids.
fn has_reserved_prefix(id: &str) -> bool {
    let id = id.trim_start_matches("user:");
    ["room:", "address:", "endpoint:"].iter().any(|prefix| id.starts_with(prefix))
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
                    unnamed_cancels
                        .extend(first_missing_value(rule, &document["detail"]).map(|path| (rule, path)));
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
            resumed: false,
        }
    }

    /// The plan of a continuation: one rule, for one recipient or for a part of the audience.
    #[must_use]
    pub fn resumed(
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
            resumed: true,
        }
    }

    /// The ids of all users whose profiles are needed.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&str> {
        self.matches.iter().flat_map(|matched| &matched.audience).filter_map(Audience::person).collect()
    }

    /// The endpoints of the audiences that have not been looked up yet.
    #[must_use]
    pub fn unknown_endpoints(&self) -> Vec<EndpointId> {
        let audiences = self.matches.iter().flat_map(|matched| &matched.audience);
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

    /// The event's envelope. Null if no rule matches.
    #[must_use]
    pub fn envelope(&self) -> &Value {
        &self.document["detail"]
    }
}

impl Match<'_> {
    /// Adds members of a group, except those who are already in the audience.
    pub fn add_members(&mut self, ids: impl IntoIterator<Item = String>) {
        let mut seen: BTreeSet<String> =
            self.audience.iter().filter_map(Audience::person).map(str::to_owned).collect();
        self.audience.extend(ids.into_iter().filter(|id| seen.insert(id.clone())).map(Audience::Member));
    }

    /// Adds one page of a group's members: user ids, or ids of a tenant's endpoints.
    pub fn add(&mut self, group: &Group, ids: impl IntoIterator<Item = String>) {
        match group {
            Group::Role { .. } | Group::Topic { .. } => self.add_members(ids),
            Group::Endpoints { .. } => {
                self.audience.extend(ids.into_iter().map(|id| member(group, id)));
            }
        }
    }
}

/// The recipient for a member of a group, from the id that the group stores.
#[must_use]
pub fn member(group: &Group, id: String) -> Audience {
    match group {
        Group::Role { .. } | Group::Topic { .. } => Audience::Member(id),
        Group::Endpoints { tenant } => Audience::Endpoint(EndpointId { tenant: tenant.clone(), id }),
    }
}

/// The cancel key of this rule's messages about this event. `None` if the event lacks one of its values.
#[must_use]
pub fn cancel_key(rule: &Rule, event: &Event, envelope: &Value, hashes: &KeyedHashes) -> Option<CancelKey> {
    let values = cancel_values(rule, envelope, value_key)?;
    Some(CancelKey::of(event.tenant.as_deref(), &rule.name, &values, hashes))
}

/// The cancel key that the last release computed from the same values, if it computed one. Jobs and cancellations of
/// that release carry it.
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

/// The first path of a rule's cancel key that has no value in the event.
fn first_missing_value<'r>(rule: &'r Rule, envelope: &Value) -> Option<&'r Path> {
    rule.cancel.as_ref()?.key.iter().find(|path| value_key(path, envelope).is_none())
}

/// The recipients that the rule names, without duplicates.
#[must_use]
pub fn audience(rule: &Rule, envelope: &Value) -> Vec<Audience> {
    let mut audience: Vec<Audience> = Vec::new();
    for selector in &rule.to {
        match selector {
            Selector::User(operand) => {
                audience.extend(operand.names(envelope).into_iter().map(Audience::User));
            }
            Selector::Room { name, of } => {
                let rooms = of.names(envelope).into_iter();
                audience.extend(rooms.map(|room| Audience::Room(format!("{name}:{room}"))));
            }
            Selector::Address { channel, of } => {
                let addresses = addresses(of, envelope).into_iter();
                audience.extend(addresses.map(|address| Audience::Address { channel: *channel, address }));
            }
            Selector::Role { .. } | Selector::Topic { .. } | Selector::Endpoints(_) => {}
        }
    }
    let mut seen = BTreeSet::new();
    audience.retain(|recipient| seen.insert(identity(recipient)));
    audience
}

/// The addresses of an operand, as written. A value of another type than text is written as JSON. No message can be
/// sent to it, and the decision reports that. Null and an empty text yield no recipient.
fn addresses(operand: &Operand, envelope: &Value) -> Vec<Sensitive<String>> {
    let path = match operand {
        Operand::Literal(text) => return vec![text.clone().into()],
        Operand::Path(path) => path,
    };
    let as_text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    };
    // A continuation stores the address, so text that is far too long for an address is replaced.
    let bounded = |text: String| match text.len() {
        ..=MAX_ADDRESS_BYTES => text,
        bytes => format!("a text of {bytes} bytes"),
    };
    path.find(envelope).into_iter().filter_map(as_text).map(bounded).map(Sensitive::new).collect()
}

/// The identity of a recipient within one event. It contains the address, so it is only compared and never stored.
fn identity(audience: &Audience) -> String {
    match audience {
        Audience::User(id) | Audience::Member(id) => user_name(id),
        Audience::Room(room) => room_name(room),
        Audience::Address { channel, address } => {
            format!("address:{}:{}", channel.name(), keyed_hash::normal(*channel, address.expose()))
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

/// Whether this rule excludes the event's actor from its audience.
#[must_use]
pub fn excludes_actor(rule: &Rule, event: &Event, audience: &Audience) -> bool {
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
