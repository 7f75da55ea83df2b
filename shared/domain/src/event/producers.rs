//! Producer identity: the tenants, event types and rights of each source on the bus.
//!
//! EventBridge's `Source` is the identity of a producer, because IAM can bind a principal to it (`events:source`).
//! The policy's `producers` give each source its rights. Carillon's own sources need no entry.
//!
//! Source: Amazon EventBridge User Guide, "Using IAM policy conditions in Amazon EventBridge".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::path::Path;
use crate::base::tenant::NO_TENANT;
use crate::event::own_events::{
    ADDRESS_CHANGED, API_SOURCE, CLI_SOURCE, DIGEST_SOURCE, OPTED_OUT, PEOPLE_SOURCE, PUSH_SOURCE,
    RELAY_SOURCE, REPLAY_SOURCE, SMS_SOURCE, UNREGISTERED, WEBHOOK_SOURCE,
};
use crate::event::{Event, Found, Refusal, RefusalClass};

mod admission;
mod aliases;
mod form;

pub use aliases::{Aliases, EVENT_NAME};
pub use carillon_event::reading::covers;

/// The source of events that the HTTP API publishes for a program without a tenant.
pub const PROGRAM_SOURCE: &str = "/api";

/// The event types that only Carillon's own sources may use, in addition to those with [`RESERVED_PREFIX`].
pub const RESERVED_TYPES: [&str; 3] =
    ["communication.sent", "preference.unsubscribed", "recipient.address_changed"];

/// The prefix of the types that only Carillon's own sources may use.
pub const RESERVED_PREFIX: &str = "carillon.";

/// The prefixes of types that update recipients, topics and tenants. Producers with the right `people` may use them.
pub const PEOPLE_PREFIXES: [&str; 3] = ["carillon.recipient.", "carillon.topic.", "carillon.tenant."];

/// The tenants that a source may speak for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tenants {
    /// Only events without a tenant.
    #[default]
    None,
    /// All tenants, and events without a tenant.
    All,
    /// The listed tenants. `-` stands for events without a tenant.
    Listed(BTreeSet<String>),
}

impl Tenants {
    /// Whether events of this tenant are covered. `None` stands for an event without a tenant.
    #[must_use]
    pub fn covers(&self, tenant: Option<&str>) -> bool {
        match self {
            Tenants::None => tenant.is_none(),
            Tenants::All => true,
            Tenants::Listed(names) => names.contains(tenant.unwrap_or(NO_TENANT)),
        }
    }

    /// Whether a recipient of these tenants may be changed, which requires that all of them are covered. A recipient
    /// without a tenant is reachable from every tenant, so only [`Tenants::All`] covers that recipient.
    #[must_use]
    pub fn cover_person_of(&self, tenants: &BTreeSet<String>) -> bool {
        match self {
            Tenants::All => true,
            Tenants::None => false,
            Tenants::Listed(names) => {
                !tenants.is_empty() && tenants.iter().all(|tenant| names.contains(tenant))
            }
        }
    }
}

/// The rights of one source, or of all sources with one prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// EventBridge's `Source`, or a prefix that ends in `*`.
    pub source: String,
    pub tenants: Tenants,
    /// The path to the tenant in the envelope or payload, for events whose envelope names no tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Path>,
    /// The allowed types, in full or as a prefix that ends in `*`. An empty list allows all ordinary types.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub types: BTreeSet<String>,
    /// Whether the source may update recipients, topics and tenants.
    #[serde(default, skip_serializing_if = "is_false")]
    pub people: bool,
    /// Whether the source may replay: its `replayid` and `renotify` take effect, and it may publish recorded events
    /// of other sources with them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub operator: bool,
    /// Whether the source's `priority: critical` takes effect.
    #[serde(default, skip_serializing_if = "is_false")]
    pub critical: bool,
    /// Whether outbox entries with this source may update recipients. Any writer of outbox entries can name any
    /// source.
    #[serde(default, skip_serializing_if = "is_false")]
    pub outbox: bool,
    /// Whether programs of the account may publish with this source through the HTTP API.
    #[serde(default, skip_serializing_if = "is_false")]
    pub api: bool,
    /// The service names that an older envelope from this source may have as its `source`.
    #[serde(default, rename = "speaks-as", skip_serializing_if = "BTreeSet::is_empty")]
    pub speaks_as: BTreeSet<String>,
    /// The `DetailType`s that name only an envelope. The older envelope inside may have another type.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub envelopes: BTreeSet<String>,
    /// Whether a token of this tenant's source may name any `actor`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub any_actor: bool,
}

