//! `carillon endpoints put`: creates or replaces an endpoint.

use std::io::Read as _;
use std::path::Path;

use domain::catalog::Catalog;
use domain::catalog::rule::{Rule, Selector};
use domain::webhook::endpoint::headers::CustomHeaders;
use domain::webhook::endpoint::overlap::may_overlap;
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::target::Allow;
use domain::webhook::endpoint::{Endpoint, EndpointId, MAX_PER_TENANT};
use serde_json::json;
use store::{Endpoints as Table, NewHeaders, Registered};

use super::{cipher, id, new_secret, registered};
use crate::args::PutEndpoint;
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::explain;
use crate::terminal::Terminal;

/// The most rules that a warning names.
const NAMED_RULES: usize = 5;

pub(super) async fn put(args: &PutEndpoint, cloud: &Cloud, table: &Table, terminal: &Terminal) -> Done {
    let id = id(&args.named)?;
    let allow = allowed(args, cloud)?;
    let endpoint = endpoint(args, &id, &allow)?;
    let headers = args.headers.as_deref().map(headers).transpose()?;
    runtime::vet(&endpoint.url, &allow).await.map_err(|error| {
        let fix = "name a host that the public internet reaches; the endpoint was not registered";
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
    // An existing endpoint keeps its secret.
    let vouched = args.vouch || allow.names(&endpoint.url);
    let encrypted = cipher.encrypt(&secret, &id, now).await?;
    let stored = StoredSecrets::of(StoredSecret::Encrypted(encrypted));
    let done = table.register_with(&endpoint, &stored, &headers, vouched, now).await?;
    if done == Registered::Full {
        let what = format!("the tenant has {MAX_PER_TENANT} endpoints");
        return Err(Error::usage(what, "remove one first; the endpoint was not registered"));
    }
    registered(&id, (done == Registered::New).then_some(&secret), terminal);
    if !vouched && matches!(done, Registered::New | Registered::Changed { moved: true }) {
        terminal.note(&format!(
            "{0} gets no events until it is verified: `carillon endpoints verify {0}`",
            id.name()
        ));
    }
    if let Some(warning) = warning(args, &endpoint)? {
        terminal.note(&warning);
    }
    Ok(true)
}

/// The origins that need no verification; on the local cloud its allowed origins.
fn allowed(args: &PutEndpoint, cloud: &Cloud) -> Result<Allow, Error> {
    let allow = match &cloud.local {
        Some(state) if args.allow.is_empty() => state.allowed_origins(),
        Some(_) | None => args.allow.clone(),
    };
    Allow::parse(&allow)
        .map_err(|error| Error::usage(format!("{error:?} is no origin"), "write https://hooks.internal:8443"))
}

fn endpoint(args: &PutEndpoint, id: &EndpointId, allow: &Allow) -> Result<Endpoint, Error> {
    let mut body = json!({ "id": id.id, "tenant": id.tenant, "url": args.url });
    body["description"] = args.description.clone().into();
    body["version"] = args.wanted.clone().into();
    body["format"] = args.format.clone().into();
    if let Some(path) = &args.when {
        let text = std::fs::read_to_string(path).map_err(|error| Error::read(path, error))?;
        body["when"] = serde_json::from_str(&text).map_err(|error| {
            Error::usage(format!("{} is not JSON: {error}", path.display()), "write a pattern")
        })?;
    }
    Endpoint::read(&body.to_string(), allow).map_err(|error| {
        let message = error.to_string();
        let fix = match message.starts_with("url") && args.allow.is_empty() {
            true => {
                "the endpoint was not registered; add --allow ORIGIN for an origin of the deployment's WebhookAllow"
            }
            false => "the endpoint was not registered",
        };
        Error::usage(message, fix)
    })
}

/// Reads headers from a file. Errors do not quote the file, because it has secrets.
fn headers(path: &Path) -> Result<CustomHeaders, Error> {
    let mut text = String::new();
    match path.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text).map(drop),
        Some(_) | None => std::fs::read_to_string(path).map(|read| text = read),
    }
    .map_err(|error| Error::read(path, error))?;
    let fix =
        "write a JSON object, such as {\"Authorization\":\"Bearer …\"}; the endpoint was not registered";
    let value = serde_json::from_str(&text)
        .map_err(|_| Error::usage(format!("{} is not JSON", path.display()), fix))?;
    CustomHeaders::read(&value)
        .map_err(|error| Error::usage(error.to_string(), "the endpoint was not registered"))
}

/// A warning about an endpoint that gets no events from any rule.
fn warning(args: &PutEndpoint, endpoint: &Endpoint) -> Result<Option<String>, Error> {
    match args.config.is_dir() {
        true => Ok(unmatched(&explain::catalog(&args.config)?, endpoint, &args.config)),
        false => Ok(None),
    }
}

fn unmatched(catalog: &Catalog, endpoint: &Endpoint, folder: &Path) -> Option<String> {
    let is_for_endpoints = |rule: &&Rule| rule.to.iter().any(|to| matches!(to, Selector::Endpoints(_)));
    let rules: Vec<&Rule> = catalog.rules().iter().filter(is_for_endpoints).collect();
    let matches = |rule: &&Rule| endpoint.when.as_ref().is_none_or(|when| may_overlap(&rule.when, when));
    if rules.iter().any(matches) {
        return None;
    }
    let names: Vec<&str> = rules.iter().take(NAMED_RULES).map(|rule| rule.name.as_str()).collect();
    let others = match names.is_empty() {
        true => String::new(),
        false => format!("; the rules with endpoints match other events ({})", names.join(", ")),
    };
    Some(format!(
        "no rule of {} sends events to {}{others}: add a rule with `channels: [webhook]` and \
         `to: [{{ endpoints: tenant }}]`",
        folder.display(),
        endpoint.id.name()
    ))
}
