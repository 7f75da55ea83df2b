//! `carillon endpoints put`: an endpoint, as its owner wants it.

use std::io::Read as _;
use std::path::Path;

use domain::catalog::Catalog;
use domain::endpoint::headers::CustomHeaders;
use domain::endpoint::overlap::may_overlap;
use domain::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::endpoint::target::Allow;
use domain::endpoint::{Endpoint, EndpointId, MAX_PER_TENANT};
use domain::rule::{Rule, Selector};
use serde_json::json;
use store::{Endpoints as Table, NewHeaders, Registered};

use super::{cipher, id, new_secret, registered};
use crate::args::PutEndpoint;
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::explain;
use crate::terminal::Terminal;

/// The rules that are named when none of them fits.
const NAMED_RULES: usize = 5;

pub(super) async fn put(args: &PutEndpoint, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    let id = id(&args.named)?;
    let allow = allowed(args, cloud)?;
    let endpoint = endpoint(args, &id, &allow)?;
    let headers = args.headers.as_deref().map(headers).transpose()?;
    runtime::vet(&endpoint.url, &allow).await.map_err(|error| {
        let fix = "name a host that the public internet reaches; nothing was registered";
        Error::usage(format!("url: found {}", error.found()), fix)
    })?;
    let (cipher, now) = (cipher(cloud), runtime::now());
    let headers = match headers {
        Some(headers) if headers.is_empty() => NewHeaders::Replace(None),
        Some(headers) => NewHeaders::Replace(Some(cipher.encrypt_headers(&headers, &id, now).await?)),
        None if args.no_headers => NewHeaders::Replace(None),
        None => NewHeaders::Keep,
    };
    let secret = new_secret(args.scheme.scheme())?;
    // Where it had one already, that one stays.
    let vouched = args.vouch || allow.names(&endpoint.url);
    let encrypted = cipher.encrypt(&secret, &id, now).await?;
    let stored = StoredSecrets::of(StoredSecret::Encrypted(encrypted));
    let done = table.register_with(&endpoint, &stored, &headers, vouched, now).await?;
    if done == Registered::Full {
        let what = format!("the tenant has {MAX_PER_TENANT} endpoints");
        return Err(Error::usage(what, "remove one first; nothing was registered"));
    }
    registered(&id, (done == Registered::New).then_some(&secret), terminal);
    if !vouched && matches!(done, Registered::New | Registered::Changed { moved: true }) {
        terminal.note(&format!(
            "{0} is told of no event until its owner proves control: `carillon endpoints verify {0}`",
            id.name()
        ));
    }
    if let Some(warning) = warning(args, &endpoint)? {
        terminal.note(&warning);
    }
    Ok(true)
}

/// The origins that are vouched for: on the local cloud those that it delivers to.
fn allowed(args: &PutEndpoint, cloud: &Cloud) -> Result<Allow, Error> {
    let allow = match &cloud.local {
        Some(state) if args.allow.is_empty() => state.allowed_origins(),
        Some(_) | None => args.allow.clone(),
    };
    Allow::parse(&allow)
        .map_err(|error| Error::usage(format!("{error:?} is no origin"), "write https://hooks.internal:8443"))
}

fn endpoint(args: &PutEndpoint, id: &EndpointId, allow: &Allow) -> Result<Endpoint, Error> {
    let mut written = json!({ "id": id.id, "tenant": id.tenant, "url": args.url });
    written["description"] = args.description.clone().into();
    written["version"] = args.wanted.clone().into();
    written["format"] = args.format.clone().into();
    if let Some(path) = &args.when {
        let text = std::fs::read_to_string(path).map_err(|error| Error::read(path, error))?;
        written["when"] = serde_json::from_str(&text).map_err(|error| {
            Error::usage(format!("{} is not JSON: {error}", path.display()), "write a pattern")
        })?;
    }
    Endpoint::read(&written.to_string(), allow).map_err(|error| {
        let said = error.to_string();
        let fix = match said.starts_with("url") && args.allow.is_empty() {
            true => "nothing was registered; say --allow ORIGIN where the deployment's WebhookAllow names it",
            false => "nothing was registered",
        };
        Error::usage(said, fix)
    })
}

/// Headers out of a file. No error quotes it: it holds secrets.
fn headers(path: &Path) -> Result<CustomHeaders, Error> {
    let mut text = String::new();
    match path.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text).map(drop),
        Some(_) | None => std::fs::read_to_string(path).map(|to_string| text = to_string),
    }
    .map_err(|error| Error::read(path, error))?;
    let fix = "write a JSON object, such as {\"Authorization\":\"Bearer …\"}; nothing was registered";
    let value = serde_json::from_str(&text)
        .map_err(|_| Error::usage(format!("{} is not JSON", path.display()), fix))?;
    CustomHeaders::read(&value).map_err(|error| Error::usage(error.to_string(), "nothing was registered"))
}

/// A word about an endpoint that no rule tells of anything.
fn warning(args: &PutEndpoint, endpoint: &Endpoint) -> Result<Option<String>, Error> {
    match args.config.is_dir() {
        true => Ok(untold(&explain::catalog(&args.config)?, endpoint, &args.config)),
        false => Ok(None),
    }
}

fn untold(catalog: &Catalog, endpoint: &Endpoint, folder: &Path) -> Option<String> {
    let is_for_endpoints = |rule: &&Rule| rule.to.iter().any(|it| matches!(it, Selector::Endpoints(_)));
    let rules: Vec<&Rule> = catalog.rules().iter().filter(is_for_endpoints).collect();
    let tells = |rule: &&Rule| endpoint.when.as_ref().is_none_or(|when| may_overlap(&rule.when, when));
    if rules.iter().any(tells) {
        return None;
    }
    let names: Vec<&str> = rules.iter().take(NAMED_RULES).map(|rule| rule.name.as_str()).collect();
    let others = match names.is_empty() {
        true => String::new(),
        false => format!("; those that do match other events ({})", names.join(", ")),
    };
    Some(format!(
        "no rule of {} tells endpoints of what {} wants{others}: add a rule with `channels: [webhook]` and \
         `to: [{{ endpoints: tenant }}]`",
        folder.display(),
        endpoint.id.name()
    ))
}
