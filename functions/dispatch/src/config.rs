//! The function's environment variables as typed values.

use std::path::Path;

use domain::base::channel::Channel;
use domain::base::stack_secret::StackSecret;
use domain::catalog::{Catalog, CatalogFile};
use domain::recipient::keyed_hash::KeyedHashes;
use domain::recipient::unsubscribe::Keys;
use engine::UnsubscribeLinks;
use runtime::{Env, Error};

/// The settings that the template passes to dispatch.
pub struct Config {
    pub catalog: Catalog,
    pub people_table: String,
    pub endpoints_table: String,
    pub ledger_table: String,
    pub counters_table: String,
    pub dead_letters_url: String,
    pub lanes: Lanes,
    pub links: UnsubscribeLinks,
    pub schedule: schedule::Config,
    pub targets: Targets,
    /// The URLs of each channel's normal and critical queue.
    pub channels: Vec<(Channel, String, String)>,
    /// The function's name, under which metrics are written.
    pub function: String,
}

/// The URLs of dispatch's own queues.
pub struct Lanes {
    pub critical: String,
    pub normal: String,
    pub bulk: String,
}

/// The targets of schedules: the ARNs of dispatch's own queues.
pub struct Targets {
    pub critical_arn: String,
    pub normal_arn: String,
    pub bulk_arn: String,
}

/// The error for a catalog in the function's artifact that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the catalog {path} is not usable: {why}; compile it with `carillon check --out`")]
pub struct CatalogUnusable {
    pub path: String,
    pub why: String,
}

impl Config {
    /// Reads the environment, and the catalog beside the program. `STACK_SECRET` is the root of the keyed hashes of
    /// decisions. `<CHANNEL>_QUEUE_URL` and `<CHANNEL>_CRITICAL_QUEUE_URL` name the queues of each channel.
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
            links: links(env)?,
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

/// Reads `UNSUBSCRIBE_URL` (the URL before `/v1/unsubscribe/<token>`), `UNSUBSCRIBE_KEYS` (the secrets as a JSON object),
/// `UNSUBSCRIBE_KEY` (the name of the secret for new links) and `SENDER_NAME` (the name on the page behind a link).
///
/// # Errors
/// A variable is missing, or the keys cannot be used.
pub fn links(env: &Env) -> Result<UnsubscribeLinks, Error> {
    let keys = Keys::read(&env.required("UNSUBSCRIBE_KEYS")?, &env.required("UNSUBSCRIBE_KEY")?)?;
    Ok(UnsubscribeLinks::new(&env.required("UNSUBSCRIBE_URL")?, keys, env.optional("SENDER_NAME")))
}

/// Opens the catalog in a file.
///
/// # Errors
/// [`CatalogUnusable`] says whether the file is missing, not a catalog, or from another release.
pub fn load_catalog(path: &Path, hashes: KeyedHashes) -> Result<Catalog, CatalogUnusable> {
    let unusable = |why: String| CatalogUnusable { path: path.display().to_string(), why };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let file = CatalogFile::read(&text).map_err(|error| unusable(error.to_string()))?;
    let catalog = Catalog::open(file).map_err(|error| unusable(error.to_string()))?;
    Ok(catalog.with_hashes(hashes))
}
