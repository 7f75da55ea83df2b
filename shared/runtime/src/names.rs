//! Where names lead, and whether a webhook may go there.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use domain::endpoint::target::{Allow, Blocked, HostName, Target};

use crate::{Env, Unset};

/// How long a resolver may take.
const TO_LOOK_UP: Duration = Duration::from_secs(5);

/// All addresses of a name, as it stands: no search suffix is tried.
///
/// # Errors
/// The resolver does not know it, or did not answer.
pub async fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((format!("{name}."), 443)).await?;
    Ok(found.map(|found| found.ip()).collect())
}

/// The origins that an operator vouches for, as the template's `WebhookAllow` names them.
///
/// # Errors
/// One of them is no origin.
pub fn allowed(env: &Env) -> Result<Allow, Unset> {
    origins(env, "WEBHOOK_ALLOW")
}

/// The origins whose owners have proved nothing and need not: `WEBHOOK_VOUCHED`.
///
/// # Errors
/// [`Unset::Unusable`]: an entry is no origin.
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

/// Whether an endpoint may have this URL: the judgement of each send, made when it is saved. A name must lead to public
/// addresses only.
///
/// # Errors
/// [`Blocked`] says which rule it breaks. A name that nobody could look up within five seconds has no address.
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
