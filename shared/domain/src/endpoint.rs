//! Webhook endpoints: where a tenant wants to be told, of what, and whether it is told at the moment.
//!
//! [`target`] which URLs and addresses may be asked at all → [`secret`] what is signed with → [`attempt`] what an answer
//! means, and when the next attempt is → [`health`] when an endpoint counts as broken → [`by_hand`] what somebody asks for.
//! [`challenge`] how an owner proves control of an endpoint. [`format`] the form of its messages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::{Found, Refusal};
use crate::pattern::Pattern;
use crate::pattern::reading::WHOLE;
use crate::rule::When;

pub mod attempt;
pub mod by_hand;
pub mod challenge;
pub mod format;
pub mod headers;
pub mod health;
pub mod overlap;
pub mod recovery;
pub mod secret;
pub mod target;

use format::Format;
use target::{Allow, Target};

/// How many endpoints a tenant has at most. Endpoints of no tenant are the operator's own and have no limit.
pub const MAX_PER_TENANT: usize = 50;

/// What stands for no tenant in an endpoint's name.
pub const NO_TENANT: &str = "-";

/// The longest id, description and version, in bytes.
const MAX_ID_BYTES: usize = 64;
const MAX_DESCRIPTION_BYTES: usize = 500;
const MAX_VERSION_BYTES: usize = 32;

/// How an endpoint's members are written, for refusals.
const MEMBERS: [(&str, &str); 10] = [
    ("id", "1 to 64 letters, digits, `-`, `_` and `.`"),
    ("tenant", "a string of 1 to 256 bytes without `/`"),
    ("url", "a string such as https://example.com/hooks"),
    ("description", "a string of at most 500 bytes"),
    ("when", "an EventBridge pattern, such as {\"detail-type\":[{\"prefix\":\"booking.\"}]}"),
    ("version", "1 to 32 letters, digits, `-` and `.`, such as 2026-05"),
    ("format", "standard or cloudevents"),
    ("disabled", "why it is switched off, as `disable` writes it"),
    ("unverified", "since when its owner has to prove control, as `verify` writes it"),
    ("header_names", "the names of its own headers, as an answer shows them"),
];

/// Whose endpoint, and which: unique within its tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointId {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub id: String,
}

impl EndpointId {
    /// `<tenant>/<id>`, and `-/<id>` without a tenant.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.tenant.as_deref().unwrap_or(NO_TENANT), self.id)
    }

    /// Reads what [`EndpointId::name`] writes.
    #[must_use]
    pub fn parse(name: &str) -> Option<EndpointId> {
        let (tenant, id) = name.rsplit_once('/')?;
        let tenant = (tenant != NO_TENANT).then(|| tenant.to_owned());
        let it = EndpointId { tenant, id: id.to_owned() };
        (is_id(id) && it.tenant.as_deref().is_none_or(is_tenant)).then_some(it)
    }
}

/// A place that is told of events by HTTP. It holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    #[serde(flatten)]
    pub id: EndpointId,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The events it wants, of those that rules send to endpoints; all of them without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// The version of the events' data that it was written for; the current one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The form of its messages; [`Format::Standard`] where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Nothing is sent while this is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// The owner has not proved control of the URL: only pings and challenges are sent while this is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<Unverified>,
    /// The names of the headers that the tenant asks for ([`headers`]); the table holds their values elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header_names: Vec<String>,
}

/// Since when an endpoint waits for its owner's proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unverified {
    pub since: Timestamp,
}

/// Since when an endpoint is not told any more, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    pub why: DisabledBecause,
    pub at: Timestamp,
}

/// Why an endpoint is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledBecause {
    /// Somebody switched it off.
    Operator,
    /// It answered 410.
    Gone,
    /// It asked for it, by the header `webhook-delivery: disable`.
    Asked,
    /// Nothing but failures for five days.
    Failing,
}

impl DisabledBecause {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DisabledBecause::Operator => "operator",
            DisabledBecause::Gone => "gone",
            DisabledBecause::Asked => "asked",
            DisabledBecause::Failing => "failing",
        }
    }

    /// For people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            DisabledBecause::Operator => "somebody switched it off",
            DisabledBecause::Gone => "it answered 410 Gone",
            DisabledBecause::Asked => "it asked to be switched off",
            DisabledBecause::Failing => "it did nothing but fail for five days",
        }
    }
}

