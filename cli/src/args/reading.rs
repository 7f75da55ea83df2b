//! `carillon received` and `carillon inbox`.

use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;

use domain::base::channel::Channel;
use domain::inbox::{InboxFilter, Mark};

use super::{age, channel, named, some};

/// Print the notifications of a recipient on all channels, newest first; exit 1 without any
///
/// The source is the ledger. The texts of in-app messages come from the inbox. The texts of other channels are shown on the
/// local cloud only.
#[derive(ClapArgs)]
#[command(
    visible_alias = "outbox-of",
    after_help = "Examples:
  carillon received patient-lena
  carillon received patient-lena --since 24h --channel email
  carillon received room:queue:triage-1
  carillon received ann@example.com               # a recipient without an id
  carillon --env prod --json received patient-lena | jq 'select(.status == \"suppressed\") | .reason'"
)]
pub(crate) struct Received {
    /// The recipient: an id, room:<name>:<value>, or an address
    #[arg(value_name = "RECIPIENT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) recipient: String,
    /// The age of the oldest notification: 30m, 24h, 7d
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = age)]
    pub(crate) since: String,
    /// Only this channel
    #[arg(long, value_parser = channel())]
    pub(crate) channel: Option<Channel>,
    /// The most notifications
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
    /// Print the oldest first, and continue with new ones
    #[arg(long)]
    pub(crate) follow: bool,
}

/// Print the inbox of a recipient, newest first, or mark entries
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon inbox patient-lena --tenant clinic-westend
  carillon inbox patient-lena --filter unread --category billing
  carillon inbox patient-lena --mark seen --all
  carillon inbox patient-lena --mark archived --id ID --id ID")]
pub(crate) struct Inbox {
    /// The recipient's id
    #[arg(value_name = "RECIPIENT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) recipient: String,
    /// Only entries of this tenant and of none; all by default
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The filter: inbox (all but archived), unseen, unread or archived
    #[arg(long, alias = "shelf", conflicts_with = "mark", value_parser = named(InboxFilter::ALL.map(InboxFilter::name), InboxFilter::from_name))]
    pub(crate) filter: Option<InboxFilter>,
    /// Only entries of this category
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// The number below which the list begins
    #[arg(long, value_name = "NUMBER", conflicts_with = "mark")]
    pub(crate) before: Option<u64>,
    /// The number of entries, 1 to 100
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = some().range(1..=100))]
    pub(crate) limit: usize,
    /// The mark: seen, read, unread, archived or unarchived
    #[arg(long, value_name = "AS", requires = "which", value_parser = named(Mark::ALL.map(Mark::name), Mark::from_name))]
    pub(crate) mark: Option<Mark>,
    /// The id of an entry to mark
    #[arg(long = "id", value_name = "ID", requires = "mark", group = "which", conflicts_with = "category")]
    pub(crate) ids: Vec<String>,
    /// Mark all entries, or those of --category
    #[arg(long, requires = "mark", group = "which")]
    pub(crate) all: bool,
}
