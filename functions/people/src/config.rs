//! The environment, as values.

use domain::producers::Producers;
use runtime::{Env, Error};

/// What the function is told by its template.
pub struct Config {
    pub people_table: String,
    pub inbox_table: String,
    pub connections_table: String,
    /// Where connections are closed: the WebSocket API's stage, by https.
    pub socket_endpoint: String,
    pub dead_letters_url: String,
    /// Which source may say what of whom.
    pub producers: Producers,
    pub bus: String,
}

impl Config {
    /// # Errors
    /// A variable is missing, or the policy that lies beside the program cannot be used.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        Ok(Config {
            people_table: env.required("PEOPLE_TABLE")?,
            inbox_table: env.required("INBOX_TABLE")?,
            connections_table: env.required("CONNECTIONS_TABLE")?,
            socket_endpoint: env.required("SOCKET_ENDPOINT")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
            producers: runtime::producers(env)?,
            bus: env.required("BUS_NAME")?,
        })
    }
}
