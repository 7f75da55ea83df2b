//! `carillon endpoints`: manages tenants' webhook endpoints.

use domain::audit::access::Object;
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::secret::{Scheme, Secret};
use domain::webhook::endpoint::{DisabledBecause, Endpoint, EndpointId};
use kms::SecretCipher;
use serde_json::json;
use store::{Attempt, Endpoints as Table};

use crate::access;
use crate::args::{Endpoints, Named, Rotate, SecretScheme, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::status::counted;
use crate::terminal::{Cell, Column, Ink, Table as Rows, Terminal, number, text, word};
use crate::times::utc;

mod manual_send;
mod put;

/// The length of a new secret.
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
        Endpoints::Put(args) => put::put(args, &cloud, &table, terminal).await,
        Endpoints::Rotate(args) => rotate(args, &cloud, &table, terminal).await,
        Endpoints::Enable(named) => enable(&id(named)?, &table, terminal).await,
        Endpoints::Disable(named) => {
            let id = id(named)?;
            let changed = table.disable(&id, DisabledBecause::Operator, runtime::now()).await?;
            report(changed, &id, "is disabled", terminal)
        }
        Endpoints::Verify { named, vouch } => verify(&id(named)?, *vouch, &cloud, &table, terminal).await,
        Endpoints::Ping(named) => manual_send::ping(&id(named)?, &cloud, &table, terminal).await,
        Endpoints::Attempts { named, limit } => {
            let id = id(named)?;
            record("endpointsAttempts", &id, &cloud).await?;
            attempts(&id, *limit, &table, terminal).await
        }
        Endpoints::Retry(args) => {
            manual_send::retry(&id(&args.named)?, &args.message, &cloud, &table, terminal).await
        }
        Endpoints::Recover(args) => {
            manual_send::recover(&id(&args.named)?, args, &cloud, &table, terminal).await
        }
    }
}

/// Writes an access record before a secret or an answer of an endpoint is printed.
async fn record(operation: &str, id: &EndpointId, cloud: &Cloud) -> Result<(), Error> {
    access::record(cloud, operation, Object::new("endpoint", Some(&id.id)), id.tenant.as_deref()).await
}

fn id(named: &Named) -> Result<EndpointId, Error> {
    EndpointId::parse(&named.endpoint).ok_or_else(|| {
        let what = format!("{:?} names no endpoint", named.endpoint);
        Error::usage(what, "write <tenant>/<id>, such as acme/erp, or -/<id> without a tenant")
    })
}

fn report(changed: bool, id: &EndpointId, result: &str, terminal: &Terminal) -> Done {
    if terminal.json {
        terminal.say_json(&json!({ "endpoint": id.name(), "changed": changed }));
    } else if changed {
        terminal.say(&format!("{} {} {result}", terminal.ink(Ink::Good, "ok"), id.name()));
    } else {
        terminal.note(&format!("{} is not known, or was in this state already", id.name()));
    }
    Ok(changed)
}

async fn ls(tenant: Option<&str>, table: &Table, terminal: &Terminal) -> Done {
    let found = match tenant {
        Some("-") => table.of_tenant(None).await?,
        Some(tenant) => table.of_tenant(Some(tenant)).await?,
        None => table.all().await?,
    };
    let mut rows = Rows::new([word("ENDPOINT"), word("STATE"), text("URL"), text("DESCRIPTION")]);
    for endpoint in &found {
        if terminal.json {
            terminal.say_json(endpoint);
            continue;
        }
        let state = match (&endpoint.disabled, endpoint.unverified) {
            (Some(off), _) => Cell::ink(Ink::Bad, format!("off: {}", off.why.name())),
            (None, Some(_)) => Cell::ink(Ink::Bad, "unverified"),
            (None, None) => Cell::ink(Ink::Good, "on"),
        };
        let description = endpoint.description.as_deref().unwrap_or_default();
        rows.row([endpoint.id.name().into(), state, endpoint.url.to_string().into(), description.into()]);
    }
    terminal.table(&rows);
    terminal.note(&counted(found.len(), "endpoint", "endpoints"));
    Ok(!found.is_empty())
}

/// Reads the endpoint; prints a note if it does not exist.
async fn find(id: &EndpointId, table: &Table, terminal: &Terminal) -> Result<Option<Endpoint>, Error> {
    let found = table.find(std::slice::from_ref(id)).await?.pop();
    if found.is_none() {
        terminal.note(&format!("{} is not known; register it with `carillon endpoints put`", id.name()));
    }
    Ok(found)
}

