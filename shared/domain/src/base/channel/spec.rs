//! The description of a channel.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// All facts about a channel that do not depend on one message.
///
/// Every list of channels in this repository is derived from [`Channel::ALL`](super::Channel::ALL) and these facts, or
/// a test compares it with them.
#[derive(Debug)]
pub struct ChannelSpec {
    /// The name in rules, keys, logs, queues and functions. It equals the name that serde writes.
    pub name: &'static str,
    /// The files that a template has for this channel.
    pub parts: &'static [Part],
    /// Whether the first part is a subject or a title, which an event may replace.
    pub has_title: bool,
    /// The destination of a message.
    pub destination: Destination,
    /// The handling of a send whose result is unknown.
    pub on_unknown: OnUnknown,
    /// Whether the channel interrupts the recipient, so that quiet hours and send windows defer it. Content that
    /// appears only in an open application is not deferred.
    pub disturbs: bool,
    pub receipts: Receipts,
    /// The suppression period in days after a bounce or complaint; `None` if the channel has none.
    pub closed_for_days: Option<i64>,
    /// The retries of a message that is neither critical nor a one-time code.
    pub retry: RetrySchedule,
    /// Whether the provider bills each message, so that `check` warns about categories without a cap.
    pub is_paid: bool,
    /// Whether the rendered message must be checked against counters or receipts before it is sent.
    pub has_render_check: bool,
}

/// The handling of a send without an answer, which the provider may or may not have accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// The outcome stays `unknown`. A second message would reach the recipient twice and could not be recalled.
    Hold,
    /// The message is sent again. The receiver deduplicates by id.
    Resend,
}

/// The destination of a channel's messages.
#[derive(Debug)]
pub enum Destination {
    /// An address of a person, or an address that a rule names.
    Address(AddressSpec),
    /// Each device of a person.
    Devices,
    /// The open WebSockets of a person or of a room.
    Sockets,
    /// The webhook endpoints of a tenant.
    Endpoints,
}

/// The addresses of a channel.
#[derive(Debug)]
pub struct AddressSpec {
    /// The member of a person that holds the address, and the key of an address in a rule's `to`.
    pub member: &'static str,
    /// The noun for diagnostics, without an article: `e-mail address`.
    pub noun: &'static str,
    pub form: AddressForm,
    /// The accepted form, for refusals.
    pub wanted: &'static str,
    /// An address for diagnostics and examples.
    pub example: &'static str,
}

/// The form of an address, and the type that parses it.
#[derive(Debug, Clone, Copy)]
pub enum AddressForm {
    /// [`EmailAddress`](crate::recipient::EmailAddress).
    Email,
    /// [`PhoneNumber`](crate::recipient::PhoneNumber).
    Phone,
    /// An id of the provider. The function returns the canonical spelling of the id, or the defect of the text without
    /// quoting the text.
    Id(fn(&str) -> Result<String, &'static str>),
}

/// The receipts that a provider sends after it accepted a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipts {
    /// The provider sends no receipts.
    None,
    /// The provider sends a receipt for some messages. A mail server may never answer.
    Optional,
    /// The network guarantees a receipt. A message without one becomes `unconfirmed`.
    Promised,
}

/// A text part that a template renders for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The file name in `config/templates/<template>/<locale>/`.
    pub file: &'static str,
    /// Whether the channel requires this part.
    pub required: bool,
    pub format: PartFormat,
}

/// The format of a part, which decides how values of the event are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartFormat {
    /// Plain text. Values are not escaped. A file that ends in `.html` escapes values as HTML.
    Text,
    /// Slack's `mrkdwn`: `&`, `<` and `>` of a value are escaped, so that no value becomes a mention or a link.
    ///
    /// Source: docs.slack.dev, "Formatting message text", "Escaping text".
    SlackText,
    /// A JSON document. Values are inside its strings and are escaped as the content of a JSON string.
    Json,
    /// [`PartFormat::Json`] whose strings are read as `mrkdwn`.
    SlackJson,
}

impl PartFormat {
    /// Whether the rendered part must be a JSON object or array.
    #[must_use]
    pub fn is_json(self) -> bool {
        match self {
            PartFormat::Text | PartFormat::SlackText => false,
            PartFormat::Json | PartFormat::SlackJson => true,
        }
    }
}

impl Part {
    /// A required part of plain text or HTML.
    #[must_use]
    pub const fn text(file: &'static str) -> Part {
        Part { file, required: true, format: PartFormat::Text }
    }

    /// A required part of another format.
    #[must_use]
    pub const fn formatted(file: &'static str, format: PartFormat) -> Part {
        Part { file, required: true, format }
    }

    /// The same part as an optional file.
    #[must_use]
    pub const fn optional(self) -> Part {
        Part { required: false, ..self }
    }
}

/// Attempts and pauses for messages that are neither critical nor one-time codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySchedule {
    /// Maximum number of provider calls, including the first.
    pub attempts: u32,
    /// Time after the first call during which retries may start.
    pub within: Duration,
    /// The longest pause after the first call. It doubles with each further call.
    pub first_pause: Duration,
    /// Upper limit of all pauses.
    pub longest_pause: Duration,
}

impl RetrySchedule {
    /// The schedule of most providers: 8 attempts within 30 minutes.
    pub const PROVIDER: RetrySchedule = RetrySchedule::new(8, 1_800, 10, 640);

    /// `within`, `first_pause` and `longest_pause` are seconds.
    #[must_use]
    pub const fn new(attempts: u32, within: u64, first_pause: u64, longest_pause: u64) -> RetrySchedule {
        RetrySchedule {
            attempts,
            within: Duration::from_secs(within),
            first_pause: Duration::from_secs(first_pause),
            longest_pause: Duration::from_secs(longest_pause),
        }
    }
}
