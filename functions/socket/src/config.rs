//! The environment, as values.

use delivery::DeskConfig;
use runtime::{Env, Unset};

/// What the function is told by its template.
pub struct Config {
    pub connections_table: String,
    pub inbox_table: String,
    /// Where connections are posted to: the WebSocket API's stage, by https.
    pub endpoint: String,
    pub desk: DeskConfig,
}

/// Jobs under way at once. Each fans out over many posts of its own.
const CONCURRENCY: usize = 4;

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            connections_table: env.required("CONNECTIONS_TABLE")?,
            inbox_table: env.required("INBOX_TABLE")?,
            endpoint: env.required("SOCKET_ENDPOINT")?,
            desk: DeskConfig::from_env(env, "socket", CONCURRENCY)?,
        })
    }
}
