//! The command line.

use std::path::PathBuf;

mod endpoints;

pub(crate) use endpoints::{Endpoints, Named, PutEndpoint, Recover, Rotate, SecretScheme};

use clap::builder::{NonEmptyStringValueParser, RangedU64ValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand};

mod audit;
mod dlq;
mod events;
mod local;
mod people;
mod project;
mod reading;
mod render;
mod replay;
mod shell;
mod target;

pub(crate) use audit::{Audit, AuditAccess, Seals, Verify};
pub(crate) use dlq::{Discard, Dlq, DlqWhich, Peek, Redrive};
pub(crate) use events::{Chosen, Events, EventsLs, EventsStream, Outbox, OutboxLs};
pub(crate) use local::{Local, LocalUp, Logs, Reload};
pub(crate) use people::{Find, Import, Members, People, Show};
pub(crate) use project::{Init, Pack, PackAdd, PackDiff, PackLs};
pub(crate) use reading::{Inbox, Received};
pub(crate) use render::Render;
pub(crate) use replay::Replay;
pub(crate) use shell::{Completion, Man};
pub(crate) use target::Target;
use target::version;

/// An event in; the right people told once, on the channel they chose, with proof.
#[derive(Parser)]
#[command(name = "carillon", version = version(), propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Answer in JSON, one value a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Check(Check),
    /// The packs of this release, and a project's copies of them
    #[command(subcommand)]
    Pack(Pack),
    Publish(Publish),
    Tail(Tail),
    Match(Match),
    Explain(Explain),
    Render(Render),
    WhatIf(WhatIf),
    /// The people who can be told something
    #[command(subcommand)]
    People(People),
    /// What producers wrote in their own transactions, until the audit has seen it on the bus
    #[command(subcommand)]
    Outbox(Outbox),
    /// The event store: everything that happened, by time or by aggregate
    #[command(subcommand)]
    Events(Events),
    /// Whether anybody touched what was recorded, and who asked for what
    #[command(subcommand)]
    Audit(Audit),
    /// The systems that tenants want to be told by webhook
    #[command(subcommand)]
    Endpoints(Endpoints),
    Ticket(Ticket),
    Token(Token),
    Received(Received),
    Inbox(Inbox),
    /// What could not be handled and was put aside
    #[command(subcommand)]
    Dlq(Dlq),
    Replay(Replay),
    #[command(subcommand)]
    Local(Local),
    Demo(Demo),
    Completion(Completion),
    Man(Man),
}

/// Compile config/ and say everything that is wrong with it
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon check
  carillon check --strict
  carillon check my-config --strict
  carillon check --samples more-events
  carillon check --against deployed.json
  carillon check --out target/lambda/dispatch/catalog.json")]
pub(crate) struct Check {
    /// The project, or a folder with rules/, templates/, and perhaps policy.yaml and tests/
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Sample events: each must reach a recipient, and each rule must be reached. Runs the decision tests too. A project
    /// has samples of its own and of its packs; these are added
    #[arg(long, value_name = "FOLDER")]
    pub(crate) samples: Option<PathBuf>,
    /// Refuse a rule that no decision test names, instead of warning of it
    #[arg(long)]
    pub(crate) strict: bool,
    /// Warn of rules that this catalog has and the compiled one has not: what waits for them would never be sent
    #[arg(long, value_name = "CATALOG")]
    pub(crate) against: Option<PathBuf>,
    /// Write the compiled catalog here, and the policy as policy.json: beside it, or, where the folder is `dispatch`, into
    /// the folders of the other functions that need it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the folder's own pages here, for the API
    #[arg(long, value_name = "FILE")]
    pub(crate) pages: Option<PathBuf>,
}

/// Put events on the bus
///
/// A file holds one event, a JSON list of events, or one event a line. Events are CloudEvents, EventBridge events,
/// entries of PutEvents as `aws events put-events --entries` takes them, or the older envelopes that Carillon knows.
/// AWS_ENDPOINT_URL is honoured.
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
    /// Give every event a new id and the present time, so that a sample can be sent again
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Publish under this source, in place of the one that the events name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) source: Option<String>,
    /// Read the events and say what would be published, without publishing
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
    /// Begin with the oldest that is still in the streams (24 hours), not with now
    #[arg(long)]
    pub(crate) all: bool,
    /// Stop after this many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
}

/// Ask whether a pattern matches an event: exit 0 if it does, 1 if not
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon match --pattern pattern.json --event packs/core/events/hello.json
  carillon match --pattern pattern.json --event - < event.json && echo yes

The pattern is EventBridge's, as in `aws events test-event-pattern`. An EventBridge event is matched as it is; a
CloudEvent, or an older envelope, as rules see it: the envelope under `detail`. Rules see the detail of a plain event
under `detail.data`; where a rule with this pattern answers otherwise, a note says so.")]
pub(crate) struct Match {
    /// A file with a pattern, in JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) pattern: PathBuf,
    /// A file with one event, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) event: PathBuf,
}

