//! Webhook endpoints: the HTTP receivers of a tenant, their filters and their state.
//!
//! [`target`] checks URLs and addresses → [`secret`] signs requests → [`attempt`] classifies answers and schedules the
//! next attempt → [`health`] tracks failing endpoints → [`crate::delivery::manual`] builds jobs on request. [`challenge`] verifies
//! that the owner controls an endpoint. [`format`](mod@format) defines the message formats.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::base::tenant::NO_TENANT;
use crate::event::{Found, Refusal};
use crate::pattern::Pattern;
use crate::pattern::condition::When;
use crate::pattern::reading::WHOLE;

pub mod attempt;
pub mod challenge;
pub mod format;
pub mod headers;
pub mod health;
pub mod overlap;
pub mod secret;
pub mod target;

use format::Format;
use target::{Allow, Target};

/// The highest number of endpoints of one tenant. Endpoints without a tenant belong to the operator and have no limit.
pub const MAX_PER_TENANT: usize = 50;

/// The longest id, description and version, in bytes.
const MAX_ID_BYTES: usize = 64;
const MAX_DESCRIPTION_BYTES: usize = 500;
const MAX_VERSION_BYTES: usize = 32;

/// The members of an endpoint and their expected values, for refusals.
const MEMBERS: [(&str, &str); 10] = [
    ("id", "1 to 64 letters, digits, `-`, `_` and `.`"),
    ("tenant", "a string of 1 to 256 bytes without `/`"),
    ("url", "a string such as https://example.com/hooks"),
    ("description", "a string of at most 500 bytes"),
    ("when", "an EventBridge pattern, such as {\"detail-type\":[{\"prefix\":\"booking.\"}]}"),
    ("version", "1 to 32 letters, digits, `-` and `.`, such as 2026-05"),
    ("format", "standard or cloudevents"),
    ("disabled", "the reason for the disabling, as `disable` writes it"),
    ("unverified", "the start of the verification, as `verify` writes it"),
    ("header_names", "the names of its own headers, as an answer shows them"),
];

/// The identity of an endpoint. `id` is unique within its tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointId {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub id: String,
}

impl EndpointId {
    /// The name `<tenant>/<id>`, or `-/<id>` without a tenant.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.tenant.as_deref().unwrap_or(NO_TENANT), self.id)
    }

    /// Parses the output of [`EndpointId::name`].
    #[must_use]
    pub fn parse(name: &str) -> Option<EndpointId> {
        let (tenant, id) = name.rsplit_once('/')?;
        let tenant = (tenant != NO_TENANT).then(|| tenant.to_owned());
        let endpoint = EndpointId { tenant, id: id.to_owned() };
        (is_id(id) && endpoint.tenant.as_deref().is_none_or(is_tenant)).then_some(endpoint)
    }
}

/// An HTTP receiver of events. It holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    #[serde(flatten)]
    pub id: EndpointId,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The filter for events that rules send to endpoints. Without it the endpoint gets all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// The data version that the receiver expects; the current version without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The message format; [`Format::Standard`] without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// No messages are sent while this is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// The owner has not proved control of the URL. Only pings and challenges are sent while this is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<Unverified>,
    /// The names of the tenant's custom headers ([`headers`]). The values are stored in a separate attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header_names: Vec<String>,
}

/// The start of the verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unverified {
    pub since: Timestamp,
}

/// The time and reason of the disabling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    pub why: DisabledBecause,
    pub at: Timestamp,
}

/// The reason why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledBecause {
    /// A user or operator disabled the endpoint.
    Operator,
    /// The endpoint answered 410 Gone.
    Gone,
    /// The endpoint requested it with the header `webhook-delivery: disable`.
    Asked,
    /// All attempts failed for five days.
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

    /// The reason as a sentence for users.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            DisabledBecause::Operator => "a user or operator disabled it",
            DisabledBecause::Gone => "it answered 410 Gone",
            DisabledBecause::Asked => "it asked to be disabled",
            DisabledBecause::Failing => "all attempts failed for five days",
        }
    }
}

/// Known endpoints by their name in outcomes: `endpoint:<tenant>/<id>`.
pub type Endpoints = BTreeMap<String, Endpoint>;

/// The reason why an endpoint does not receive an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    Disabled(Disabled),
    /// The owner has not proved control of the URL.
    Unverified(Unverified),
    /// The filter of the endpoint does not match.
    Pattern,
}

impl Endpoint {
    /// An endpoint with its id and URL alone. It accepts every event.
    #[must_use]
    pub fn new(id: EndpointId, url: String) -> Endpoint {
        Endpoint {
            id,
            url,
            description: None,
            when: None,
            version: None,
            format: None,
            disabled: None,
            unverified: None,
            header_names: Vec::new(),
        }
    }

    /// Reads an endpoint from JSON and checks its URL against `allow`. `disabled`, `unverified` and `header_names` are
    /// ignored, because they are set by other operations.
    ///
    /// # Errors
    /// [`Refusal`] with the member, the found value and the expected value.
    pub fn read(text: &str, allow: &Allow) -> Result<Endpoint, Refusal> {
        let members: Map<String, Value> = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(Refusal::new("body", "JSON that is not an object", "one JSON object")),
            Err(error) => return Err(Refusal::not_json(&error)),
        };
        if let Some(unknown) = members.keys().find(|key| !MEMBERS.iter().any(|(name, _)| name == key)) {
            let known: Vec<&str> = MEMBERS.iter().take(7).map(|(name, _)| *name).collect();
            return Err(Refusal::new(
                unknown.clone(),
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
            let place = if error.at == WHOLE { "when".to_owned() } else { format!("when.{}", error.at) };
            Refusal::new(place, "a value that is not such a pattern", error.wanted)
        })?;
        Ok(Endpoint {
            description: text_of("description", |text| text.len() <= MAX_DESCRIPTION_BYTES)?,
            when,
            version: text_of("version", is_version)?,
            format: text_of("format", |name| Format::from_name(name).is_some())?
                .and_then(|name| Format::from_name(&name)),
            ..Endpoint::new(EndpointId { tenant, id }, url)
        })
    }

    /// The reason why this endpoint does not receive an event, or `None`. `document` is
    /// [`crate::event::Event::document`].
    #[must_use]
    pub fn skip_reason(&self, document: &Value) -> Option<SkipReason> {
        if let Some(disabled) = &self.disabled {
            return Some(SkipReason::Disabled(disabled.clone()));
        }
        if let Some(unverified) = self.unverified {
            return Some(SkipReason::Unverified(unverified));
        }
        let pattern: Option<&Pattern> = self.when.as_ref().map(When::pattern);
        (!pattern.is_none_or(|pattern| pattern.matches(document))).then_some(SkipReason::Pattern)
    }
}

fn wanted(name: &str) -> &'static str {
    MEMBERS.iter().find(|(member, _)| *member == name).map_or("another value", |(_, wanted)| wanted)
}

/// Whether the text is a valid endpoint id.
#[must_use]
pub fn is_id(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_tenant(tenant: &str) -> bool {
    (1..=256).contains(&tenant.len()) && tenant != NO_TENANT && !tenant.contains('/')
}

/// Whether the text is a valid version. Versions are compared as texts, so use dates such as `2026-05`.
#[must_use]
pub fn is_version(version: &str) -> bool {
    (1..=MAX_VERSION_BYTES).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

/// The name of an endpoint in keys, ledger and logs.
#[must_use]
pub fn endpoint_name(id: &EndpointId) -> String {
    format!("endpoint:{}", id.name())
}

#[cfg(test)]
mod tests;
