//! The environment, as values.

use delivery::DeskConfig;
use runtime::{Env, Unset};

use crate::Wishes;

/// What the function is told by its template.
pub struct Config {
    /// The bus that hears of those who said stop.
    pub bus: String,
    /// The preferred one first.
    pub providers: Vec<Provider>,
    pub wishes: Wishes,
    pub desk: DeskConfig,
}

/// Who carries the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    Sns,
    EndUserMessaging(Origination),
}

/// What End User Messaging is to send from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origination {
    /// A number, a pool or a sender id, by id or ARN; the service chooses one when it is left out.
    pub identity: Option<String>,
    /// Where receipts go.
    pub configuration_set: Option<String>,
}

/// Long codes and most countries' routes carry one text a second, short codes a hundred; SNS itself takes 20.
const CONCURRENCY: usize = 5;

/// A text of six messages has 918 letters of GSM's alphabet, or 402 others.
pub const MAX_SEGMENTS: u32 = 6;

impl Config {
    /// # Errors
    /// [`Unset`] names the variable that is missing or not usable.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        let (providers, names) = providers(env)?;
        let max_segments = env.number("SMS_MAX_SEGMENTS", MAX_SEGMENTS)?;
        Ok(Config {
            bus: env.required("BUS_NAME")?,
            providers,
            wishes: Wishes {
                sender_id: env.optional("SMS_SENDER_ID"),
                max_price: env.optional("SMS_MAX_PRICE"),
                max_segments: usize::try_from(max_segments).unwrap_or(usize::MAX),
            },
            desk: DeskConfig { providers: names, ..DeskConfig::from_env(env, "sms", CONCURRENCY)? },
        })
    }
}

/// Each provider, and what it is called where its health is kept.
fn providers(env: &Env) -> Result<(Vec<Provider>, Vec<String>), Unset> {
    let name = "SMS_PROVIDER";
    let written = env.optional(name).unwrap_or_else(|| "sns".to_owned());
    let (mut providers, mut names) = (Vec::new(), Vec::new());
    for word in written.split(',').map(str::trim) {
        providers.push(match word {
            "sns" => Provider::Sns,
            "end-user-messaging" => Provider::EndUserMessaging(Origination {
                identity: env.optional("SMS_ORIGINATION_IDENTITY"),
                configuration_set: env.optional("SMS_CONFIGURATION_SET"),
            }),
            found => {
                let wanted = "sns, end-user-messaging, or both with a comma between them";
                return Err(Unset::Unusable { name: name.to_owned(), found: found.to_owned(), wanted });
            }
        });
        names.push(format!("sms-{word}"));
    }
    Ok((providers, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_chosen_by_name() {
        check(None, Ok(&[Provider::Sns]));
        check(Some("sns"), Ok(&[Provider::Sns]));
        let origination = Origination { identity: Some("pool-1".into()), configuration_set: None };
        let other = Provider::EndUserMessaging(origination);
        check(Some("end-user-messaging"), Ok(std::slice::from_ref(&other)));
        check(Some("end-user-messaging,sns"), Ok(&[other, Provider::Sns]));
        check(Some("sns,pigeon"), Err("pigeon"));
        check(Some("pigeon"), Err("pigeon"));
    }

    #[track_caller]
    fn check(provider: Option<&str>, expected: Result<&[Provider], &str>) {
        let always = [
            "BUS_NAME",
            "LEDGER_TABLE",
            "COUNTERS_TABLE",
            "QUEUE_URL",
            "CRITICAL_QUEUE_URL",
            "DEAD_LETTERS_URL",
        ]
        .map(|it| (it, "x"));
        let variables = always.into_iter().chain([("SMS_ORIGINATION_IDENTITY", "pool-1")]);
        let variables = variables.chain(provider.map(|provider| ("SMS_PROVIDER", provider)));
        let env: Env = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        match (Config::from_env(&env), expected) {
            (Ok(config), Ok(expected)) => assert_eq!(config.providers, expected),
            (Err(unset), Err(found)) => assert!(unset.to_string().contains(found), "{unset}"),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("{provider:?}"),
        }
    }
}
