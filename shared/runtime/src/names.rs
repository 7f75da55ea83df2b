//! Resolves host names and checks the targets of webhooks.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use domain::webhook::endpoint::target::{Allow, Blocked, HostName, Target};

use crate::{Env, Unset};

/// The timeout of the resolver.
const TO_LOOK_UP: Duration = Duration::from_secs(5);

/// All addresses of a fully qualified name. No search suffix is tried.
///
/// # Errors
/// The resolver does not know the name, or did not answer.
pub async fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((format!("{name}."), 443)).await?;
    Ok(found.map(|found| found.ip()).collect())
}

/// The origins that an operator allows for webhooks, from `WEBHOOK_ALLOW`.
///
/// # Errors
/// An entry is not an origin.
pub fn allowed(env: &Env) -> Result<Allow, Unset> {
    origins(env, "WEBHOOK_ALLOW")
}

/// The origins whose owners need not prove control, from `WEBHOOK_VOUCHED`.
///
/// # Errors
/// [`Unset::Unusable`]: an entry is not an origin.
pub fn vouched(env: &Env) -> Result<Allow, Unset> {
    origins(env, "WEBHOOK_VOUCHED")
}

fn origins(env: &Env, name: &str) -> Result<Allow, Unset> {
    Allow::parse(&env.optional(name).unwrap_or_default()).map_err(|found| Unset::Unusable {
        name: name.to_owned(),
        found,
        wanted: "origins with commas between them, such as https://hooks.internal:8443",
    })
}

/// Checks the URL of an endpoint when it is saved, by the rules of each send. A name must resolve to
/// public addresses only.
///
/// # Errors
/// [`Blocked`] names the broken rule. A name that is not resolved within five seconds has no address.
pub async fn vet(url: &str, allow: &Allow) -> Result<(), Blocked> {
    let target = Target::read(url, allow)?;
    let addresses = match &target.host {
        HostName::Address(address) => vec![*address],
        HostName::Name(name) => match tokio::time::timeout(TO_LOOK_UP, look_up(name)).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => return Err(Blocked::NoAddress),
        },
    };
    target.judge(&addresses)
}
