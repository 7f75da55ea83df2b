//! `carillon local`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// Start, stop and look into the local cloud; `make up`, `make down` and `make logs` call this
#[derive(Subcommand)]
pub(crate) enum Local {
    /// Start it if it is not running, and deploy the template and the functions to it
    Up(LocalUp),
    Reload(Reload),
    /// Stop it
    Down,
    /// Print what it is doing, and where
    Status,
    Logs(Logs),
    Capture(Capture),
    Proxy(Proxy),
}

/// Compile config/ and push it to the local cloud that runs: rules and templates are live within seconds
///
/// Only what changed is pushed: the catalog to dispatch, the policy to the functions that need it. The template and the
/// programs stay as they are; `make up` deploys those.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon local reload
  carillon local reload my-config")]
pub(crate) struct Reload {
    /// The project, or a folder with rules/, templates/, and perhaps policy.yaml and tests/
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// More sample events than the project has: each must reach a recipient. Runs the decision tests too, as `make up` does
    #[arg(long, value_name = "FOLDER")]
    pub(crate) samples: Option<PathBuf>,
}

/// Print what the functions logged, and where one of them was ended
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon local logs email
  carillon local logs --follow
  carillon local logs dispatch --since 10m --level warn")]
pub(crate) struct Logs {
    /// One function; all when it is left out
    pub(crate) function: Option<String>,
    /// Go on as more comes
    #[arg(long)]
    pub(crate) follow: bool,
    /// Only what was logged since then: 30m, 2h, or a time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only lines of this level and above: info, warn or error
    #[arg(long, value_name = "LEVEL", value_parser = ["info", "warn", "error"])]
    pub(crate) level: Option<String>,
}

#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon local up
  carillon local up --webhook-allow http://127.0.0.1:3000     webhooks reach your own receiver; `none` ends that")]
pub(crate) struct LocalUp {
    /// The cargo profile the functions were built with
    #[arg(long, default_value = "local")]
    pub(crate) profile: String,
    /// Deliver webhooks to your own receivers at these origins of this machine, commas between them; as before, when it
    /// is left out
    #[arg(long, value_name = "ORIGINS")]
    pub(crate) webhook_allow: Option<String>,
}

/// Play the services that the local cloud has not, and keep what they are sent; `make up` starts it
///
/// Plays SNS mobile push and End User Messaging Social, and takes any POST below /hooks/; letters are handed on to the
/// local cloud. What came is at /captured, at /captured?channel=push and so on, and in .local/captured.jsonl. An endpoint with /disabled/ in its ARN is disabled.
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon local capture --port 4700")]
pub(crate) struct Capture {
    /// Where it listens, on 127.0.0.1
    #[arg(long)]
    pub(crate) port: u16,
    /// Where letters are handed on to
    #[arg(long, default_value = "http://127.0.0.1:4566", value_name = "URL")]
    pub(crate) cloud: String,
}

/// Pass the functions' calls on to the local cloud, keep a journal of them, and break what is asked; `make up` starts it
///
/// GET /_journal?after=N lists the calls after the Nth. PUT /_faults takes a plan such as
///   {"seed":7,"faults":[{"service":"dynamodb","function":"email","do":"drop_reply","times":1}]}
/// What can be done: delay (with "millis"), drop, drop_reply, truncate, duplicate, throttle, error, reorder, kill_before,
/// kill_after, fail_some (of a call that carries several things). A fault may also name an "action" and what the body "contains", "skip" so many first, and have a "chance".
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon local proxy --port 4701 --to 4620
  curl -X PUT -d '{\"faults\":[{\"service\":\"ses\",\"do\":\"error\"}]}' http://127.0.0.1:4701/_faults")]
pub(crate) struct Proxy {
    /// Where it listens, on 127.0.0.1
    #[arg(long)]
    pub(crate) port: u16,
    /// Where it listens in front of the capture server; a free port if it is left out
    #[arg(long)]
    pub(crate) providers: Option<u16>,
    /// The local cloud's port
    #[arg(long)]
    pub(crate) to: u16,
}
