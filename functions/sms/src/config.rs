//! The settings of the function, from its environment.

use delivery::DeliveryWorkerConfig;
use runtime::{Env, Unset};

use crate::SmsSettings;

/// The settings that the template gives the function.
pub struct Config {
    /// The bus for opt-out events.
    pub bus: String,
    /// The providers, the preferred one first.
    pub providers: Vec<Provider>,
    pub wishes: SmsSettings,
    pub worker: DeliveryWorkerConfig,
}

/// An SMS provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    Sns,
    EndUserMessaging(Origination),
}

/// The origination settings of End User Messaging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origination {
    /// The id or ARN of a number, pool or sender id. `None` leaves the choice to the service.
    pub identity: Option<String>,
    /// The configuration set, which defines where receipts go.
    pub configuration_set: Option<String>,
}

/// The number of parallel sends. Long codes and most routes carry one SMS a second, short codes a
/// hundred, and SNS accepts 20.
const CONCURRENCY: usize = 5;

/// The default limit of segments. Six segments have 918 characters of the GSM alphabet, or 402 others.
pub const MAX_SEGMENTS: u32 = 6;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Unset`] names the missing or unusable variable.
    pub fn from_env(env: &Env) -> Result<Config, Unset> {
        let (providers, names) = providers(env)?;
        let max_segments = env.number("SMS_MAX_SEGMENTS", MAX_SEGMENTS)?;
        Ok(Config {
            bus: env.required("BUS_NAME")?,
            providers,
            wishes: SmsSettings {
                sender_id: env.optional("SMS_SENDER_ID"),
                max_price: env.optional("SMS_MAX_PRICE"),
                max_segments: usize::try_from(max_segments).unwrap_or(usize::MAX),
            },
            worker: DeliveryWorkerConfig {
                providers: names,
                ..DeliveryWorkerConfig::from_env(env, "sms", CONCURRENCY)?
            },
        })
    }
}

/// The providers, and the names under which their breakers are stored.
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
        .map(|name| (name, "x"));
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
