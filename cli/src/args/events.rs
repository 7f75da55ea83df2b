//! `carillon outbox` and `carillon events`.

use clap::{Args as ClapArgs, Subcommand};

use super::{age, some};

#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// Count pending and failed entries, and print the age of the oldest; exit 1 for failed entries
    #[command(after_help = "Examples:
  carillon outbox stats
  carillon --env dev --json outbox stats | jq .oldestSeconds")]
    Stats,
    Ls(OutboxLs),
}

/// List pending entries, oldest first, or failed ones with the cause
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon outbox ls
  carillon outbox ls --failed --limit 5")]
pub(crate) struct OutboxLs {
    /// List failed entries
    #[arg(long)]
    pub(crate) failed: bool,
    /// The most lines
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
}

#[derive(Subcommand)]
pub(crate) enum Events {
    Ls(EventsLs),
    Stream(EventsStream),
    Export(EventsExport),
}

/// Filters of the recorded events.
#[derive(ClapArgs)]
pub(crate) struct Chosen {
    /// The age of the oldest event: 30m, 24h, 7d
    #[arg(long, default_value = "24h", value_name = "TIME", value_parser = age)]
    pub(crate) since: String,
    /// Only this type, or a prefix and a star: order.*
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Only this tenant
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Only this id, of any source. Two lines with one source are two bodies with the same id
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Leave out Carillon's own events: carillon.* and communication.sent
    #[arg(long)]
    pub(crate) mine: bool,
}

/// List recorded events, newest first
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon events ls --since 1h
  carillon events ls --mine --limit 20
  carillon events ls --type 'order.*' --tenant clinic-7 --oldest-first --limit 10
  carillon events ls --refused")]
pub(crate) struct EventsLs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// List refused events with the reason
    #[arg(long, conflicts_with = "tenant")]
    pub(crate) refused: bool,
    /// The most lines
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
    /// Print the oldest first
    #[arg(long)]
    pub(crate) oldest_first: bool,
}

/// Print the events of an aggregate by version
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon events stream order/7
  carillon events stream order/7 --tenant t-1 --back --limit 1")]
pub(crate) struct EventsStream {
    /// The aggregate: the subject of events
    pub(crate) subject: String,
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The first version; by default the oldest, or with --back the newest
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<u64>,
    /// Print newer versions first
    #[arg(long)]
    pub(crate) back: bool,
    /// The most events
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
}

/// Write events as JSON lines, oldest first; `carillon publish -` reads them
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon events export --since 7d --type 'order.*' > orders.jsonl")]
pub(crate) struct EventsExport {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
}
