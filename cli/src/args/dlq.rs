//! `carillon dlq`.

use clap::{Args as ClapArgs, Subcommand};

use super::some;

#[derive(Subcommand)]
pub(crate) enum Dlq {
    Ls(DlqLs),
    Peek(Peek),
    Redrive(Redrive),
    Discard(Discard),
}

/// Which dead letters are meant: all, or those that fit everything that is said
#[derive(ClapArgs)]
pub(crate) struct DlqWhich {
    /// Of this queue only, such as email, dispatch or sms-critical
    #[arg(value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
    /// Put aside for this cause, as `dlq ls` prints it
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// Of this tenant
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// About events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Put aside not longer ago than this: 30m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Put aside longer ago than this
    #[arg(long, value_name = "TIME")]
    pub(crate) before: Option<String>,
    /// This one, by the id that `dlq peek` prints
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Look at so many messages of a queue at most
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = some())]
    pub(crate) look_at: usize,
}

/// Count dead letters by queue and cause; exit 1 if there are any
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq ls
  carillon dlq ls email --since 24h
  carillon --env prod --json dlq ls | jq 'select(.cause == \"gave_up\")'

Looking counts as a receive for SQS and changes nothing else; what is looked at is hidden from others meanwhile.")]
pub(crate) struct DlqLs {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
}

/// Print dead letters one by one, the oldest first, with their cause
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq peek dispatch
  carillon dlq peek --cause refused --body --most 1")]
pub(crate) struct Peek {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
    /// How many are printed
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    pub(crate) most: usize,
    /// Print the message itself too: it may hold addresses and texts
    #[arg(long)]
    pub(crate) body: bool,
}

/// Send dead letters back to the queues they came from: one first, then the others at a set rate
///
/// They go back word by word, so that they have the same keys: what was done already is not done again. Without --yes it
/// only says what it would do.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq redrive email
  carillon dlq redrive email --cause gave_up --yes
  carillon dlq redrive --tenant clinic-7 --rate 50 --yes")]
pub(crate) struct Redrive {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
    /// So many a second
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) rate: u32,
    /// For how many seconds the first of a queue must stay away before the others follow; 0 does not wait
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) watch: u32,
    /// Do it
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Delete dead letters for good; without --yes it only says which
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq discard dispatch --cause refused --before 7d
  carillon dlq discard --id 4c2f… --yes")]
pub(crate) struct Discard {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
    /// Do it
    #[arg(long)]
    pub(crate) yes: bool,
}
