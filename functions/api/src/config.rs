//! The environment, as values.

use domain::endpoint::target::Allow;
use domain::unsubscribe::Keys;
use runtime::{Env, Error};
use sns::Applications;

use crate::caller::Issuer;
use crate::limits::Limits;

/// What the API is told by its template.
pub struct Config {
    pub people_table: String,
    pub counters_table: String,
    pub connections_table: String,
    pub ledger_table: String,
    pub events_table: String,
    pub inbox_table: String,
    pub endpoints_table: String,
    pub bus: String,
    pub dispatch_queue_url: String,
    pub webhook_queue_url: String,
    /// The origins of endpoints that may be asked whatever their address is.
    pub allow: Allow,
    /// The origins of endpoints whose owners have nothing to prove, beside those of `allow`.
    pub vouched: Allow,
    /// How fast callers and tenants may ask.
    pub limits: Limits,
    /// What devices are registered with, by platform.
    pub applications: Applications,
    /// Where open sockets are posted to: the WebSocket API's stage, by https.
    pub socket_endpoint: String,
    /// Where WebSocket clients connect.
    pub socket_url: String,
    /// Whose tokens are accepted; nobody's, where there is none.
    pub issuer: Option<Issuer>,
    /// What the links in letters are made with.
    pub links: Keys,
}

impl Config {
    /// # Errors
    /// A variable is missing, or the keys of the links cannot be used.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        let issuer = match env.optional("TOKEN_ISSUER") {
            None => None,
            Some(name) => Some(Issuer {
                name,
                audience: env.required("TOKEN_AUDIENCE")?,
                user_claim: env.required("USER_CLAIM")?,
                tenant_claim: env.required("TENANT_CLAIM")?,
                roles_claim: env.required("ROLES_CLAIM")?,
            }),
        };
        Ok(Config {
            people_table: env.required("PEOPLE_TABLE")?,
            counters_table: env.required("COUNTERS_TABLE")?,
            connections_table: env.required("CONNECTIONS_TABLE")?,
            ledger_table: env.required("LEDGER_TABLE")?,
            events_table: env.required("EVENTS_TABLE")?,
            inbox_table: env.required("INBOX_TABLE")?,
            endpoints_table: env.required("ENDPOINTS_TABLE")?,
            bus: env.required("BUS_NAME")?,
            dispatch_queue_url: env.required("DISPATCH_QUEUE_URL")?,
            webhook_queue_url: env.required("WEBHOOK_QUEUE_URL")?,
            allow: runtime::allowed(env)?,
            vouched: runtime::vouched(env)?,
            limits: Limits::from_env(env)?,
            applications: Applications::read(|name| env.optional(name)),
            socket_endpoint: env.required("SOCKET_ENDPOINT")?,
            socket_url: env.required("SOCKET_URL")?,
            issuer,
            links: Keys::read(&env.required("UNSUBSCRIBE_KEYS")?, &env.required("UNSUBSCRIBE_KEY")?)?,
        })
    }
}
