//! What would be sent.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;

/// Print exactly what would be sent about an event, on each channel, without any cloud
///
/// The event is decided and rendered as the functions do it, and what waits is followed to its end. Endpoints of webhooks
/// are not looked up: `sample` stands for those of the event's tenant. Exit 1 where nothing would be sent.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon render packs/care/events/emergency.alert.created.json --recipient nurse-kim
  carillon render packs/tasks/events/task.comment.added.json --channel email --locale de --open
  carillon --json render packs/core/events/hello.json | jq .content
  carillon render packs/core/events/hello.json --out /tmp/preview")]
pub(crate) struct Render {
    /// A file with one event, or - for standard input
    #[arg(value_name = "EVENT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) event: String,
    /// The source of an event that names none, or in place of the one that it names
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only for this recipient: an id, room:<name>:<value>, or endpoint:<tenant>/sample
    #[arg(long)]
    pub(crate) recipient: Option<String>,
    /// Only on this channel
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// Render as if the recipients read this language, such as de or pt-BR
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) locale: Option<String>,
    /// Decide as if it were this time, such as 2026-11-20T23:30:00Z; the event's own time, when it is left out
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// The rules and templates: a config folder, or a compiled catalog
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// The people, with the roles and topics they have; those of the project and its packs, when it is left out
    #[arg(long, value_name = "FILE")]
    pub(crate) people: Option<PathBuf>,
    /// The address that letters come from, as SenderAddress of the deployment
    #[arg(long, value_name = "ADDRESS", default_value = "Carillon <no-reply@example.com>")]
    pub(crate) sender: String,
    /// Write each message into files here: HTML, text, and the request as JSON
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Open the messages with the programs of this machine: letters in the browser
    #[arg(long)]
    pub(crate) open: bool,
}