impl Producer {
    /// Whether the source may use this ordinary type.
    #[must_use]
    pub fn may_use(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| covers(pattern, kind))
    }
}

/// The policy's `producers` and `aliases`: the rights of sources, and the event types behind event names.
///
/// Without the key `producers`, any source may publish for any tenant under any ordinary type, also with critical
/// priority. No source may then update recipients, replay events or use reserved types. With the key, a source
/// without an entry is refused.
///
/// The JSON form is the list of entries. With aliases it is an object, `{"entries": […], "aliases": {…}}`. The last
/// release reads the list only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Producers {
    entries: Option<Vec<Producer>>,
    aliases: Aliases,
}

/// The names of an event on the bus and inside its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// EventBridge's `Source`, which IAM guarantees.
    pub source: &'a str,
    /// EventBridge's `DetailType`.
    pub detail_type: &'a str,
    /// Whether the envelope has an older format, for which the policy may map names.
    pub is_older_envelope: bool,
}

impl Producers {
    #[must_use]
    pub fn new(entries: Vec<Producer>) -> Producers {
        Producers { entries: Some(entries), aliases: Aliases::default() }
    }

    /// The same rights with these aliases.
    #[must_use]
    pub fn with_aliases(self, aliases: Aliases) -> Producers {
        Producers { aliases, ..self }
    }

    /// The event types behind event names.
    #[must_use]
    pub fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    /// Whether the policy has neither `producers` nor `aliases`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_absent() && self.aliases.is_empty()
    }

    /// Whether the policy has no `producers`.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.entries.is_none()
    }

    /// The entry for a source: the exact one, otherwise the one with the longest prefix.
    #[must_use]
    pub fn entry(&self, source: &str) -> Option<&Producer> {
        let entries = self.entries.iter().flatten().filter(|entry| covers(&entry.source, source));
        entries.max_by_key(|entry| (entry.source == source, entry.source.len()))
    }

    /// Whether `replayid` and `renotify` from this `Source` take effect: for [`REPLAY_SOURCE`] and entries with
    /// `operator`.
    #[must_use]
    pub fn may_replay(&self, source: &str) -> bool {
        source == REPLAY_SOURCE || self.has(source, |entry| entry.operator)
    }

    /// Whether `priority: critical` from this `Source` takes effect. Sources of tokens need an entry with that right.
    #[must_use]
    pub fn may_be_critical(&self, source: &str) -> bool {
        let by_default = self.is_absent() && !is_api_source(source);
        by_default || is_own_program(source) || self.has(source, |entry| entry.critical)
    }

    /// Whether outbox entries with this source may update recipients.
    #[must_use]
    pub fn may_update_people_by_outbox(&self, source: &str) -> bool {
        self.has(source, |entry| entry.people && entry.outbox)
    }

    /// Whether programs of the account may publish with this source through the HTTP API. `/api` and tenants' sources
    /// need no such right.
    #[must_use]
    pub fn may_use_api(&self, source: &str) -> bool {
        self.has(source, |entry| entry.api)
    }

    /// Whether tokens of this `Source` may name any `actor`.
    #[must_use]
    pub fn may_name_any_actor(&self, source: &str) -> bool {
        self.has(source, |entry| entry.any_actor)
    }

    /// The full source names whose entries have a right. Template parameters need them, because they accept no
    /// patterns.
    #[must_use]
    pub fn sources_with(&self, right: impl Fn(&Producer) -> bool) -> Vec<&str> {
        let entries =
            self.entries.iter().flatten().filter(|entry| right(entry) && !entry.source.ends_with('*'));
        entries.map(|entry| entry.source.as_str()).collect()
    }

    fn has(&self, source: &str, right: impl Fn(&Producer) -> bool) -> bool {
        self.entry(source).is_some_and(right)
    }

    /// The tenants whose recipients, topics and settings an event of this `Source` may change. An event with a tenant
    /// may change only that tenant, unless one of Carillon's functions published it.
    #[must_use]
    pub fn reach(&self, source: &str, tenant: Option<&str>) -> Tenants {
        if [SMS_SOURCE, PUSH_SOURCE, REPLAY_SOURCE].contains(&source) {
            return Tenants::All;
        }
        let Some(entry) = self.entry(source).filter(|entry| entry.people) else { return Tenants::None };
        match tenant {
            Some(tenant) if entry.tenants.covers(Some(tenant)) => {
                Tenants::Listed(BTreeSet::from([tenant.to_owned()]))
            }
            Some(_) => Tenants::None,
            None => entry.tenants.clone(),
        }
    }
}