/// Say who hears of an event, on which channel and when, and why; or why somebody does not
///
/// EVENT is a file: then it is decided here, without any cloud, as if nothing had happened before, and what waits is
/// followed to its end. Or it is the id of an event that happened: then it says what came of it, and what is decided and
/// not taken up by its channel yet.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon explain packs/care/events/emergency.alert.created.json
  carillon explain packs/tasks/events/task.comment.added.json --recipient ann --at 2026-11-20T23:30:00Z
  carillon explain event.json --source order-service           # an event that names no source
  carillon explain packs/tasks/events/task.created.json --as-test >> packs/tasks/tests/tasks.yaml
  carillon explain 7f3c9c2e-1b1d-4f0e-9d55-2f4b --recipient ann")]
pub(crate) struct Explain {
    /// A file with one event, - for standard input, or the id of an event that happened
    #[arg(value_name = "EVENT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) event: String,
    /// Only this recipient: an id, or room:<name>:<value>
    #[arg(long)]
    pub(crate) recipient: Option<String>,
    /// Only this channel
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// Decide as if it were this time, such as 2026-11-20T23:30:00Z; the event's own time, when it is left out
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// The rules: a config folder, or a compiled catalog. Without it: `config` for a file; for an id the catalog that was
    /// built in target/
    #[arg(long, value_name = "FOLDER")]
    pub(crate) config: Option<PathBuf>,
    /// How many lines; of more a summary is printed, too
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
    /// Print what is decided about a file as the lines of a decision test, for config/tests
    #[arg(long)]
    pub(crate) as_test: bool,
    /// The people, with the roles and topics they have; those of the project and its packs, when it is left out
    #[arg(long, value_name = "FILE")]
    pub(crate) people: Option<PathBuf>,
    /// The source: of an event in a file that names none, or in place of the one that it names; or of an event that
    /// happened, where its id alone is not enough
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// How far back to look for an event by its id, be it the event's own or EventBridge's
    #[arg(long, default_value = "7d", value_name = "TIME")]
    pub(crate) since: String,
}

/// Decide about events that happened under other rules, and say who would hear more and who less
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon what-if --config my-config --since 7d
  carillon --env prod what-if --config config --against deployed.json --since 24h --json")]
pub(crate) struct WhatIf {
    /// The changed rules: a config folder, or a compiled catalog
    #[arg(long, value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// What they are compared with
    #[arg(long, default_value = "target/lambda/dispatch/catalog.json", value_name = "CATALOG")]
    pub(crate) against: PathBuf,
    /// How far back: 30m, 24h, 7d
    #[arg(long, default_value = "7d", value_name = "TIME")]
    pub(crate) since: String,
    /// How many of the differences are printed one by one
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    pub(crate) show: usize,
}

/// Issue a ticket that lets one WebSocket connect, once, within 30 seconds
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon ticket patient-lena --tenant clinic-7 --room 'queue:*'")]
pub(crate) struct Ticket {
    /// Whose socket it will be
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user: String,
    /// The tenant whose events it hears
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// A room it may join, or the beginning of one and a star
    #[arg(long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
}

/// Print a token for the HTTP API of the local cloud
///
/// The local issuer believes whatever it is told; on AWS tokens come from an issuer of your own.
#[derive(ClapArgs)]
#[command(after_help = "Example:
  curl -H \"authorization: Bearer $(carillon token --user patient-lena --tenant clinic-7)\" \\
    \"$(carillon --json local status | jq -r .tokenUrl)/v1/recipients/patient-lena\"")]
pub(crate) struct Token {
    /// Who has it: the id that events carry
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user: String,
    /// Whose people and events it reaches
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) tenant: String,
    /// What they are there: `admin` may do everything in the tenant
    #[arg(long = "role", value_name = "ROLE", default_value = "member")]
    pub(crate) roles: Vec<String>,
    /// A room their sockets may join, or the beginning of one and a star
    #[arg(long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
    /// How long it is good for
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
}

/// Send every sample event through the local cloud and show who was told what
#[derive(ClapArgs)]
#[command(after_help = "Example:\n  carillon demo")]
pub(crate) struct Demo {
    /// The project whose samples and people are played, with those of its packs
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// A folder with <pack>/<sample>.json and people.json, in place of the project's samples
    #[arg(long, value_name = "FOLDER")]
    pub(crate) samples: Option<PathBuf>,
    /// How many seconds to wait for everything to arrive
    #[arg(long, default_value_t = 240, value_name = "SECONDS")]
    pub(crate) patience: u64,
}

/// One at least.
fn some() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_verb_and_every_option_can_be_told_apart() {
        Args::command().debug_assert();
    }
}
