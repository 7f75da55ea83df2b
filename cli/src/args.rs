//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

mod dlq;

pub(crate) use dlq::{Discard, Dlq, DlqWhich, Peek, Redrive};

/// An event in; the right people told once, on the channel they chose, with proof.
#[derive(Parser)]
#[command(name = "carillon", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Answer in JSON, one value a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which deployment is meant.
#[derive(ClapArgs, Clone)]
pub(crate) struct Target {
    /// The environment: the stack carillon-<ENV>. `local` is the local cloud that `make up` started
    #[arg(long = "env", global = true, env = "CARILLON_ENV", default_value = "local", value_name = "ENV")]
    pub(crate) environment: String,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Check(Check),
    Publish(Publish),
    Tail(Tail),
    Match(Match),
    Explain(Explain),
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
    Ticket(Ticket),
    Token(Token),
    /// What could not be handled and was put aside
    #[command(subcommand)]
    Dlq(Dlq),
    #[command(subcommand)]
    Local(Local),
    Demo(Demo),
}

/// Compile config/ and say everything that is wrong with it
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon check
  carillon check config --samples events
  carillon check --samples events --strict
  carillon check --out target/lambda/dispatch/catalog.json")]
pub(crate) struct Check {
    /// The folder with rules/, templates/, and perhaps policy.yaml and tests/
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Sample events: each must reach somebody, and each rule must be reached. Runs the decision tests too
    #[arg(long, value_name = "FOLDER")]
    pub(crate) samples: Option<PathBuf>,
    /// Refuse a rule that no decision test names, instead of warning of it
    #[arg(long, requires = "samples")]
    pub(crate) strict: bool,
    /// Write the compiled catalog here
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Put events on the bus
///
/// A file holds one event, a JSON list of events, or one event a line. Events are CloudEvents, EventBridge events, or
/// the older envelopes that Carillon knows. AWS_ENDPOINT_URL is honoured.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon publish events/core/hello.json
  carillon publish --fresh events/healthcare/*.json
  producer | carillon --env dev publish -")]
pub(crate) struct Publish {
    /// Files, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Give every event a new id and the present time, so that a sample can be sent again
    #[arg(long)]
    pub(crate) fresh: bool,
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
  carillon match --pattern pattern.json --event events/core/hello.json
  carillon match --pattern pattern.json --event - < event.json && echo yes

The pattern is EventBridge's, as in `aws events test-event-pattern`. An EventBridge event is matched as it is; a
CloudEvent, or an older envelope, as rules see it: the envelope under `detail`.")]
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
/// followed to its end. Or it is the id of an event that happened: then it says what came of it.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon explain events/care/emergency.alert.created.json
  carillon explain events/tasks/task.commented.json --recipient ann --at 2026-11-20T23:30:00Z
  carillon explain 7f3c9c2e-1b1d-4f0e-9d55-2f4b --recipient ann")]
pub(crate) struct Explain {
    /// A file with one event, - for standard input, or the id of an event that happened
    #[arg(value_name = "EVENT")]
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
    /// The rules: a config folder, or a compiled catalog
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// The people, with the roles and topics they have
    #[arg(long, default_value = "events/people.json", value_name = "FILE")]
    pub(crate) people: PathBuf,
    /// The source of an event that happened, where its id alone is not enough
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// How far back to look for an event by its id
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

#[derive(Subcommand)]
pub(crate) enum People {
    Import(Import),
    Show(Show),
    Members(Members),
}

/// Add people and tenants, or replace those who are there, by their ids
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon people import events/people.json

A file holds a JSON list, or one person or tenant a line:
  {\"id\":\"u-1\",\"name\":\"Ann\",\"email\":\"ann@example.com\",\"locale\":\"en\",\"zone\":\"Europe/London\",
   \"tenants\":[\"clinic-7\"],\"roles\":[{\"role\":\"clinic-staff\",\"in\":\"clinic-7\"}],\"topics\":[\"project:42\"]}
  {\"tenant\":\"clinic-7\",\"zone\":\"Europe/London\"}

Further members of a person: phone, whatsapp, devices, topics_in, preferences, quiet, in_tenants, suppressed. What a
person's line does not mention is gone afterwards, but for suppressed: a closed channel is opened only by naming it.")]
pub(crate) struct Import {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Print everything that is known of a person, addresses too
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon people show patient-lena
  carillon --env dev --json people show patient-lena | jq .topics")]
pub(crate) struct Show {
    /// The id that events carry
    pub(crate) id: String,
}

/// Print who has a role, or follows a topic: one id a line, as they are read; exit 1 if nobody does
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon people members topic:project:42 --tenant clinic-7
  carillon people members topic:news:weekly
  carillon people members role:clinic-staff --in clinic-7 | wc -l

A topic belongs to its tenant; without --tenant it is the one of no tenant.")]
pub(crate) struct Members {
    /// topic:<name>:<value> or role:<role>
    pub(crate) group: String,
    /// Whose topic it is
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The scope of the role
    #[arg(long = "in", value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// Begin after this member
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// Count what is pending and what has failed, and say how old the oldest is; exit 1 if anything has failed
    #[command(after_help = "Examples:
  carillon outbox stats
  carillon --env dev --json outbox stats | jq .oldestSeconds")]
    Stats,
    Ls(OutboxLs),
}

/// List what is pending, oldest first, or what the bus refused and why
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon outbox ls
  carillon outbox ls --failed --limit 5")]
pub(crate) struct OutboxLs {
    /// What the bus refused, with the cause
    #[arg(long)]
    pub(crate) failed: bool,
    /// How many lines
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    pub(crate) limit: usize,
}

#[derive(Subcommand)]
pub(crate) enum Events {
    Ls(EventsLs),
    Stream(EventsStream),
    Export(EventsExport),
}

/// Which of the recorded events are meant.
#[derive(ClapArgs)]
pub(crate) struct Chosen {
    /// How far back: 30m, 24h, 7d
    #[arg(long, default_value = "24h", value_name = "TIME")]
    pub(crate) since: String,
    /// Only this type, or the beginning of one and a star: order.*
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Only this tenant
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Only this id, of whatever source: two lines for one source are two bodies under one id
    #[arg(long)]
    pub(crate) id: Option<String>,
}

/// List events in the order in which they were recorded
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon events ls --since 1h
  carillon events ls --type 'order.*' --tenant clinic-7 --limit 10")]
pub(crate) struct EventsLs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// How many lines
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    pub(crate) limit: usize,
}

/// Print the events of one aggregate by their versions
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon events stream order/7
  carillon events stream order/7 --tenant t-1 --back --limit 1")]
pub(crate) struct EventsStream {
    /// The aggregate: what events call their subject
    pub(crate) subject: String,
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Begin with this version: the first, or with --back the newest, when it is left out
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<u64>,
    /// From newer versions to older ones
    #[arg(long)]
    pub(crate) back: bool,
    /// How many events
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    pub(crate) limit: usize,
}

/// Write events as JSON lines, in the order in which they were recorded; `carillon publish -` reads them
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon events export --since 7d --type 'order.*' > orders.jsonl")]
pub(crate) struct EventsExport {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
}

/// Issue a ticket that lets one WebSocket connect, once, within 30 seconds
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon ticket patient-lena --tenant clinic-7 --room 'queue:*'")]
pub(crate) struct Ticket {
    /// Whose socket it will be
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
    #[arg(long)]
    pub(crate) user: String,
    /// Whose people and events it reaches
    #[arg(long)]
    pub(crate) tenant: String,
    /// What they are there: `admin` may do everything in the tenant
    #[arg(long = "role", value_name = "ROLE", default_value = "member")]
    pub(crate) roles: Vec<String>,
    /// A room their sockets may join, or the beginning of one and a star
    #[arg(long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
    /// How long it is good for
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS")]
    pub(crate) seconds: u64,
}

/// Start, stop and look into the local cloud; `make up`, `make down` and `make logs` call this
#[derive(Subcommand)]
pub(crate) enum Local {
    /// Start it if it is not running, and deploy the template and the functions to it
    Up(LocalUp),
    /// Stop it
    Down,
    /// Print what it is doing, and where
    Status,
    /// Print what the functions logged
    #[command(after_help = "Example:\n  carillon local logs email")]
    Logs {
        /// One function; all when it is left out
        function: Option<String>,
    },
    Capture(Capture),
    Proxy(Proxy),
}

#[derive(ClapArgs)]
pub(crate) struct LocalUp {
    /// The cargo profile the functions were built with
    #[arg(long, default_value = "local")]
    pub(crate) profile: String,
}

/// Play the services that the local cloud has not, and keep what they are sent; `make up` starts it
///
/// Plays SNS mobile push and End User Messaging Social, and takes any POST below /hooks/. What came is at /captured, at
/// /captured?channel=push and so on, and in .local/captured.jsonl. An endpoint with /disabled/ in its ARN is disabled.
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon local capture --port 4700")]
pub(crate) struct Capture {
    /// Where it listens, on 127.0.0.1
    #[arg(long)]
    pub(crate) port: u16,
}

/// Pass the functions' calls on to the local cloud, keep a journal of them, and break what is asked; `make up` starts it
///
/// GET /_journal?after=N lists the calls after the Nth. PUT /_faults takes a plan such as
///   {"seed":7,"faults":[{"service":"dynamodb","function":"email","do":"drop_reply","times":1}]}
/// What can be done: delay (with "millis"), drop, drop_reply, truncate, duplicate, throttle, error, reorder, kill_before,
/// kill_after. A fault may also name an "action" and what the body "contains", "skip" so many first, and have a "chance".
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon local proxy --port 4701 --to 4620
  curl -X PUT -d '{\"faults\":[{\"service\":\"ses\",\"do\":\"error\"}]}' http://127.0.0.1:4701/_faults")]
pub(crate) struct Proxy {
    /// Where it listens, on 127.0.0.1
    #[arg(long)]
    pub(crate) port: u16,
    /// The local cloud's port
    #[arg(long)]
    pub(crate) to: u16,
}

/// Send every sample event through the local cloud and show who was told what
#[derive(ClapArgs)]
#[command(after_help = "Example:\n  carillon demo")]
pub(crate) struct Demo {
    /// The sample events
    #[arg(long, default_value = "events", value_name = "FOLDER")]
    pub(crate) samples: PathBuf,
    /// How many seconds to wait for everything to arrive
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) patience: u64,
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
