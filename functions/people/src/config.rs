//! The environment, as values.

use runtime::{Env, Unset};

/// What the function is told by its template.
pub struct Config {
    pub people_table: String,
    pub inbox_table: String,
    pub connections_table: String,
    /// Where connections are closed: the WebSocket API's stage, by https.
    pub socket_endpoint: String,
    pub dead_letters_url: String,
}

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            people_table: env.required("PEOPLE_TABLE")?,
            inbox_table: env.required("INBOX_TABLE")?,
            connections_table: env.required("CONNECTIONS_TABLE")?,
            socket_endpoint: env.required("SOCKET_ENDPOINT")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
        })
    }
}
