//! `carillon render`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;
use domain::Timestamp;
use domain::base::channel::Channel;

use super::{channel, instant};

/// Render the messages of an event on each channel, without a cloud
///
/// The functions' code decides and renders, and waits are followed to their end. Webhook endpoints are not looked up:
/// `sample` stands for those of the event's tenant. Exit 1 without a message.
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
    /// The source; replaces the one of the event
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only for this recipient: an id, room:<name>:<value>, or endpoint:<tenant>/sample
    #[arg(long)]
    pub(crate) recipient: Option<String>,
    /// Only on this channel
    #[arg(long, value_parser = channel())]
    pub(crate) channel: Option<Channel>,
    /// The language of the recipients, such as de or pt-BR
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) locale: Option<String>,
    /// The time of the decision, such as 2026-11-20T23:30:00Z; the event's time by default
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) at: Option<Timestamp>,
    /// The rules and templates: a config folder, or a compiled catalog
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// The people with their roles and topics; those of the project and its packs by default
    #[arg(long, value_name = "FILE")]
    pub(crate) people: Option<PathBuf>,
    /// The sender of e-mails, like the deployment's parameter SenderAddress
    #[arg(long, value_name = "ADDRESS", default_value = "Carillon <no-reply@example.com>")]
    pub(crate) sender: String,
    /// Write each message to this folder: HTML, text, and the request as JSON
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Open the messages with the programs of this machine
    #[arg(long)]
    pub(crate) open: bool,
}