/// Whether only Carillon's own sources may use this type.
#[must_use]
pub fn is_reserved_type(kind: &str) -> bool {
    kind.starts_with(RESERVED_PREFIX) || RESERVED_TYPES.contains(&kind)
}

/// Whether the type updates recipients, topics or tenants, which requires the right `people`.
#[must_use]
pub fn is_people_type(kind: &str) -> bool {
    kind != OPTED_OUT && PEOPLE_PREFIXES.iter().any(|prefix| kind.starts_with(prefix))
}

/// Whether the source is one of Carillon's functions or the CLI. The last release used `carillon` alone.
#[must_use]
pub fn is_own_program(source: &str) -> bool {
    source == "carillon" || source.starts_with("carillon/")
}

/// Whether only the HTTP API publishes with this source: `/api`, `/api/…`, `/tenants/…`.
#[must_use]
pub fn is_api_source(source: &str) -> bool {
    source == PROGRAM_SOURCE || source.starts_with("/api/") || source.starts_with("/tenants/")
}

/// The types that one of Carillon's own sources publishes, as patterns. The template's roles enforce the same table.
/// A replay publishes recorded events of all types. The last release used `carillon` alone.
#[must_use]
pub fn own_types(source: &str) -> &'static [&'static str] {
    match source {
        "carillon" => &["carillon.delivery.*", "carillon.replay.*", "communication.sent"],
        API_SOURCE => &["carillon.api.*", "preference.unsubscribed", ADDRESS_CHANGED],
        CLI_SOURCE => &["carillon.replay.*", ADDRESS_CHANGED],
        PEOPLE_SOURCE => &[ADDRESS_CHANGED],
        PUSH_SOURCE => &[UNREGISTERED],
        RELAY_SOURCE => &["carillon.delivery.*", "communication.sent"],
        REPLAY_SOURCE => &["*"],
        SMS_SOURCE => &[OPTED_OUT],
        WEBHOOK_SOURCE => &["carillon.endpoint.*"],
        _ => &[],
    }
}

/// Whether the source is reserved, so that no other producer may use it.
#[must_use]
pub fn is_reserved_source(source: &str) -> bool {
    is_own_program(source) || is_api_source(source) || source == DIGEST_SOURCE
}

/// The source of events that a tenant publishes through the HTTP API: `/tenants/<tenant>`, percent-encoded.
///
/// Source: RFC 3986, section 2.3, unreserved characters.
#[must_use]
pub fn tenant_source(tenant: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut source = "/tenants/".to_owned();
    for byte in tenant.bytes() {
        match is_plain(byte) {
            true => source.push(char::from(byte)),
            false => source.push_str(&format!("%{byte:02X}")),
        }
    }
    source
}

/// Whether the source belongs to a tenant: `/tenants/<tenant>`, or a path below it.
#[must_use]
pub fn is_source_of_tenant(source: &str, tenant: &str) -> bool {
    let rest = source.strip_prefix(&tenant_source(tenant));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests;
