//! The settings of the function, from its environment.

use delivery::DeliveryWorkerConfig;
use runtime::{Env, Unset};

/// The settings that the template gives the function.
pub struct Config {
    pub connections_table: String,
    pub inbox_table: String,
    /// The HTTPS URL of the WebSocket API's stage, for posts to connections.
    pub endpoint: String,
    pub worker: DeliveryWorkerConfig,
}

/// The number of parallel jobs. Each makes many posts.
const CONCURRENCY: usize = 4;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Unset`] names the missing variable.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            connections_table: env.required("CONNECTIONS_TABLE")?,
            inbox_table: env.required("INBOX_TABLE")?,
            endpoint: env.required("SOCKET_ENDPOINT")?,
            worker: DeliveryWorkerConfig::from_env(env, "socket", CONCURRENCY)?,
        })
    }
}
