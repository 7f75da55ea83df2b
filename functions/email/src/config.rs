//! The environment, as values.

use std::collections::BTreeSet;

use delivery::DeskConfig;
use domain::attachment::Prefixes;
use runtime::{Env, Error};

/// What the function is told by its template.
pub struct Config {
    /// The address letters come from, with or without a name: `Carillon <hello@example.com>`.
    pub sender: String,
    /// The configuration set that says where receipts go; none, when the template names none.
    pub configuration_set: Option<String>,
    /// The buckets that letters may take files from.
    pub buckets: BTreeSet<String>,
    /// Which of their files are whose.
    pub prefixes: Prefixes,
    pub desk: DeskConfig,
}

/// SES's sandbox and most new accounts allow 14 letters a second; five under way at once stay below that.
const CONCURRENCY: usize = 5;

impl Config {
    /// # Errors
    /// A variable is missing, or a prefix would not hold.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        let own = env.optional("ATTACHMENT_PREFIXES").unwrap_or_default();
        let shared = env.optional("SHARED_ATTACHMENT_PREFIXES").unwrap_or_default();
        Ok(Config {
            sender: env.required("SENDER_ADDRESS")?,
            configuration_set: env.optional("CONFIGURATION_SET"),
            buckets: names(&env.optional("ATTACHMENT_BUCKETS").unwrap_or_default()),
            prefixes: Prefixes::read(&own, &shared)?,
            desk: DeskConfig::from_env(env, "email", CONCURRENCY)?,
        })
    }
}

/// The buckets of `arn:aws:s3:::one,arn:aws:s3:::another`; a name alone does as well.
fn names(text: &str) -> BTreeSet<String> {
    let names = text.split(',').filter_map(|it| it.trim().rsplit(':').next());
    names.filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bucket_is_named_by_an_empty_list() {
        assert_eq!(names(""), BTreeSet::new());
        assert_eq!(
            names("arn:aws:s3:::bills, reports"),
            BTreeSet::from(["bills".to_owned(), "reports".to_owned()])
        );
    }
}
