//! The command line.

use std::path::PathBuf;

mod endpoints;

pub(crate) use endpoints::{Endpoints, Named, PutEndpoint, Recover, Rotate, SecretScheme};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand};
use domain::Timestamp;
use domain::base::channel::Channel;

mod audit;
mod dlq;
#[cfg(test)]
mod documents;
mod events;
mod people;
mod project;
mod reading;
mod render;
mod replay;
mod shell;
mod target;
mod upgrade;
mod values;

pub(crate) use audit::{Audit, AuditAccess, Seals, Verify};
pub(crate) use dlq::{Discard, Dlq, DlqWhich, Peek, Redrive};
pub(crate) use events::{Chosen, Events, EventsLs, EventsStream, Outbox, OutboxLs};
pub(crate) use people::{Find, Import, Members, People, Show};
pub(crate) use project::{Init, Pack, PackAdd, PackDiff, PackLs};
pub(crate) use reading::{Inbox, Received};
pub(crate) use render::Render;
pub(crate) use replay::Replay;
pub(crate) use shell::{Completion, Man};
pub use target::Target;
pub use target::version;
pub(crate) use upgrade::Upgrade;
use values::{age, channel, instant, named, some};

/// Check rules, publish and follow events, explain decisions, and operate a deployment of Carillon
#[derive(Parser)]
#[command(name = "carillon", version = version(), propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON, one value a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Check(Check),
    /// List the packs of this release, and copy them into a project
    #[command(subcommand)]
    Pack(Pack),
    Publish(Publish),
    Tail(Tail),
    Match(Match),
    Explain(Explain),
    Render(Render),
    WhatIf(WhatIf),
    /// Import, find and show recipients
    #[command(subcommand)]
    People(People),
    /// Show the outbox: events of producers' transactions that the audit has not confirmed on the bus
    #[command(subcommand)]
    Outbox(Outbox),
    /// Read the event store, by time or by aggregate
    #[command(subcommand)]
    Events(Events),
    /// Verify the audit records, and list accesses to personal data
    #[command(subcommand)]
    Audit(Audit),
    /// Manage tenants' webhook endpoints
    #[command(subcommand)]
    Endpoints(Endpoints),
    Ticket(Ticket),
    Received(Received),
    Inbox(Inbox),
    /// Inspect, redrive and discard dead letters
    #[command(subcommand)]
    Dlq(Dlq),
    Replay(Replay),
    Upgrade(Upgrade),
    Completion(Completion),
    Man(Man),
}

/// Compile config/ and report all errors and warnings
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon check
  carillon check --strict
  carillon check my-config --strict
  carillon check --samples more-events
  carillon check --against deployed.json
  carillon check --out target/lambda/dispatch/catalog.json")]
pub struct Check {
    /// The project, or a folder with rules/ and templates/, and optionally policy.yaml and tests/
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Additional sample events. Each must reach a recipient, and each rule must match a sample. The decision tests run, too.
    /// The samples of a project and its packs are always used
    #[arg(long, value_name = "FOLDER")]
    pub samples: Option<PathBuf>,
    /// Report a rule without a decision test as an error instead of a warning
    #[arg(long)]
    pub strict: bool,
    /// Warn of rules that this catalog has and the compiled one lacks. Waiting notifications of such rules are never sent
    #[arg(long, value_name = "CATALOG")]
    pub against: Option<PathBuf>,
    /// Write the compiled catalog to this file, and the policy to policy.json: in the same folder, or, for a folder called
    /// `dispatch`, in the folders of the other functions
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the project's unsubscribe pages to this file, for the API
    #[arg(long, value_name = "FILE")]
    pub pages: Option<PathBuf>,
}

