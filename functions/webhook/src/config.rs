//! The environment, as values.

use delivery::{DeskConfig, LaterConfig};
use domain::endpoint::target::Allow;
use runtime::{Env, Error, Unset};

/// What the function is told by its template.
pub struct Config {
    pub courier: CourierConfig,
    pub later: LaterConfig,
    pub desk: DeskConfig,
}

/// What is told of endpoints.
pub struct CourierConfig {
    pub endpoints_table: String,
    pub bus: String,
    /// The origins that an operator vouches for.
    pub allow: Allow,
}

/// All of a batch at once: one that does not answer holds up none of the others.
const CONCURRENCY: usize = 10;

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing or unusable.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        let allow = env.optional("WEBHOOK_ALLOW").unwrap_or_default();
        let allow = Allow::parse(&allow).map_err(|found| Unset::Unusable {
            name: "WEBHOOK_ALLOW".to_owned(),
            found,
            wanted: "origins with commas between them, such as https://hooks.internal:8443",
        })?;
        Ok(Config {
            courier: CourierConfig {
                endpoints_table: env.required("ENDPOINTS_TABLE")?,
                bus: env.required("BUS_NAME")?,
                allow,
            },
            later: LaterConfig::from_env(env)?,
            desk: DeskConfig::from_env(env, "webhook", CONCURRENCY)?,
        })
    }
}
