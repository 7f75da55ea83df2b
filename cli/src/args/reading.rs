//! What people were told, read back.

use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;

use super::some;

/// Print everything somebody got, and was refused, on every channel, newest first; exit 1 if there is nothing
///
/// It comes from the ledger. The words of live messages come from the inbox; those of letters, texts and notes are shown
/// on the local cloud, which keeps them.
#[derive(ClapArgs)]
#[command(
    visible_alias = "outbox-of",
    after_help = "Examples:
  carillon received patient-lena
  carillon received patient-lena --since 24h --channel email
  carillon received room:queue:triage-1
  carillon received ann@example.com               # somebody who is known by nothing else
  carillon --env prod --json received patient-lena | jq 'select(.status == \"suppressed\") | .reason'"
)]
pub(crate) struct Received {
    /// The id that events carry, room:<name>:<value>, or an address that was written to directly
    #[arg(value_name = "RECIPIENT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) recipient: String,
    /// How far back: 30m, 24h, 7d
    #[arg(long, default_value = "7d", value_name = "TIME")]
    pub(crate) since: String,
    /// Only this channel
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = some())]
    pub(crate) limit: usize,
    /// Print the oldest first, and go on as more comes
    #[arg(long)]
    pub(crate) follow: bool,
}

/// Print what somebody was told live and can read later, newest first; or mark it
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon inbox patient-lena --tenant clinic-westend
  carillon inbox patient-lena --shelf unread --category billing
  carillon inbox patient-lena --mark seen --all
  carillon inbox patient-lena --mark archived --id <ID> --id <ID>")]
pub(crate) struct Inbox {
    /// Whose
    #[arg(value_name = "RECIPIENT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) recipient: String,
    /// Only what this tenant said, and what none did; everything, when it is left out
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// inbox (all that is not archived), unseen, unread or archived
    #[arg(long, conflicts_with = "mark")]
    pub(crate) shelf: Option<String>,
    /// Only what rules of this category said
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// Begin below this number
    #[arg(long, value_name = "NUMBER", conflicts_with = "mark")]
    pub(crate) before: Option<u64>,
    /// How many, 1 to 100
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = some().range(1..=100))]
    pub(crate) limit: usize,
    /// Mark as seen, read, unread, archived or unarchived
    #[arg(long, value_name = "AS", requires = "which")]
    pub(crate) mark: Option<String>,
    /// One that is marked
    #[arg(long = "id", value_name = "ID", requires = "mark", group = "which", conflicts_with = "category")]
    pub(crate) ids: Vec<String>,
    /// Mark everything, of one category where --category names it
    #[arg(long, requires = "mark", group = "which")]
    pub(crate) all: bool,
}
