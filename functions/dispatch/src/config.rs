//! The environment, as values.

use std::path::Path;

use domain::catalog::{Catalog, CatalogFile};
use domain::channel::Channel;
use domain::keyed_hash::KeyedHashes;
use domain::stack_secret::StackSecret;
use runtime::{Env, Error};

use crate::way_out::WaysOut;

/// What dispatch is told by its template.
pub struct Config {
    pub catalog: Catalog,
    pub people_table: String,
    pub endpoints_table: String,
    pub ledger_table: String,
    pub counters_table: String,
    pub dead_letters_url: String,
    pub lanes: Lanes,
    pub ways_out: WaysOut,
    pub schedule: schedule::Config,
    pub targets: Targets,
    /// The queue of every channel, and its queue for what is critical.
    pub channels: Vec<(Channel, String, String)>,
    /// The function's name, which metrics are written under.
    pub function: String,
}

/// The URLs of dispatch's own queues.
pub struct Lanes {
    pub critical: String,
    pub normal: String,
    pub bulk: String,
}

/// Where schedules put a message: the ARNs of dispatch's own queues.
pub struct Targets {
    pub critical_arn: String,
    pub normal_arn: String,
    pub bulk_arn: String,
}

/// The catalog that came with the function is of no use.
#[derive(Debug, thiserror::Error)]
#[error("the catalog {path} is not usable: {why}; compile it with `carillon check --out`")]
pub struct CatalogUnusable {
    pub path: String,
    pub why: String,
}

impl Config {
    /// The catalog lies beside the program; `STACK_SECRET` is the root of the names that its decisions make; `<CHANNEL>_QUEUE_URL` and `<CHANNEL>_CRITICAL_QUEUE_URL` name each channel's queues.
    ///
    /// # Errors
    /// A variable is missing, or the catalog cannot be used.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        let folder = env.optional("LAMBDA_TASK_ROOT").unwrap_or_else(|| ".".to_owned());
        let mut channels = Vec::new();
        for channel in Channel::ALL {
            let name = channel.name().to_uppercase();
            let normal = env.required(&format!("{name}_QUEUE_URL"))?;
            channels.push((channel, normal, env.required(&format!("{name}_CRITICAL_QUEUE_URL"))?));
        }
        Ok(Config {
            catalog: load_catalog(
                &Path::new(&folder).join("catalog.json"),
                KeyedHashes::of(&StackSecret::read(&env.required("STACK_SECRET")?)?),
            )?,
            people_table: env.required("PEOPLE_TABLE")?,
            endpoints_table: env.required("ENDPOINTS_TABLE")?,
            ledger_table: env.required("LEDGER_TABLE")?,
            counters_table: env.required("COUNTERS_TABLE")?,
            dead_letters_url: env.required("DEAD_LETTERS_URL")?,
            lanes: Lanes {
                critical: env.required("CRITICAL_QUEUE_URL")?,
                normal: env.required("DISPATCH_QUEUE_URL")?,
                bulk: env.required("BULK_QUEUE_URL")?,
            },
            ways_out: WaysOut::from_env(env)?,
            schedule: schedule::Config {
                prefix: env.required("SCHEDULE_PREFIX")?,
                role_arn: env.required("SCHEDULE_ROLE_ARN")?,
            },
            targets: Targets {
                critical_arn: env.required("CRITICAL_QUEUE_ARN")?,
                normal_arn: env.required("DISPATCH_QUEUE_ARN")?,
                bulk_arn: env.required("BULK_QUEUE_ARN")?,
            },
            channels,
            function: env.optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "dispatch".to_owned()),
        })
    }
}

/// # Errors
/// [`CatalogUnusable`] says whether the file is missing, not a catalog, or from another release.
pub fn load_catalog(path: &Path, hashes: KeyedHashes) -> Result<Catalog, CatalogUnusable> {
    let unusable = |why: String| CatalogUnusable { path: path.display().to_string(), why };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let file = CatalogFile::read(&text).map_err(|error| unusable(error.to_string()))?;
    let catalog = Catalog::open(file).map_err(|error| unusable(error.to_string()))?;
    Ok(catalog.with_hashes(hashes))
}