/// Publish events to the bus
///
/// A file has one event, a JSON list of events, or one event a line. Events are CloudEvents, EventBridge events, entries of
/// `aws events put-events --entries`, or the older envelopes that Carillon knows. AWS_ENDPOINT_URL is used.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon publish packs/core/events/hello.json
  carillon publish --source /shop order.json
  carillon publish --fresh packs/healthcare/events/*.json
  producer | carillon --env dev publish -")]
pub(crate) struct Publish {
    /// Files, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Give every event a new id and the current time, so that a sample can be published again
    #[arg(long)]
    pub(crate) fresh: bool,
    /// The source; replaces the one of the events
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) source: Option<String>,
    /// Check the events and print them without publishing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Follow events, decisions and deliveries as they happen
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon tail
  carillon tail --all --for 5
  carillon --env dev --json tail | jq 'select(.status == \"failed\")'")]
pub(crate) struct Tail {
    /// Begin with the oldest entry of the streams (24 hours) instead of now
    #[arg(long)]
    pub(crate) all: bool,
    /// Stop after this many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
}

/// Test whether a pattern matches an event; exit 0 for a match, 1 otherwise
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon match --pattern pattern.json --event packs/core/events/hello.json
  carillon match --pattern pattern.json --event - < event.json && echo yes

The pattern is EventBridge's, as in `aws events test-event-pattern`. An EventBridge event is matched unchanged. A
CloudEvent or an older envelope is matched as rules do: with the envelope under `detail`. Rules have the detail of a
plain event under `detail.data`. If a rule with this pattern has another result, a note says so.")]
pub(crate) struct Match {
    /// A file with a JSON pattern
    #[arg(long, value_name = "FILE")]
    pub(crate) pattern: PathBuf,
    /// A file with one event, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) event: PathBuf,
}

/// Explain the notifications of an event: recipient, channel, time and reason
///
/// For a file, the decisions are made locally, without earlier events, and waits are followed to their end. For the id of a
/// recorded event, the outcomes are read from the ledger, with the notifications that still wait in a queue.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon explain packs/care/events/emergency.alert.created.json
  carillon explain packs/tasks/events/task.comment.added.json --recipient ann --at 2026-11-20T23:30:00Z
  carillon explain event.json --source order-service           # an event without a source
  carillon explain packs/tasks/events/task.created.json --as-test >> packs/tasks/tests/tasks.yaml
  carillon explain 7f3c9c2e-1b1d-4f0e-9d55-2f4b --recipient ann")]
pub(crate) struct Explain {
    /// A file with one event, - for standard input, or the id of a recorded event
    #[arg(value_name = "EVENT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) event: String,
    /// Only this recipient: an id, or room:<name>:<value>
    #[arg(long)]
    pub(crate) recipient: Option<String>,
    /// Only this channel
    #[arg(long, value_parser = channel())]
    pub(crate) channel: Option<Channel>,
    /// The time of the decision, such as 2026-11-20T23:30:00Z; the event's time by default
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) at: Option<Timestamp>,
    /// The rules: a config folder or a compiled catalog. The default is `config` for a file, and the catalog in target/ for
    /// an id
    #[arg(long, value_name = "FOLDER")]
    pub(crate) config: Option<PathBuf>,
    /// The most lines; with more, a summary is printed
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
    /// Print the decisions about a file as a decision test for config/tests
    #[arg(long)]
    pub(crate) as_test: bool,
    /// The people with their roles and topics; those of the project and its packs by default
    #[arg(long, value_name = "FILE")]
    pub(crate) people: Option<PathBuf>,
    /// The source. Replaces the one of an event in a file. For a recorded event, it tells apart events with the same id
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// The age limit of the search for an event by its own id or EventBridge's
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = age)]
    pub(crate) since: String,
}

/// Decide recorded events again with changed rules, and print the differences
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon what-if --config my-config --since 7d
  carillon --env prod what-if --config config --against deployed.json --since 24h --json")]
pub(crate) struct WhatIf {
    /// The changed rules: a config folder, or a compiled catalog
    #[arg(long, value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// The catalog for the comparison
    #[arg(long, default_value = "target/lambda/dispatch/catalog.json", value_name = "CATALOG")]
    pub(crate) against: PathBuf,
    /// The age of the oldest event: 30m, 24h, 7d
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = age)]
    pub(crate) since: String,
    /// The number of differences that are printed one by one
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    pub(crate) show: usize,
}

/// Issue a ticket that lets one WebSocket connect, once, within 30 seconds
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon ticket patient-lena --tenant clinic-7 --room 'queue:*'")]
pub(crate) struct Ticket {
    /// The user of the socket
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user: String,
    /// The tenant of the socket
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// A room that the socket can join, or a prefix and a star
    #[arg(long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn commands_in_documents_exist() {
        assert!(documents::commands("carillon").len() > 100);
        let refused = documents::refused::<Args>("carillon");
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }

    #[test]
    fn every_command_has_an_example_and_a_description() {
        check(&Args::command());
    }

    #[track_caller]
    fn check(command: &clap::Command) {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} has no description");
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(command.has_subcommands() || help.contains("Example"), "{name} has no example");
        command.get_subcommands().for_each(check);
    }
}
