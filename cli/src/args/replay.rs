//! `carillon replay`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Send recorded events on their way again: a dry run, unless --run is given
///
/// Events are the same events: nobody is told twice of what the ledger knows, unless --force asks for it. They are decided
/// about by the rules, people and preferences of now, and carry the extension `replayid`, which patterns can match.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon replay --from 2h                                  what dispatch never decided about
  carillon replay --from 2026-11-20T12:00:00Z --to 2026-11-20T13:00:00Z --type 'order.*' --run
  carillon replay --id e-17 --force --reason 'the letter had the wrong link' --run
  carillon replay --from 30d --to-consumer https://sqs.eu-central-1.amazonaws.com/1234/orders --run
  carillon replay --resume .carillon/replay-20261121T120000-3f9a.json

Times are those at which events were recorded. A replay that was stopped is gone on with by --resume.")]
pub(crate) struct Replay {
    /// Begin with what was recorded then: a time, or so long ago (30m, 24h, 7d)
    #[arg(long, value_name = "TIME", required_unless_present_any = ["id", "resume"])]
    pub(crate) from: Option<String>,
    /// End there, likewise; a minute ago, when it is left out
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) which: ReplayWhich,
    /// Where they go: dispatch (its bulk lane), audit, bus (everybody), or the URL of a queue
    #[arg(long, default_value = "dispatch", value_name = "CONSUMER")]
    pub(crate) to_consumer: String,
    /// Also what the ledger knows: what is missing is told, nothing is told twice. Queues of others get all anyway
    #[arg(long)]
    pub(crate) all: bool,
    /// Tell people again who were told: every event has a new idempotency key for this replay
    #[arg(long, requires = "reason", conflicts_with = "all")]
    pub(crate) force: bool,
    /// Why, in words; the audit keeps it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who does it; the audit keeps it
    #[arg(long, env = "USER", default_value = "unknown", value_name = "NAME")]
    pub(crate) by: String,
    /// So many events a second: 50, or 50/s
    #[arg(long, default_value = "50", value_name = "RATE", value_parser = rate)]
    pub(crate) rate: u32,
    /// Do it
    #[arg(long)]
    pub(crate) run: bool,
    /// Keep how far it is in this file, and not in .carillon/
    #[arg(long, value_name = "FILE", requires = "run")]
    pub(crate) state: Option<PathBuf>,
    /// Go on with a replay that was stopped, as its file says
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "from", "to", "type", "tenant", "stream", "id", "to_consumer", "all", "force", "reason", "state",
    ])]
    pub(crate) resume: Option<PathBuf>,
}

/// Which of the recorded events are meant: those that fit everything that is said.
#[derive(ClapArgs, Clone)]
pub(crate) struct ReplayWhich {
    /// Of this type, or the beginning of one and a star: order.*
    #[arg(long = "type", id = "type", value_name = "PATTERN")]
    pub(crate) kind: Option<String>,
    /// Of this tenant
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Of this aggregate: what events call their subject
    #[arg(long, value_name = "STREAM")]
    pub(crate) stream: Option<String>,
    /// With this id, of whatever source; may be given several times
    #[arg(long = "id", id = "id", value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text).parse().ok();
    number
        .filter(|number| (1..=1_000).contains(number))
        .ok_or_else(|| "write a number from 1 to 1000".to_owned())
}
