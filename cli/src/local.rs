//! `carillon local`: the local cloud, started, filled and stopped.
//!
//! Everything of it lies in `.local/`, which git ignores: two Python environments (`make` fills them), the keys, the
//! log, and what is running where.

mod browser;
mod capture;
mod deploy;
mod files;
mod functions;
pub(crate) mod issuer;
mod logs;
mod parameters;
mod progress;
mod proxy;
mod push;
mod receivers;
mod reload;
mod server;
mod sidecar;
mod state;

use std::path::Path;

use crate::args::{Local, LocalUp};
use crate::error::Done;
use crate::terminal::{Ink, Terminal};

pub(crate) use state::State;

pub(crate) async fn run(args: &Local, terminal: &Terminal) -> Done {
    match args {
        Local::Up(it) => up(it, terminal),
        Local::Reload(reload) => reload::run(reload, terminal),
        Local::Down => down(terminal),
        Local::Status => status(terminal),
        Local::Logs(logs) => logs::print(logs, terminal),
        Local::Capture(capture) => capture::run(capture.port, &capture.cloud, terminal).await,
        Local::Proxy(proxy) => proxy::run(proxy.port, proxy.providers, proxy.to, terminal).await,
    }
}

fn up(args: &LocalUp, terminal: &Terminal) -> Done {
    let receivers = args.webhook_allow.as_deref().map(receivers::read).transpose()?;
    let mut state = match State::load()? {
        Some(state) if server::answers(&state) && state.proxy.is_some() => state,
        // Left over from a crash: it is not running, or not answering.
        Some(state) => {
            server::stop(&state)?;
            State { webhook_allow: state.webhook_allow, ..server::start(terminal)? }
        }
        None => server::start(terminal)?,
    };
    if let Some(origins) = receivers {
        state.webhook_allow = origins;
    }
    proxy::keep(&mut state)?;
    issuer::prepare()?;
    capture::start(&mut state)?;
    let endpoints = format!("@{}", state.allowed_origins());
    let prints = functions::prepare(&args.profile, &endpoints)?;
    let changed = state.deployed.as_ref().and_then(|before| prints.changed_since(before));
    if changed.as_ref().is_none_or(|changed| !changed.is_empty()) {
        reload::warn_of_gone_rules(terminal);
    }
    match changed {
        Some(changed) => push::functions(&changed, &state, terminal)?,
        None => {
            files::provide(&state)?;
            deploy::run(&mut state, terminal)?;
        }
    }
    state.deployed = Some(prints);
    state.save()?;
    reload::keep_catalog()?;
    tell(&state, terminal);
    Ok(true)
}

fn down(terminal: &Terminal) -> Done {
    match State::load()? {
        Some(state) => {
            server::stop(&state)?;
            terminal.note("the local cloud has stopped");
        }
        None => terminal.note("the local cloud is not running"),
    }
    Ok(true)
}

fn status(terminal: &Terminal) -> Done {
    match State::load()?.filter(server::answers) {
        Some(state) => {
            tell(&state, terminal);
            let dead = dead_sidecars(&state);
            for (name, why) in &dead {
                terminal.say(&format!("{} {name}: {why}", terminal.ink(Ink::Bad, "down")));
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

/// The processes beside the local cloud that do not answer, and what does not work without them.
fn dead_sidecars(state: &State) -> Vec<(&'static str, &'static str)> {
    let mut dead = Vec::new();
    if !state.capture.is_some_and(|capture| capture::SIDECAR.runs_at_all(&capture)) {
        dead.push((
            "the capture server",
            "no push notification, WhatsApp message, webhook message or e-mail arrives",
        ));
    }
    if !state.proxy.is_some_and(|proxy| proxy::SIDECAR.runs_at_all(&proxy)) {
        dead.push(("the proxy", "no function reaches the local cloud"));
    }
    dead
}

fn tell(state: &State, terminal: &Terminal) {
    if terminal.json {
        terminal.say_json(&serde_json::json!({
            "endpoint": state.endpoint(), "region": state.region, "pid": state.pid,
            "capture": state.capture_endpoint(), "proxy": state.proxy_endpoint(), "bus": "carillon-local",
            "webhookAllow": state.webhook_allow,
            "socketUrl": state.socket_url, "httpUrl": state.http_url, "tokenUrl": state.token_url,
            "browserOrigins": state.browser_origins,
            "down": dead_sidecars(state).iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "env": Path::new(state::FOLDER).join("env"),
        }));
        return;
    }
    let good = terminal.ink(Ink::Good, "up");
    terminal.say(&format!("{good} the local cloud answers at {}, process {}", state.endpoint(), state.pid));
    let capture = state.capture_endpoint();
    terminal.say(&format!("   what devices and mailboxes got:  {capture}/  (as JSON: {capture}/captured)"));
    if !state.webhook_allow.is_empty() {
        terminal.say(&format!("   webhooks also reach:            {}", state.webhook_allow.join(", ")));
    }
    if let Some(url) = &state.token_url {
        terminal.say(&format!("   the HTTP API, with a token:      {url}"));
    }
    if let Some(origins) =
        state.browser_origins.as_deref().filter(|browser_origin| !browser_origin.is_empty())
    {
        terminal.say(&format!("   pages that may ask it (CORS):    {origins}"));
    }
    terminal.say(&format!("   for the AWS CLI and SDKs:  . {}/env", state::FOLDER));
}
