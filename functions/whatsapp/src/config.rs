//! The environment, as values.

use delivery::DeskConfig;
use runtime::{Env, Unset};

use crate::Origination;

/// What the function is told by its template.
pub struct Config {
    pub from: Origination,
    pub desk: DeskConfig,
}

/// A number may send 80 messages a second, a new one fewer: five under way at once stay below that.
const CONCURRENCY: usize = 5;

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            from: Origination {
                phone_number_id: env.optional("WHATSAPP_PHONE_NUMBER_ID"),
                meta_api_version: env.required("META_API_VERSION")?,
            },
            desk: DeskConfig::from_env(env, "whatsapp", CONCURRENCY)?,
        })
    }
}