/// Endpoints that are known, by the name that outcomes have for them: `endpoint:<tenant>/<id>`.
pub type Endpoints = BTreeMap<String, Endpoint>;

/// Why an endpoint does not hear of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTold {
    Disabled(Disabled),
    /// The owner has not proved control of the URL.
    Unverified(Unverified),
    /// Its own pattern does not match.
    Pattern,
}

impl Endpoint {
    /// Reads an endpoint's JSON, and judges its URL by `allow`. `disabled`, `unverified` and `header_names` in it are left
    /// out: all three are set by other means.
    ///
    /// # Errors
    /// [`Refusal`] names the member at fault, what was found and what is wanted.
    pub fn read(text: &str, allow: &Allow) -> Result<Endpoint, Refusal> {
        let members: Map<String, Value> = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(Refusal::new("body", "JSON that is no object", "one JSON object")),
            Err(error) => return Err(Refusal::not_json(&error)),
        };
        if let Some(stranger) = members.keys().find(|key| !MEMBERS.iter().any(|(name, _)| name == key)) {
            let known: Vec<&str> = MEMBERS.iter().take(7).map(|(name, _)| *name).collect();
            return Err(Refusal::new(
                stranger.clone(),
                "a member of this name",
                format!("one of {}", known.join(", ")),
            ));
        }
        let text_of = |name: &'static str, fits: fn(&str) -> bool| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if fits(text) => Ok(Some(text.clone())),
            Some(other) => Err(Refusal::new(name, Found::value(other), wanted(name))),
        };
        let missing = |name: &'static str| Refusal::new(name, "nothing", wanted(name));
        let id = text_of("id", is_id)?.ok_or_else(|| missing("id"))?;
        let tenant = text_of("tenant", is_tenant)?;
        let url = text_of("url", |_| true)?.ok_or_else(|| missing("url"))?;
        Target::read(&url, allow).map_err(|error| Refusal::new("url", error.found(), error.wanted()))?;
        let when = members.get("when").filter(|member| !member.is_null()).map(|member| {
            Pattern::check_complexity(member)?;
            When::try_from(member.clone())
        });
        let when = when.transpose().map_err(|error| {
            let at = if error.at == WHOLE { "when".to_owned() } else { format!("when.{}", error.at) };
            Refusal::new(at, "something else", error.wanted)
        })?;
        Ok(Endpoint {
            id: EndpointId { tenant, id },
            url,
            description: text_of("description", |it| it.len() <= MAX_DESCRIPTION_BYTES)?,
            when,
            version: text_of("version", is_version)?,
            format: text_of("format", |it| Format::from_name(it).is_some())?
                .and_then(|text_of| Format::from_name(&text_of)),
            disabled: None,
            unverified: None,
            header_names: Vec::new(),
        })
    }

    /// Why this endpoint does not hear of an event, if it does not. `document` is [`crate::event::Event::document`].
    #[must_use]
    pub fn not_told(&self, document: &Value) -> Option<NotTold> {
        if let Some(disabled) = &self.disabled {
            return Some(NotTold::Disabled(disabled.clone()));
        }
        if let Some(unverified) = self.unverified {
            return Some(NotTold::Unverified(unverified));
        }
        let pattern: Option<&Pattern> = self.when.as_ref().map(When::pattern);
        (!pattern.is_none_or(|pattern| pattern.matches(document))).then_some(NotTold::Pattern)
    }
}

fn wanted(name: &str) -> &'static str {
    MEMBERS.iter().find(|(it, _)| *it == name).map_or("something else", |(_, it)| it)
}

/// Whether it can name an endpoint.
#[must_use]
pub fn is_id(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_tenant(tenant: &str) -> bool {
    (1..=256).contains(&tenant.len()) && tenant != NO_TENANT && !tenant.contains('/')
}

/// Whether it can name a version. Versions are compared as texts: write them as dates, `2026-05`.
#[must_use]
pub fn is_version(version: &str) -> bool {
    (1..=MAX_VERSION_BYTES).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests;
