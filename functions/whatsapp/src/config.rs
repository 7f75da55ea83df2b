//! The settings of the function, from its environment.

use delivery::DeliveryWorkerConfig;
use runtime::{Env, Unset};

use crate::Origination;

/// The settings that the template gives the function.
pub struct Config {
    pub from: Origination,
    pub worker: DeliveryWorkerConfig,
}

/// The number of parallel sends. A number may send 80 messages a second, a new one fewer, and five
/// parallel sends stay below that.
const CONCURRENCY: usize = 5;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Unset`] names the missing variable.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            from: Origination {
                phone_number_id: env.optional("WHATSAPP_PHONE_NUMBER_ID"),
                meta_api_version: env.required("META_API_VERSION")?,
            },
            worker: DeliveryWorkerConfig::from_env(env, "whatsapp", CONCURRENCY)?,
        })
    }
}
