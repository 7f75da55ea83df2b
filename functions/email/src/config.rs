//! The settings of the function, from its environment.

use std::collections::BTreeSet;

use delivery::DeliveryWorkerConfig;
use domain::delivery::attachment::Prefixes;
use domain::recipient::Sender;
use runtime::{Env, Error};

/// The settings that the template gives the function.
pub struct Config {
    /// The sender's mailbox, as a header: `Carillon <hello@example.com>`.
    pub sender: String,
    /// The SES configuration set, which defines where receipts go.
    pub configuration_set: Option<String>,
    /// The buckets of attachments.
    pub buckets: BTreeSet<String>,
    /// The key prefixes of tenants.
    pub prefixes: Prefixes,
    pub worker: DeliveryWorkerConfig,
}

/// The number of parallel sends. SES's sandbox and most new accounts allow 14 e-mails a second, and five
/// parallel sends stay below that.
const CONCURRENCY: usize = 5;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// A variable is missing, the sender is not a mailbox, or a prefix is malformed.
    pub fn from_env(env: &Env) -> Result<Config, Error> {
        let own = env.optional("ATTACHMENT_PREFIXES").unwrap_or_default();
        let shared = env.optional("SHARED_ATTACHMENT_PREFIXES").unwrap_or_default();
        Ok(Config {
            sender: sender(&env.required("SENDER_ADDRESS")?, env.optional("SENDER_NAME").as_deref())?
                .to_header(),
            configuration_set: env.optional("CONFIGURATION_SET"),
            buckets: names(&env.optional("ATTACHMENT_BUCKETS").unwrap_or_default()),
            prefixes: Prefixes::read(&own, &shared)?,
            worker: DeliveryWorkerConfig::from_env(env, "email", CONCURRENCY)?,
        })
    }
}

/// Combines an address and a name to a mailbox. The name has its own variable and may contain any
/// character except line breaks.
fn sender(address: &str, name: Option<&str>) -> Result<Sender, Error> {
    let text = match name {
        Some(name) => format!("\"{}\" <{address}>", name.replace('\\', "\\\\").replace('"', "\\\"")),
        None => address.to_owned(),
    };
    Sender::parse(&text).map_err(|refused| {
        let what = format!("SENDER_ADDRESS and SENDER_NAME are no mailbox: {}", refused.why());
        Error::from(what)
    })
}

/// The bucket names in a list of ARNs such as `arn:aws:s3:::one,arn:aws:s3:::another`. Plain names are
/// accepted too.
fn names(text: &str) -> BTreeSet<String> {
    let names = text.split(',').filter_map(|part| part.trim().rsplit(':').next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_the_installation_may_be_of_any_language_and_writes_no_header() {
        let header = |name| sender("o@example.com", Some(name)).map(|sender| sender.to_header()).ok();
        for (name, expected) in [
            ("Carillon", "Carillon <o@example.com>"),
            ("St. Mary's, \"North\"", "\"St. Mary's, \\\"North\\\"\" <o@example.com>"),
            ("A <b@example.com>", "\"A <b@example.com>\" <o@example.com>"),
            ("Clínica", "=?UTF-8?B?Q2zDrW5pY2E=?= <o@example.com>"),
        ] {
            assert_eq!(header(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(header("A\r\nBcc: b@example.com"), None);
        let of_the_last_template = sender("Carillon <o@example.com>", None).map(|sender| sender.to_header());
        assert_eq!(of_the_last_template.ok().as_deref(), Some("Carillon <o@example.com>"));
    }

    #[test]
    fn no_bucket_is_named_by_an_empty_list() {
        assert_eq!(names(""), BTreeSet::new());
        assert_eq!(
            names("arn:aws:s3:::bills, reports"),
            BTreeSet::from(["bills".to_owned(), "reports".to_owned()])
        );
    }
}
