//! The environment, as values.

use domain::endpoint::target::Allow;
use domain::unsubscribe::Keys;
use runtime::{Env, Error};
use sns::Applications;

use crate::caller::Issuer;

/// What the API is told by its template.
pub struct Config {
    pub people_table: String,
    pub counters_table: String,
    pub connections_table: String,
    pub ledger_table: String,
    pub events_table: String,
    pub inbox_table: String,
    pub endpoints_table: String,
    /// The KMS key that encrypts secrets of endpoints, by its ARN.
    pub secrets_key: String,
    pub bus: String,
    pub dispatch_queue_url: String,
    pub webhook_queue_url: String,
    /// The origins of endpoints that an operator vouches for.
    pub allow: Allow,
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
            secrets_key: env.required("SECRETS_KEY")?,
            bus: env.required("BUS_NAME")?,
            dispatch_queue_url: env.required("DISPATCH_QUEUE_URL")?,
            webhook_queue_url: env.required("WEBHOOK_QUEUE_URL")?,
            allow: runtime::allowed(env)?,
            applications: Applications::read(|name| env.optional(name)),
            socket_endpoint: env.required("SOCKET_ENDPOINT")?,
            socket_url: env.required("SOCKET_URL")?,
            issuer,
            links: Keys::read(&env.required("UNSUBSCRIBE_KEYS")?, &env.required("UNSUBSCRIBE_KEY")?)?,
        })
    }
}
