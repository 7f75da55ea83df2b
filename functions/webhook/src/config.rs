//! The settings of the function, from its environment.

use delivery::{DeliveryWorkerConfig, LaterConfig};
use domain::webhook::endpoint::target::Allow;
use runtime::{Env, Error};

/// The settings that the template gives the function.
pub struct Config {
    pub sender: WebhookSenderConfig,
    pub later: LaterConfig,
    pub worker: DeliveryWorkerConfig,
}

/// The settings of the sender.
pub struct WebhookSenderConfig {
    pub endpoints_table: String,
    /// The ARN of the KMS key for secrets of endpoints.
    pub secrets_key: String,
    pub bus: String,
    /// The origins that an operator allows.
    pub allow: Allow,
}

/// The number of parallel sends, which covers a whole batch. A slow endpoint delays no other.
const CONCURRENCY: usize = 10;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`runtime::Unset`] names the missing or unusable variable.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        Ok(Config {
            sender: WebhookSenderConfig {
                endpoints_table: env.required("ENDPOINTS_TABLE")?,
                secrets_key: env.required("SECRETS_KEY")?,
                bus: env.required("BUS_NAME")?,
                allow: runtime::allowed(env)?,
            },
            later: LaterConfig::from_env(env)?,
            worker: DeliveryWorkerConfig::from_env(env, "webhook", CONCURRENCY)?,
        })
    }
}
