//! The environment, as values.

use runtime::{Env, Unset};

/// What the function is told by its template.
pub struct Config {
    pub connections_table: String,
    pub ledger_table: String,
    pub inbox_table: String,
    /// Where connections are posted to: the WebSocket API's stage, by https.
    pub endpoint: String,
}

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            connections_table: env.required("CONNECTIONS_TABLE")?,
            ledger_table: env.required("LEDGER_TABLE")?,
            inbox_table: env.required("INBOX_TABLE")?,
            endpoint: env.required("SOCKET_ENDPOINT")?,
        })
    }
}
