//! The local cloud: starting, deploying, stopping and inspecting it.
//!
//! All files are in `.local/`, which git ignores: the Python environments that `make` installs, keys, logs and the state of
//! the processes.

mod cors;
mod deploy;
pub(crate) mod functions;
pub(crate) mod issuer;
pub(crate) mod logs;
mod parameters;
mod progress;
mod push;
mod python;
pub(crate) mod reload;
mod sample_files;
pub(crate) mod server;
pub(crate) mod sidecar;
pub(crate) mod state;
mod webhook_receivers;

use std::path::Path;

use cli::error::Done;
use cli::local_cloud::{FOLDER, State};
use cli::terminal::{Ink, Table, Terminal, text, word};

use crate::args::Up;
use crate::{capture, proxy};

/// Starts the local cloud if it is not running, and deploys the changed parts.
pub(crate) fn up(args: &Up, terminal: &Terminal) -> Done {
    let receivers = args.webhook_allow.as_deref().map(webhook_receivers::read).transpose()?;
    let mut state = match State::load()? {
        Some(state) if server::answers(&state) && state.proxy.is_some() => state,
        // The state of a process that crashed or does not answer.
        Some(state) => {
            server::stop(&state)?;
            State { webhook_allow: state.webhook_allow, ..server::start(terminal)? }
        }
        None => server::start(terminal)?,
    };
    if let Some(origins) = receivers {
        state.webhook_allow = origins;
    }
    proxy::ensure(&mut state)?;
    issuer::prepare()?;
    capture::ensure(&mut state)?;
    let endpoints = format!("@{}", state.allowed_origins());
    let fingerprints = functions::prepare(&args.profile, &endpoints)?;
    let changed = state.deployed.as_ref().and_then(|before| functions::changed(&fingerprints, before));
    if changed.as_ref().is_none_or(|changed| !changed.is_empty()) {
        reload::warn_of_removed_rules(terminal);
    }
    match changed {
        Some(changed) => push::functions(&changed, &state, terminal)?,
        None => {
            sample_files::provide(&state)?;
            deploy::run(&mut state, terminal)?;
        }
    }
    state.deployed = Some(fingerprints);
    state::save(&state)?;
    reload::keep_catalog()?;
    show(&state, terminal);
    Ok(true)
}

/// Stops the local cloud.
pub(crate) fn down(terminal: &Terminal) -> Done {
    match State::load()? {
        Some(state) => {
            server::stop(&state)?;
            terminal.note("the local cloud has stopped");
        }
        None => terminal.note("the local cloud is not running"),
    }
    Ok(true)
}

/// Prints the addresses of the local cloud. The answer is no if a process is down.
pub(crate) fn status(terminal: &Terminal) -> Done {
    match State::load()?.filter(server::answers) {
        Some(state) => {
            show(&state, terminal);
            let dead = dead_sidecars(&state);
            // JSON has them in `down`.
            for (name, effect) in dead.iter().filter(|_| !terminal.json) {
                terminal.say(&format!("{} {name}: {effect}", terminal.ink(Ink::Bad, "down")));
            }
            if !dead.is_empty() {
                terminal.note("`make up` starts them again");
            }
            Ok(dead.is_empty())
        }
        None => {
            terminal.note("the local cloud is not running; start it with `make up`");
            Ok(false)
        }
    }
}

/// The sidecar processes that do not answer, each with the effect of its absence.
fn dead_sidecars(state: &State) -> Vec<(&'static str, &'static str)> {
    let mut dead = Vec::new();
    if !state.capture.is_some_and(|capture| capture::SIDECAR.answers(&capture)) {
        dead.push((
            "the capture server",
            "no push notification, WhatsApp message, webhook message or e-mail arrives",
        ));
    }
    if !state.proxy.is_some_and(|proxy| proxy::SIDECAR.answers(&proxy)) {
        dead.push(("the proxy", "no function reaches the local cloud"));
    }
    dead
}

fn show(state: &State, terminal: &Terminal) {
    if terminal.json {
        terminal.say_json(&serde_json::json!({
            "endpoint": state.endpoint(), "region": state.region, "pid": state.pid,
            "capture": state.capture_endpoint(), "proxy": state.proxy_endpoint(), "bus": "carillon-local",
            "webhookAllow": state.webhook_allow,
            "socketUrl": state.socket_url, "httpUrl": state.http_url, "tokenUrl": state.token_url,
            "browserOrigins": state.browser_origins,
            "down": dead_sidecars(state).iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "env": Path::new(FOLDER).join("env"),
        }));
        return;
    }
    let good = terminal.ink(Ink::Good, "up");
    terminal.say(&format!("{good} the local cloud answers at {}, process {}", state.endpoint(), state.pid));
    let capture = state.capture_endpoint();
    let mut table = Table::bare([word("NAME"), text("VALUE")]);
    let mut row = |name: &str, value: String| table.row([format!("   {name}:").into(), value.into()]);
    row("captured messages", format!("{capture}/  (as JSON: {capture}/captured)"));
    if !state.webhook_allow.is_empty() {
        row("own webhook receivers", state.webhook_allow.join(", "));
    }
    if let Some(url) = &state.token_url {
        row("the HTTP API, with a token", url.clone());
    }
    if let Some(origins) = state.browser_origins.as_deref().filter(|origins| !origins.is_empty()) {
        row("origins that CORS allows", origins.to_owned());
    }
    row("for the AWS CLI and SDKs", format!(". {FOLDER}/env"));
    terminal.table(&table);
}
