//! The settings of the function, from its environment.

use delivery::DeliveryWorkerConfig;
use runtime::{Env, Unset};

/// The settings that the template gives the function.
pub struct Config {
    /// The bus for device-unregistered events.
    pub bus: String,
    pub worker: DeliveryWorkerConfig,
}

/// The number of parallel sends, which covers a whole batch. SNS allows far more.
const CONCURRENCY: usize = 10;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Unset`] names the missing variable.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config {
            bus: env.required("BUS_NAME")?,
            worker: DeliveryWorkerConfig::from_env(env, "push", CONCURRENCY)?,
        })
    }
}
