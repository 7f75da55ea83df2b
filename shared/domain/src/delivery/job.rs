//! A job: one rendered notification for one channel. Its reader needs neither the catalog, the templates nor the
//! event.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::channel::{Channel, OnUnknown};
use crate::base::sensitive::{self, Sensitive};
use crate::catalog::push_options::PushOptions;
use crate::decide::continuation::{self, Continuation, FailoverOrigin, WAKE_VERSION};
use crate::event::Priority;
use crate::event::key::Key;
use crate::event::layout::{Layout, Members, NotRead, Upgrade};
pub use crate::event::origin::Origin;
use crate::feedback::delivery_events::Set;
use crate::limits::cancel::CancelKey;
pub use crate::recipient::socket_target::SocketTarget;
use crate::recipient::{Device, PhoneNumber};
use crate::webhook::endpoint::EndpointId;
use jiff::Timestamp;

mod broadcast;
mod email;
mod message;

pub use broadcast::Broadcast;
pub use email::{Attachment, Email};
pub use message::Message;

/// The version of [`Job`]'s layout. Older versions are read through [`UPGRADES`]. A message of a newer version
/// returns to its queue, for a function of the newer release. Raise the version only for a change that an older
/// reader would misread. Then also add the upgrade step for the previous version, and its golden files.
///
/// Version 2 added the contents `broadcast` and `message`. All other contents are written as version 1, which the
/// last release reads. See [`Content::job_version`].
pub const JOB_VERSION: u32 = 2;

/// One upgrade step for each version before [`JOB_VERSION`]. The array's length makes the compiler check this.
const UPGRADES: [Upgrade; (JOB_VERSION - 1) as usize] = [same_members];

/// Version 2 only adds kinds of content, so no member changes.
fn same_members(_: &mut Members) -> Result<(), serde_json::Error> {
    Ok(())
}

const LAYOUT: Layout = Layout { member: "version", oldest: 1, upgrades: &UPGRADES };

/// A job carries a continuation, so a new version of the continuation requires a new version of the job.
const _: () = assert!(JOB_VERSION >= WAKE_VERSION, "raise JOB_VERSION together with WAKE_VERSION");

/// One notification to one recipient on one channel, as its queue carries it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    pub version: u32,
    pub key: Key,
    pub event: Origin,
    /// The rule that asked for the notification, and the version of the catalog with that rule.
    pub rule: String,
    pub catalog: String,
    /// The recipient's id, or `room:<name>:<value>`.
    pub recipient: String,
    /// The step of the rule, counted from 0.
    #[serde(default)]
    pub step: u32,
    pub priority: Priority,
    pub on_unknown: OnUnknown,
    /// The time after which the notification is not sent any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The key of the cancellation that stops the job until it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<CancelKey>,
    /// Marks a one-time code. Sending is retried until the code expires.
    #[serde(default, skip_serializing_if = "is_false")]
    pub one_time: bool,
    /// Time for which the job was deferred before the provider was called, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_s: u32,
    /// Time of the first deferral. Jobs of the last release have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// The failed channel that this job replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<FailoverOrigin>,
    /// The next channel, and where dispatch continues, if this channel cannot deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    /// The keyed hash of the recipient's address, for channels with suppressible addresses. Jobs of the last release
    /// have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_hash: Option<String>,
    /// Time at which the run continued after a wait. The inbox lists the notification at this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The set of notifications that were handed over together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Set>,
    pub content: Content,
}

/// The failover of a notification whose channel cannot deliver it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Failover {
    /// The next channel.
    pub to: Channel,
    /// The position at which dispatch continues. It decides again, with the preferences and limits of that moment.
    #[serde(deserialize_with = "continuation::nested")]
    #[serde(rename = "wake")]
    pub continuation: Continuation,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The rendered content and the address: all parts of a job that depend on the channel.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    Email(Email),
    Push(Push),
    Sms(Text),
    Whatsapp(Chat),
    Socket(Socket),
    Webhook(Webhook),
    Broadcast(Broadcast),
    Message(Message),
}

impl Content {
    /// The version as which a job with this content is written: the oldest whose readers understand it.
    #[must_use]
    pub fn job_version(&self) -> u32 {
        match self {
            Content::Broadcast(_) | Content::Message(_) => 2,
            Content::Email(_)
            | Content::Push(_)
            | Content::Sms(_)
            | Content::Whatsapp(_)
            | Content::Socket(_)
            | Content::Webhook(_) => 1,
        }
    }

    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Content::Email(_) => Channel::Email,
            Content::Push(_) => Channel::Push,
            Content::Sms(_) => Channel::Sms,
            Content::Whatsapp(_) => Channel::Whatsapp,
            Content::Socket(_) | Content::Broadcast(_) => Channel::Socket,
            Content::Webhook(_) => Channel::Webhook,
            Content::Message(message) => message.channel,
        }
    }

    /// The recipient's address, on channels with suppressible addresses.
    #[must_use]
    pub fn address(&self) -> Option<Sensitive<&str>> {
        match self {
            Content::Email(email) => Some(Sensitive::new(email.to.expose())),
            Content::Sms(sms) => Some(Sensitive::new(sms.to.expose())),
            Content::Whatsapp(whatsapp) => Some(Sensitive::new(whatsapp.to.expose())),
            Content::Message(message) => Some(message.to.as_deref()),
            Content::Push(_) | Content::Socket(_) | Content::Webhook(_) | Content::Broadcast(_) => None,
        }
    }
}

