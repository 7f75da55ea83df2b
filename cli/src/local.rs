//! `carillon local`: the local cloud, started, filled and stopped.
//!
//! Everything of it lies in `.local/`, which git ignores: two Python environments (`make` fills them), the keys, the
//! log, and what is running where.

mod capture;
mod deploy;
mod files;
mod functions;
pub(crate) mod issuer;
mod logs;
mod proxy;
mod receivers;
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
        Local::Down => down(terminal),
        Local::Status => status(terminal),
        Local::Logs { function } => logs::print(function.as_deref(), terminal),
        Local::Capture(it) => capture::run(it.port, &it.cloud, terminal).await,
        Local::Proxy(it) => proxy::run(it.port, it.providers, it.to, terminal).await,
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
    let fingerprint = functions::prepare(&args.profile)?;
    let fingerprint = format!("{fingerprint}@{}", state.allowed_origins());
    if state.deployed.as_deref() != Some(&fingerprint) {
        files::provide(&state)?;
        deploy::run(&mut state, terminal)?;
        state.deployed = Some(fingerprint);
        state.save()?;
    }
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
            Ok(true)
        }
        None => {
            terminal.note("the local cloud is not running; start it with `make up`");
            Ok(false)
        }
    }
}

fn tell(state: &State, terminal: &Terminal) {
    if terminal.json {
        terminal.say_json(&serde_json::json!({
            "endpoint": state.endpoint(), "region": state.region, "pid": state.pid,
            "capture": state.capture_endpoint(), "proxy": state.proxy_endpoint(), "bus": "carillon-local",
            "webhookAllow": state.webhook_allow,
            "socketUrl": state.socket_url, "httpUrl": state.http_url, "tokenUrl": state.token_url,
            "env": Path::new(state::FOLDER).join("env"),
        }));
        return;
    }
    let good = terminal.ink(Ink::Good, "up");
    terminal.say(&format!("{good} the local cloud answers at {}, process {}", state.endpoint(), state.pid));
    terminal
        .say(&format!("   what devices, WhatsApp and mailboxes got:  {}/captured", state.capture_endpoint()));
    if !state.webhook_allow.is_empty() {
        terminal.say(&format!("   webhooks also reach:            {}", state.webhook_allow.join(", ")));
    }
    if let Some(url) = &state.token_url {
        terminal.say(&format!("   the HTTP API, with a token:     {url}"));
    }
    terminal.say(&format!("   for the AWS CLI and SDKs:  . {}/env", state::FOLDER));
}
