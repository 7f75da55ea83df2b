//! The command line of `carillon-dev`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand};

#[cfg(test)]
#[path = "../../cli/src/args/documents.rs"]
mod documents;

/// Run Carillon on this machine: local cloud, emulators, fault proxy, token issuer and demo
#[derive(Parser)]
#[command(name = "carillon-dev", version = cli::version(), propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    /// Print JSON, one value a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Up(Up),
    Reload(Reload),
    /// Stop the local cloud
    #[command(after_help = "Example:\n  carillon-dev down")]
    Down,
    /// Print the addresses of the local cloud and the processes that are down; exit 1 if one is
    #[command(
        after_help = "Examples:\n  carillon-dev status\n  carillon-dev --json status | jq -r .tokenUrl"
    )]
    Status,
    Logs(Logs),
    Token(Token),
    Demo(Demo),
    Capture(Capture),
    Proxy(Proxy),
    #[command(hide = true)]
    Reference(Reference),
}

/// Write the generated pages of docs/reference
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon-dev reference --check")]
pub(crate) struct Reference {
    /// Report stale pages instead; exit 1 for any
    #[arg(long)]
    pub(crate) check: bool,
    /// The root of the repository
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    pub(crate) repository: PathBuf,
}

/// Start the local cloud and deploy the template and the functions to it; `make up` calls this
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon-dev up
  carillon-dev up --webhook-allow http://127.0.0.1:3000     # deliver to your own receiver; `none` ends that")]
pub(crate) struct Up {
    /// The cargo profile of the functions' build
    #[arg(long, default_value = "local")]
    pub(crate) profile: String,
    /// Deliver webhook messages to your own receivers at these origins of this machine, separated by commas. Without this
    /// option the origins of the last call stay
    #[arg(long, value_name = "ORIGINS")]
    pub(crate) webhook_allow: Option<String>,
}

/// Compile config/ and push it to the running local cloud: rules and templates are live within seconds
///
/// Only changed parts are pushed: the catalog to dispatch, the policy to the functions that need it. Template and programs
/// stay; `make up` deploys them.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon-dev reload
  carillon-dev reload my-config")]
pub(crate) struct Reload {
    /// The project, or a folder with rules/ and templates/, and optionally policy.yaml and tests/
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Additional sample events. Each must reach a recipient. The decision tests run too, as with `make up`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) samples: Option<PathBuf>,
}

/// Print the functions' log lines, and the crashes and timeouts of functions
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon-dev logs email
  carillon-dev logs --follow
  carillon-dev logs dispatch --since 10m --level warn")]
pub(crate) struct Logs {
    /// The function; all functions without it
    pub(crate) function: Option<String>,
    /// Continue with new lines
    #[arg(long)]
    pub(crate) follow: bool,
    /// Start at this time: 30m, 2h, or a timestamp
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// The lowest level: info, warn or error
    #[arg(long, value_name = "LEVEL", value_parser = ["info", "warn", "error"])]
    pub(crate) level: Option<String>,
}

/// Emulate the services that the local cloud lacks and record their messages; `make up` starts it
///
/// Emulates SNS, End User Messaging Social and webhook receivers (any POST below /hooks/). E-mails are recorded and forwarded
/// to the local cloud. The records are at /captured, at /captured?channel=push and so on, and in .local/captured.jsonl. A
/// device with /disabled/ in its ARN is disabled.
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon-dev capture --port 4700")]
pub(crate) struct Capture {
    /// The port on 127.0.0.1
    #[arg(long)]
    pub(crate) port: u16,
    /// The local cloud, which gets the e-mails
    #[arg(long, default_value = "http://127.0.0.1:4566", value_name = "URL")]
    pub(crate) cloud: String,
}

/// Forward the functions' AWS calls to the local cloud, keep a journal and inject faults; `make up` starts it
///
/// GET /_journal?after=N lists the calls after the Nth. PUT /_faults takes a plan such as
///   {"seed":7,"faults":[{"service":"dynamodb","function":"email","do":"drop_reply","times":1}]}
/// The faults: delay (with "millis"), drop, drop_reply, truncate, duplicate, throttle, error, reorder, kill_before,
/// kill_after, fail_some (half the entries of a batch call). A fault can also match an "action" and a text that the body
/// "contains", "skip" the first calls, and have a "chance".
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon-dev proxy --port 4701 --to 4620
  curl -X PUT -d '{\"faults\":[{\"service\":\"ses\",\"do\":\"error\"}]}' http://127.0.0.1:4701/_faults")]
pub(crate) struct Proxy {
    /// The port on 127.0.0.1
    #[arg(long)]
    pub(crate) port: u16,
    /// The port in front of the capture server; a free port without it
    #[arg(long)]
    pub(crate) providers: Option<u16>,
    /// The local cloud's port
    #[arg(long)]
    pub(crate) to: u16,
}

/// Print a token for the HTTP API of the local cloud
///
/// The local issuer signs any claims. On AWS, tokens come from your own issuer.
#[derive(ClapArgs)]
#[command(after_help = "Example:
  curl -H \"authorization: Bearer $(carillon-dev token --user patient-lena --tenant clinic-7)\" \\
    \"$(carillon-dev --json status | jq -r .tokenUrl)/v1/recipients/patient-lena\"")]
pub(crate) struct Token {
    /// The user's id, as events name it
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user: String,
    /// The tenant whose recipients and events the token can access
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) tenant: String,
    /// The user's role in the tenant: an `admin` has every right there
    #[arg(long = "role", value_name = "ROLE", default_value = "member")]
    pub(crate) roles: Vec<String>,
    /// A room that the user's sockets can join, or a prefix and a star
    #[arg(long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
    /// The token's lifetime
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
}

/// Publish every sample event on the local cloud and show the notifications that arrive
#[derive(ClapArgs)]
#[command(after_help = "Example:\n  carillon-dev demo")]
pub(crate) struct Demo {
    /// The project with the samples and people, including those of its packs
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// A folder with `PACK/SAMPLE`.json and people.json, instead of the project's samples
    #[arg(long, value_name = "FOLDER")]
    pub(crate) samples: Option<PathBuf>,
    /// The longest wait for all outcomes
    #[arg(long, default_value_t = 240, value_name = "SECONDS")]
    pub(crate) patience: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn commands_in_documents_exist() {
        assert!(!documents::commands("carillon-dev").is_empty());
        let refused = documents::refused::<Args>("carillon-dev");
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }

    #[test]
    fn command_line_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_and_a_description() {
        for command in Args::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(command.get_about().is_some() && help.contains("Example"), "{}", command.get_name());
        }
    }
}
