//! `carillon endpoints`: the systems that tenants want to be told by webhook.

use domain::access::Object;
use domain::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::endpoint::secret::{Scheme, Secret};
use domain::endpoint::{DisabledBecause, Endpoint, EndpointId};
use kms::SecretCipher;
use serde_json::json;
use store::{Attempt, Endpoints as Table};

use crate::access;
use crate::args::{Endpoints, Named, Rotate, SecretScheme, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::status::counted;
use crate::terminal::{Ink, Terminal};
use crate::times::utc;

mod again;
mod put;

/// The bytes of a new secret.
const SECRET_BYTES: usize = 32;

pub(crate) async fn run(args: &Endpoints, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    let table = Table::new(&store::client(&cloud.config), cloud.name("endpoints"));
    match args {
        Endpoints::Ls { of, tenant } => ls(of.as_deref().or(tenant.as_deref()), &table, terminal).await,
        Endpoints::Show { named, reveal } => {
            let id = id(named)?;
            if *reveal {
                record("endpointsReveal", &id, &cloud).await?;
            }
            show(&id, reveal.then(|| cipher(&cloud)), &table, terminal).await
        }
        Endpoints::Put(it) => put::put(it, &cloud, &table, terminal).await,
        Endpoints::Rotate(it) => rotate(it, &cloud, &table, terminal).await,
        Endpoints::Enable(it) => enable(&id(it)?, &table, terminal).await,
        Endpoints::Disable(disable) => {
            let id = id(disable)?;
            let done = table.disable(&id, DisabledBecause::Operator, runtime::now()).await?;
            said(done, &id, "is switched off", terminal)
        }
        Endpoints::Verify { named, vouch } => verify(&id(named)?, *vouch, &cloud, &table, terminal).await,
        Endpoints::Ping(it) => again::ping(&id(it)?, &cloud, &table, terminal).await,
        Endpoints::Attempts { named, limit } => {
            let id = id(named)?;
            record("endpointsAttempts", &id, &cloud).await?;
            attempts(&id, *limit, &table, terminal).await
        }
        Endpoints::Retry(it) => again::retry(&id(&it.named)?, &it.message, &cloud, &table, terminal).await,
        Endpoints::Recover(it) => again::recover(&id(&it.named)?, it, &cloud, &table, terminal).await,
    }
}

/// Records that a secret, or what an endpoint answered, is about to be printed.
async fn record(operation: &str, id: &EndpointId, cloud: &Cloud) -> Result<(), Error> {
    access::record(cloud, operation, Object::new("endpoint", Some(&id.id)), id.tenant.as_deref()).await
}

fn id(named: &Named) -> Result<EndpointId, Error> {
    EndpointId::parse(&named.endpoint).ok_or_else(|| {
        let what = format!("{:?} names no endpoint", named.endpoint);
        Error::usage(what, "write <tenant>/<id>, such as acme/erp, or -/<id> where there is no tenant")
    })
}

fn said(done: bool, id: &EndpointId, what: &str, terminal: &Terminal) -> Done {
    if terminal.json {
        terminal.say_json(&json!({ "endpoint": id.name(), "changed": done }));
    } else if done {
        terminal.say(&format!("{} {} {what}", terminal.ink(Ink::Good, "ok"), id.name()));
    } else {
        terminal.note(&format!("{} is not known, or was so already", id.name()));
    }
    Ok(done)
}

async fn ls(tenant: Option<&str>, table: &Table, terminal: &Terminal) -> Done {
    let found = match tenant {
        Some("-") => table.of_tenant(None).await?,
        Some(tenant) => table.of_tenant(Some(tenant)).await?,
        None => table.all().await?,
    };
    for it in &found {
        if terminal.json {
            terminal.say_json(it);
            continue;
        }
        let state = match (&it.disabled, it.unverified) {
            (Some(off), _) => terminal.ink(Ink::Bad, &format!("off: {}", off.why.name())),
            (None, Some(_)) => terminal.ink(Ink::Bad, "unverified"),
            (None, None) => terminal.ink(Ink::Good, "on"),
        };
        let what = it.description.as_deref().unwrap_or_default();
        terminal.say(&format!("{:<32} {state}  {}  {what}", it.id.name(), it.url));
    }
    terminal.note(&counted(found.len(), "endpoint", "endpoints"));
    Ok(!found.is_empty())
}

/// The endpoint, or a word that there is none.
async fn find(id: &EndpointId, table: &Table, terminal: &Terminal) -> Result<Option<Endpoint>, Error> {
    let found = table.find(std::slice::from_ref(id)).await?.pop();
    if found.is_none() {
        terminal.note(&format!("{} is not known; register it with `carillon endpoints put`", id.name()));
    }
    Ok(found)
}

/// Encrypts and decrypts with the operator's own rights, by the alias that the template gives the key.
pub(crate) fn cipher(cloud: &Cloud) -> SecretCipher {
    SecretCipher::new(&cloud.config, format!("alias/{}", cloud.name("data")))
}

/// `reveal` decrypts the secret that is shown; there is none without it.
async fn show(id: &EndpointId, reveal: Option<SecretCipher>, table: &Table, terminal: &Terminal) -> Done {
    let Some(endpoint) = find(id, table, terminal).await? else { return Ok(false) };
    let secrets = table.secrets(id).await?.unwrap_or_default();
    let (health, _) = table.health(id).await?;
    let public = secrets.current().and_then(signing::stored_public_key);
    let secret = match (reveal, secrets.current()) {
        (Some(cipher), Some(stored)) => Some(cipher.decrypt(stored, id, runtime::now()).await?.reveal()),
        (Some(_) | None, Some(_) | None) => None,
    };
    let signing = secrets.signing(runtime::now()).count();
    let mut shown = serde_json::to_value(&endpoint).map_err(|error| Error::Cloud(error.to_string()))?;
    shown["health"] = serde_json::to_value(&health).map_err(|error| Error::Cloud(error.to_string()))?;
    shown["secrets"] = signing.into();
    for (name, value) in [("public_key", public), ("secret", secret)] {
        if let Some(value) = value {
            shown[name] = value.into();
        }
    }
    if terminal.json {
        terminal.say_json(&shown);
        return Ok(true);
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        terminal.say(&format!("{} {value}", terminal.ink(Ink::Quiet, &format!("{name:<12}"))));
    }
    Ok(true)
}

async fn enable(id: &EndpointId, table: &Table, terminal: &Terminal) -> Done {
    let before = table.find(std::slice::from_ref(id)).await?.pop();
    let done = said(table.enable(id).await?, id, "is switched on", terminal)?;
    if let Some(off) = before.and_then(|endpoint| endpoint.disabled) {
        terminal.note(&format!(
            "what it missed meanwhile is sent by: carillon endpoints recover {} --since {}",
            id.name(),
            off.at
        ));
    }
    Ok(done)
}

/// Sends a challenge and says whether it was met; or vouches for the endpoint, and sends nothing.
async fn verify(id: &EndpointId, vouch: bool, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    if vouch {
        return said(table.vouch(id).await?, id, "is verified", terminal);
    }
    let Some(endpoint) = find(id, table, terminal).await? else { return Ok(false) };
    if endpoint.unverified.is_none() {
        return said(true, id, "is verified", terminal);
    }
    again::challenge(id, cloud, table, terminal).await
}

fn registered(id: &EndpointId, secret: Option<&Secret>, terminal: &Terminal) {
    let verifies = secret.map(|secret| signing::public_key(secret).unwrap_or_else(|| secret.reveal()));
    if terminal.json {
        terminal.say_json(&json!({ "endpoint": id.name(), "verify_with": verifies }));
        return;
    }
    terminal.say(&format!("{} {}", terminal.ink(Ink::Good, "ok"), id.name()));
    if let Some(verifies) = verifies {
        terminal.say(&format!("verify its signatures with {verifies}"));
    }
}

pub(crate) fn new_secret(scheme: Scheme) -> Result<Secret, Error> {
    let mut bytes = vec![0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Error::Cloud(format!("no random bytes: {error}")))?;
    Secret::new(scheme, bytes).map_err(|error| Error::Cloud(error.to_string()))
}

async fn rotate(args: &Rotate, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    let id = id(&args.named)?;
    let Some(stored) = table.secrets(&id).await? else {
        terminal.note(&format!("{} is not known", id.name()));
        return Ok(false);
    };
    let current = stored.current().map(StoredSecret::scheme);
    let scheme = args.scheme.map(SecretScheme::scheme).or(current).unwrap_or(Scheme::Hmac);
    let secret = new_secret(scheme)?;
    let (cipher, now) = (cipher(cloud), runtime::now());
    let encrypted = cipher.encrypt(&secret, &id, now).await?;
    let rotated = async |stored: StoredSecrets| cipher.rotated(&stored, &encrypted, &id, now).await;
    if table.rotate(&id, rotated).await?.is_none() {
        terminal.note(&format!("{} is not known", id.name()));
        return Ok(false);
    }
    registered(&id, Some(&secret), terminal);
    terminal.note("the secret before it signs, too, for another 24 hours");
    if current.is_some_and(|before| before != scheme) {
        terminal.note(
            "requests are signed in another way from now on: tell the receiver before these 24 hours end",
        );
    }
    Ok(true)
}

async fn attempts(id: &EndpointId, limit: u32, table: &Table, terminal: &Terminal) -> Done {
    let found = table.attempts(id, limit).await?;
    for it in &found {
        match terminal.json {
            true => terminal.say_json(it),
            false => terminal.say(&line(it, terminal)),
        }
    }
    terminal.note(&counted(found.len(), "attempt", "attempts"));
    Ok(!found.is_empty())
}

fn line(it: &Attempt, terminal: &Terminal) -> String {
    let answer = match (it.status, &it.error) {
        (Some(status @ 200..=299), _) => terminal.ink(Ink::Good, &format!("HTTP {status}")),
        (Some(status), _) => terminal.ink(Ink::Bad, &format!("HTTP {status}")),
        (None, error) => terminal.ink(Ink::Bad, error.as_deref().unwrap_or("no answer")),
    };
    let to = it.location.as_ref().map(|to| format!(" to {to}, which is not followed,")).unwrap_or_default();
    let next = it.next_at.map(|at| format!(", again at {}", utc(at))).unwrap_or_default();
    let by_hand = if it.by_hand { ", by hand" } else { "" };
    format!(
        "{}  {answer}{to} after {} ms  {} {}  attempt {}{by_hand}{next}",
        utc(it.at),
        it.took_ms,
        it.event_type,
        it.message.as_str(),
        it.attempt
    )
}
