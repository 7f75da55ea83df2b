//! The environment, as values.

use delivery::DeliveryWorkerConfig;
use runtime::{Env, Error};

use crate::Credentials;

/// The environment of a channel function that sends over HTTP.
pub struct Config {
    pub credentials: Credentials,
    /// The hosts that requests may go to.
    pub hosts: Vec<String>,
    /// The origin that takes the requests in place of their hosts. Set where the provider is emulated.
    pub endpoint: Option<String>,
    pub worker: DeliveryWorkerConfig,
}

/// Slack takes one message a second for each conversation, Teams four a second for each webhook.
const CONCURRENCY: usize = 5;

impl Config {
    /// # Errors
    /// A variable is missing, or the credentials are not readable.
    pub fn from_env(env: &Env, name: &'static str) -> Result<Config, Error> {
        let hosts = env.required("ALLOWED_HOSTS")?;
        let hosts = hosts.split(',').map(|host| host.trim().to_ascii_lowercase());
        Ok(Config {
            credentials: Credentials::read(&env.optional("CREDENTIALS").unwrap_or_default())?,
            hosts: hosts.filter(|host| !host.is_empty()).collect(),
            endpoint: env.optional("PROVIDER_ENDPOINT"),
            worker: DeliveryWorkerConfig::from_env(env, name, CONCURRENCY)?,
        })
    }
}
