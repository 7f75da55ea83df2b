//! The environment, as values.

use delivery::DeskConfig;
use runtime::{Env, Unset};

/// What the function is told by its template.
pub struct Config {
    /// The bus that hears of devices that are gone.
    pub bus: String,
    pub desk: DeskConfig,
}

/// SNS takes far more; ten under way at once empty a batch in one go.
const CONCURRENCY: usize = 10;

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        Ok(Config { bus: env.required("BUS_NAME")?, desk: DeskConfig::from_env(env, "push", CONCURRENCY)? })
    }
}