/// A cipher with the operator's own rights, and the key alias of the template.
pub fn cipher(cloud: &Cloud) -> SecretCipher {
    SecretCipher::new(&cloud.config, format!("alias/{}", cloud.name("data")))
}

/// Prints an endpoint; with `reveal`, its secret, too.
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
    let mut rows = Rows::bare([word("NAME"), text("VALUE")]);
    for (name, value) in shown.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.row([Cell::ink(Ink::Quiet, name), value.into()]);
    }
    terminal.table(&rows);
    Ok(true)
}

async fn enable(id: &EndpointId, table: &Table, terminal: &Terminal) -> Done {
    let before = table.find(std::slice::from_ref(id)).await?.pop();
    let done = report(table.enable(id).await?, id, "is enabled", terminal)?;
    if let Some(off) = before.and_then(|endpoint| endpoint.disabled) {
        terminal.note(&format!(
            "send the missed messages: carillon endpoints recover {} --since {}",
            id.name(),
            off.at
        ));
    }
    Ok(done)
}

/// Sends a challenge and reports the result, or marks the endpoint as verified without one.
async fn verify(id: &EndpointId, vouch: bool, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    if vouch {
        return report(table.vouch(id).await?, id, "is verified", terminal);
    }
    let Some(endpoint) = find(id, table, terminal).await? else { return Ok(false) };
    if endpoint.unverified.is_none() {
        return report(true, id, "is verified", terminal);
    }
    manual_send::challenge(id, cloud, table, terminal).await
}

fn registered(id: &EndpointId, secret: Option<&Secret>, terminal: &Terminal) {
    let key = secret.map(|secret| signing::public_key(secret).unwrap_or_else(|| secret.reveal()));
    if terminal.json {
        terminal.say_json(&json!({ "endpoint": id.name(), "verification_key": key }));
        return;
    }
    terminal.say(&format!("{} {}", terminal.ink(Ink::Good, "ok"), id.name()));
    if let Some(key) = key {
        terminal.say(&format!("verify its signatures with {key}"));
    }
}

/// A new random secret.
///
/// # Errors
/// The system has no random numbers.
pub fn new_secret(scheme: Scheme) -> Result<Secret, Error> {
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
    terminal.note("the previous secret signs, too, for another 24 hours");
    if current.is_some_and(|before| before != scheme) {
        terminal.note("the signature scheme changed: update the receiver before these 24 hours end");
    }
    Ok(true)
}

async fn attempts(id: &EndpointId, limit: u32, table: &Table, terminal: &Terminal) -> Done {
    let found = table.attempts(id, limit).await?;
    let mut rows = Rows::new(ATTEMPTS);
    for attempt in &found {
        match terminal.json {
            true => terminal.say_json(attempt),
            false => add(attempt, &mut rows),
        }
    }
    terminal.table(&rows);
    terminal.note(&counted(found.len(), "attempt", "attempts"));
    Ok(!found.is_empty())
}

/// The columns of `endpoints attempts`.
const ATTEMPTS: [Column; 7] = [
    word("TIME"),
    text("ANSWER"),
    number("MS"),
    text("TYPE"),
    word("MESSAGE"),
    word("ATTEMPT"),
    word("NEXT"),
];

fn add(attempt: &Attempt, rows: &mut Rows) {
    let answer = match (attempt.status, &attempt.error) {
        (Some(status @ 200..=299), _) => Cell::ink(Ink::Good, format!("HTTP {status}")),
        (Some(status), _) => Cell::ink(Ink::Bad, format!("HTTP {status}")),
        (None, error) => Cell::ink(Ink::Bad, error.as_deref().unwrap_or("no answer")),
    };
    let by_hand = if attempt.by_hand { ", by hand" } else { "" };
    rows.row([
        Cell::ink(Ink::Quiet, utc(attempt.at)),
        answer,
        attempt.took_ms.to_string().into(),
        attempt.event_type.as_str().into(),
        attempt.message.as_str().into(),
        format!("{}{by_hand}", attempt.attempt).into(),
        attempt.next_at.map(utc).unwrap_or_default().into(),
    ]);
    if let Some(location) = &attempt.location {
        rows.note(Cell::ink(Ink::Quiet, format!("redirect to {location}, which is not followed")));
    }
}
