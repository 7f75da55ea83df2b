//! `carillon replay`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Send recorded events again; a dry run without --run
///
/// Notifications with a ledger row are not sent twice, unless --force is given. The current rules, people and preferences
/// decide. Replayed events have the extension `replayid`, which patterns can match.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon replay --from 2h                                  # events without a decision
  carillon replay --from 2026-11-20T12:00:00Z --to 2026-11-20T13:00:00Z --type 'order.*' --run
  carillon replay --id e-17 --force --reason 'the e-mail had the wrong link' --run
  carillon replay --from 30d --to-consumer https://sqs.eu-central-1.amazonaws.com/1234/orders --run
  carillon replay --resume .carillon/replay-20261121T120000-3f9a.json

Times are the recording times of events. --resume continues an interrupted replay.")]
pub(crate) struct Replay {
    /// The first recording time: a timestamp or an age (30m, 24h, 7d)
    #[arg(long, value_name = "TIME", required_unless_present_any = ["id", "resume"])]
    pub(crate) from: Option<String>,
    /// The last recording time; a minute ago by default
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) which: ReplayWhich,
    /// The receiver: dispatch (its bulk lane), audit, bus (all receivers), or the URL of a queue
    #[arg(long, default_value = "dispatch", value_name = "CONSUMER")]
    pub(crate) to_consumer: String,
    /// Also replay events that have ledger rows. Missing notifications are sent, and none is sent twice. Other queues always
    /// get all events
    #[arg(long)]
    pub(crate) all: bool,
    /// Send again to notified recipients: every event has a new idempotency key for this replay
    #[arg(long, requires = "reason", conflicts_with = "all")]
    pub(crate) force: bool,
    /// The reason, for the audit record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The operator, for the audit record
    #[arg(long, env = "USER", default_value = "unknown", value_name = "NAME")]
    pub(crate) by: String,
    /// Events a second: 50, or 50/s
    #[arg(long, default_value = "50", value_name = "RATE", value_parser = rate)]
    pub(crate) rate: u32,
    /// Send the events
    #[arg(long)]
    pub(crate) run: bool,
    /// The file for the progress, instead of one in .carillon/
    #[arg(long, value_name = "FILE", requires = "run")]
    pub(crate) state: Option<PathBuf>,
    /// Continue the replay of this progress file
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "from", "to", "type", "tenant", "stream", "id", "to_consumer", "all", "force", "reason", "state",
    ])]
    pub(crate) resume: Option<PathBuf>,
}

/// Filters of the recorded events. All must match.
#[derive(ClapArgs, Clone)]
pub(crate) struct ReplayWhich {
    /// The type, or a prefix and a star: order.*
    #[arg(long = "type", id = "type", value_name = "PATTERN")]
    pub(crate) kind: Option<String>,
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// The aggregate: the subject of events
    #[arg(long, value_name = "STREAM")]
    pub(crate) stream: Option<String>,
    /// The id, of any source; can be repeated
    #[arg(long = "id", id = "id", value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text).parse().ok();
    number
        .filter(|number| (1..=1_000).contains(number))
        .ok_or_else(|| "write a number from 1 to 1000".to_owned())
}
