//! `carillon outbox` and `carillon events`.

use clap::{Args as ClapArgs, Subcommand};

use super::some;

#[derive(Subcommand)]
pub(crate) enum Outbox {
    /// Count what is pending and what has failed, and say how old the oldest is; exit 1 if anything has failed
    #[command(after_help = "Examples:
  carillon outbox stats
  carillon --env dev --json outbox stats | jq .oldestSeconds")]
    Stats,
    Ls(OutboxLs),
}

/// List what is pending, oldest first, or what was set aside and why
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon outbox ls
  carillon outbox ls --failed --limit 5")]
pub(crate) struct OutboxLs {
    /// What was set aside, with the cause
    #[arg(long)]
    pub(crate) failed: bool,
    /// How many lines
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = some())]
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
    /// Without Carillon's own: carillon.* and communication.sent
    #[arg(long)]
    pub(crate) mine: bool,
}

/// List events as they were recorded, the newest first
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon events ls --since 1h
  carillon events ls --mine --limit 20
  carillon events ls --type 'order.*' --tenant clinic-7 --oldest-first --limit 10
  carillon events ls --refused")]
pub(crate) struct EventsLs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// The events that were refused, with the reason
    #[arg(long, conflicts_with = "tenant")]
    pub(crate) refused: bool,
    /// How many lines
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
    /// In the order in which they were recorded
    #[arg(long)]
    pub(crate) oldest_first: bool,
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
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = some())]
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
