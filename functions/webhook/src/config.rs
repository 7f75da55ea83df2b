//! The environment, as values.

use delivery::{DeskConfig, LaterConfig};
use domain::endpoint::target::Allow;
use runtime::{Env, Error};

/// What the function is told by its template.
pub struct Config {
    pub courier: CourierConfig,
    pub later: LaterConfig,
    pub desk: DeskConfig,
}

/// What is told of endpoints.
pub struct CourierConfig {
    pub endpoints_table: String,
    /// The KMS key that encrypts secrets of endpoints, by its ARN.
    pub secrets_key: String,
    pub bus: String,
    /// The origins that an operator vouches for.
    pub allow: Allow,
}

/// All of a batch at once: one that does not answer holds up none of the others.
const CONCURRENCY: usize = 10;

impl Config {
    /// # Errors
    /// [`runtime::Unset`] names the variable that is missing or unusable.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        Ok(Config {
            courier: CourierConfig {
                endpoints_table: env.required("ENDPOINTS_TABLE")?,
                secrets_key: env.required("SECRETS_KEY")?,
                bus: env.required("BUS_NAME")?,
                allow: runtime::allowed(env)?,
            },
            later: LaterConfig::from_env(env)?,
            desk: DeskConfig::from_env(env, "webhook", CONCURRENCY)?,
        })
    }
}
