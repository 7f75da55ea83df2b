//! `carillon dlq`.

use clap::{Args as ClapArgs, Subcommand};

use super::{age, some};

#[derive(Subcommand)]
pub(crate) enum Dlq {
    Ls(DlqLs),
    Peek(Peek),
    Redrive(Redrive),
    Discard(Discard),
}

/// Filters of the dead letters. All must match
#[derive(ClapArgs)]
pub(crate) struct DlqWhich {
    /// The queue, such as email, dispatch or sms-critical
    #[arg(value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
    /// The cause, as `dlq ls` prints it
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// The tenant
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The event type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The highest age: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(crate) since: Option<String>,
    /// The lowest age
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(crate) before: Option<String>,
    /// The id, as `dlq peek` prints it
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// The most messages that are read from a queue
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = some())]
    pub(crate) look_at: usize,
}

/// Count dead letters by queue and cause; exit 1 if any exist
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq ls
  carillon dlq ls email --since 24h
  carillon --env prod --json dlq ls | jq 'select(.cause == \"gave_up\")'

Reading counts as a receive for SQS. The messages are hidden from other readers meanwhile.")]
pub(crate) struct DlqLs {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
}

/// Print dead letters with their causes, oldest first
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq peek dispatch
  carillon dlq peek --cause refused --body --most 1")]
pub(crate) struct Peek {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
    /// The most dead letters
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    pub(crate) most: usize,
    /// Print the message, too; it can contain addresses and texts
    #[arg(long)]
    pub(crate) body: bool,
}

/// Send dead letters back to their queues: one first, then the others at a set rate
///
/// The messages are unchanged, so completed work is not repeated. Without --yes the command prints the plan only.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq redrive email
  carillon dlq redrive email --cause gave_up --yes
  carillon dlq redrive --tenant clinic-7 --rate 50 --yes")]
pub(crate) struct Redrive {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
    /// Messages a second
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) rate: u32,
    /// The wait for a return of the first message of a queue before the others follow; 0 for none
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) watch: u32,
    /// Send the messages
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Delete dead letters; without --yes the command lists them only
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon dlq discard dispatch --cause refused --before 7d
  carillon dlq discard --id 4c2f… --yes")]
pub(crate) struct Discard {
    #[command(flatten)]
    pub(crate) which: DlqWhich,
    /// Delete the messages
    #[arg(long)]
    pub(crate) yes: bool,
}
