//! The settings of the API, from its environment.

use std::path::Path;

use domain::event::producers::Producers;
use domain::recipient::unsubscribe::Keys;
use domain::webhook::endpoint::target::Allow;
use jiff::SignedDuration;
use runtime::{Env, Error};
use sns::Applications;

use crate::caller::Issuer;
use crate::limits::Limits;
use crate::token_rules::{DEFAULT_LIFETIME, RequiredClaim, TokenRules};
use crate::unsubscribe::Pages;

/// The settings that the template gives the API.
pub struct Config {
    pub people_table: String,
    pub counters_table: String,
    pub connections_table: String,
    pub ledger_table: String,
    pub events_table: String,
    pub inbox_table: String,
    pub endpoints_table: String,
    /// The ARN of the KMS key for secrets of endpoints.
    pub secrets_key: String,
    pub bus: String,
    /// The queue of access records.
    pub audit_queue_url: String,
    pub dispatch_queue_url: String,
    pub webhook_queue_url: String,
    /// The origins of endpoints that may be called at any address.
    pub allow: Allow,
    /// The origins of endpoints whose owners need not prove control, in addition to those of `allow`.
    pub vouched: Allow,
    /// The rate limits of callers and tenants.
    pub limits: Limits,
    /// The SNS platform applications by platform.
    pub applications: Applications,
    /// The HTTPS URL of the WebSocket API's stage, for posts to open sockets.
    pub socket_endpoint: String,
    /// The URL to which WebSocket clients connect.
    pub socket_url: String,
    /// The issuer of accepted tokens. `None` accepts no token.
    pub issuer: Option<Issuer>,
    /// The keys of unsubscribe links in messages.
    pub links: Keys,
    /// The rights of each source on the bus.
    pub producers: Producers,
    /// The installation's own unsubscribe pages.
    pub pages: Pages,
    /// Whether a tenant sees the addresses of people who also belong to other tenants.
    pub shows_shared_addresses: bool,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// A variable is missing or has an unknown value, or the link keys or the policy file are unusable.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        let issuer = match env.optional("TOKEN_ISSUER") {
            None => None,
            Some(name) => Some(Issuer {
                name,
                audience: env.required("TOKEN_AUDIENCE")?,
                user_claim: env.required("USER_CLAIM")?,
                tenant_claim: env.required("TENANT_CLAIM")?,
                roles_claim: env.required("ROLES_CLAIM")?,
                rules: token_rules(env)?,
            }),
        };
        let folder = env.optional("LAMBDA_TASK_ROOT").unwrap_or_else(|| ".".to_owned());
        Ok(Config {
            people_table: env.required("PEOPLE_TABLE")?,
            counters_table: env.required("COUNTERS_TABLE")?,
            connections_table: env.required("CONNECTIONS_TABLE")?,
            ledger_table: env.required("LEDGER_TABLE")?,
            events_table: env.required("EVENTS_TABLE")?,
            inbox_table: env.required("INBOX_TABLE")?,
            endpoints_table: env.required("ENDPOINTS_TABLE")?,
            secrets_key: env.required("SECRETS_KEY")?,
            bus: env.required("BUS_NAME")?,
            audit_queue_url: env.required("AUDIT_QUEUE_URL")?,
            dispatch_queue_url: env.required("DISPATCH_QUEUE_URL")?,
            webhook_queue_url: env.required("WEBHOOK_QUEUE_URL")?,
            allow: runtime::allowed(env)?,
            vouched: runtime::vouched(env)?,
            limits: Limits::from_env(env)?,
            applications: Applications::read(|name| env.optional(name)),
            socket_endpoint: env.required("SOCKET_ENDPOINT")?,
            socket_url: env.required("SOCKET_URL")?,
            issuer,
            pages: Pages::load(&Path::new(&folder).join("pages.json"))?,
            shows_shared_addresses: shows_shared_addresses(env.optional("SHARED_ADDRESSES").as_deref())?,
            links: Keys::read(&env.required("UNSUBSCRIBE_KEYS")?, &env.required("UNSUBSCRIBE_KEY")?)?,
            producers: runtime::producers(env)?,
        })
    }
}

/// Reads `TOKEN_LIFETIME_SECONDS` and `TOKEN_USE`.
fn token_rules(env: &Env) -> Result<TokenRules, Error> {
    let default = u32::try_from(DEFAULT_LIFETIME.as_secs()).unwrap_or(u32::MAX);
    let longest = SignedDuration::from_secs(env.number("TOKEN_LIFETIME_SECONDS", default)?.into());
    let required = env.optional("TOKEN_USE").map(|optional| optional.parse::<RequiredClaim>()).transpose()?;
    Ok(TokenRules { longest, required })
}

/// Reads the parameter `SharedAddresses`. The default is `false`.
fn shows_shared_addresses(value: Option<&str>) -> Result<bool, Error> {
    match value {
        None | Some("hidden") => Ok(false),
        Some("visible") => Ok(true),
        Some(other) => Err(format!("SHARED_ADDRESSES is {other:?}; wanted hidden or visible").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_shared_people_are_hidden_unless_the_parameter_says_visible() {
        let read = |value| shows_shared_addresses(value).ok();
        assert_eq!(
            [read(None), read(Some("hidden")), read(Some("visible"))],
            [Some(false), Some(false), Some(true)]
        );
        assert_eq!(read(Some("Visible")), None);
    }
}
