//! The settings of the function, from its environment.

use domain::event::producers::Producers;
use runtime::{Env, Error};

/// The settings that the template gives the function.
pub struct Config {
    pub people_table: String,
    pub inbox_table: String,
    pub connections_table: String,
    /// The HTTPS URL of the WebSocket API's stage, for closing connections.
    pub socket_endpoint: String,
    pub dead_letters_url: String,
    /// The rights of each source.
    pub producers: Producers,
    pub bus: String,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// A variable is missing, or the policy file is unusable.
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