/// A rendered push notification for one device.
#[derive(Clone, Serialize, Deserialize)]
pub struct Push {
    pub to: Device,
    #[serde(serialize_with = "sensitive::stored")]
    pub title: Sensitive<String>,
    #[serde(serialize_with = "sensitive::stored")]
    pub body: Sensitive<String>,
    /// The data that the rule exposes of the event: a JSON object.
    #[serde(serialize_with = "sensitive::stored")]
    pub data: Sensitive<Box<RawValue>>,
    pub locale: String,
    /// The number on the app's icon. The number does not change where this is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<u32>,
    /// The collapse id: a later push notification with this id replaces the earlier one. At most 64 bytes. Where it
    /// is `None`, the job's key is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse: Option<String>,
    /// Whether the rule also replaces stored notifications with this collapse id. FCM stores at most four collapse
    /// ids per device. Without this flag, the id only replaces the notification on the screen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collapses_stored: bool,
    /// The link that a tap opens.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub link: Option<Sensitive<String>>,
    #[serde(default, skip_serializing_if = "PushOptions::is_default")]
    pub options: PushOptions,
}

/// A rendered SMS.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub to: PhoneNumber,
    #[serde(serialize_with = "sensitive::stored")]
    pub text: Sensitive<String>,
    pub locale: String,
    /// The sender name, where the policy has one for the tenant or the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
}

/// A rendered WhatsApp message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    pub to: PhoneNumber,
    #[serde(serialize_with = "sensitive::stored")]
    pub text: Sensitive<String>,
    pub locale: String,
    /// An approved WhatsApp template. Outside the 24 hours after the recipient's last message, WhatsApp accepts only
    /// templates. Without a template `text` is sent, and WhatsApp refuses it outside the 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<WhatsappTemplate>,
    /// End of the 24-hour window. Before this time `text` is sent, even if there is a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_until: Option<Timestamp>,
}

/// A template that WhatsApp has approved, with its parameters.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatsappTemplate {
    /// The approved name: lower-case letters, digits and underscores.
    pub name: String,
    /// WhatsApp's language code, such as `en_US`.
    pub language: String,
    /// The values for `{{1}}`, `{{2}}` and so on in the template's body, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "sensitive::stored")]
    pub parameters: Vec<Sensitive<String>>,
}

impl WhatsappTemplate {
    /// Separates name, language, number of parameters and parameters in the source of a WhatsApp template: U+001F,
    /// the unit separator. Text that people write does not contain it.
    pub const SEPARATOR: char = '\u{1f}';

    /// Reads the rendered source of a WhatsApp template. `None` if the number of parameters differs from the stated
    /// one, as when a value of the event contains the separator.
    #[must_use]
    pub fn read(rendered: &str) -> Option<WhatsappTemplate> {
        let mut pieces = rendered.split(WhatsappTemplate::SEPARATOR).map(|part| part.trim().to_owned());
        let (name, language, count) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let parameters: Vec<Sensitive<String>> = pieces.map(Sensitive::new).collect();
        (count.parse() == Ok(parameters.len())).then_some(WhatsappTemplate { name, language, parameters })
    }
}

impl From<Text> for Chat {
    /// A message with free text, without a template.
    fn from(text: Text) -> Chat {
        Chat { to: text.to, text: text.text, locale: text.locale, template: None, free_until: None }
    }
}

/// A rendered in-app message.
#[derive(Clone, Serialize, Deserialize)]
pub struct Socket {
    pub to: SocketTarget,
    #[serde(serialize_with = "sensitive::stored")]
    pub title: Sensitive<String>,
    #[serde(serialize_with = "sensitive::stored")]
    pub body: Sensitive<String>,
    /// The data that the rule exposes of the event: a JSON object.
    #[serde(serialize_with = "sensitive::stored")]
    pub data: Sensitive<Box<RawValue>>,
    /// The category of the rule, for later readers of the inbox entry.
    #[serde(default)]
    pub category: String,
    /// Marks an ephemeral message, which the inbox does not store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
}

/// A webhook message for one endpoint. The endpoint's URL and secret are looked up when the message is sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub to: EndpointId,
    /// The exact bytes of the body: `{"type": …, "timestamp": …, "data": {…}}`.
    #[serde(serialize_with = "sensitive::stored")]
    pub body: Sensitive<String>,
    /// Marks a single attempt that a user requested. Such an attempt has no retry schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
}

/// The kind of attempt that a user requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ByHand {
    /// Another attempt of the message with this id, which is the id that the receiver knows.
    Retry { of: Key },
    /// A test message with empty data, to check that the endpoint is reachable.
    Ping,
}

impl Webhook {
    /// The id that the receiver knows the message by, the same for all attempts.
    #[must_use]
    pub fn id<'a>(&'a self, job: &'a Key) -> &'a Key {
        match &self.by_hand {
            Some(ByHand::Retry { of }) => of,
            Some(ByHand::Ping) | None => job,
        }
    }
}

impl Job {
    /// Reads a job of this or an older version, as a queue, a schedule or a table carries it.
    ///
    /// # Errors
    /// [`NotRead`] tells a job of a newer release from text that is not a job. The error does not quote the text.
    pub fn read(text: &str) -> Result<Job, NotRead> {
        let job: Job = LAYOUT.read(text)?;
        // A job that returns to its queue stays readable for functions of the last release.
        Ok(Job { version: job.content.job_version(), ..job })
    }

    #[must_use]
    pub fn channel(&self) -> Channel {
        self.content.channel()
    }

    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at < now)
    }
}
