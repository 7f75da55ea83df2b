//! What a channel is asked to do: complete, so that it needs neither catalog nor template nor the event itself.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cancel::CancelKey;
use crate::channel::{Channel, OnUnknown};
use crate::endpoint::EndpointId;
use crate::event::{Event, Priority};
use crate::key::Key;
use crate::layout::{Layout, Members, NotRead, Upgrade};
use crate::push_options::PushOptions;
use crate::recipient::{Device, PhoneNumber};
use crate::told::Set;
use crate::wake::{self, InsteadOf, WAKE_VERSION, Wake};
use jiff::Timestamp;

mod broadcast;
mod letter;
mod message;

pub use broadcast::Broadcast;
pub use letter::{Attachment, Email};
pub use message::Message;

/// The layout of [`Job`]. An older one is read through [`UPGRADES`]; a message of a newer one goes back to its queue for
/// a function of the newer release. Raise it only for a change that an older reader would misread, and add the step that
/// reads the version before, and its golden files.
///
/// Version 2 has the contents `broadcast` and `message`. Every other content is written as version 1, which the last release reads: see
/// [`Content::job_version`].
pub const JOB_VERSION: u32 = 2;

/// One step for each version before [`JOB_VERSION`]: without it this does not compile.
const UPGRADES: [Upgrade; (JOB_VERSION - 1) as usize] = [same_members];

/// Version 2 only adds kinds of content.
fn same_members(_: &mut Members) -> Result<(), serde_json::Error> {
    Ok(())
}

const LAYOUT: Layout = Layout { member: "version", oldest: 1, upgrades: &UPGRADES };

/// A job carries a wake, so a newer wake makes a newer job.
const _: () = assert!(JOB_VERSION >= WAKE_VERSION, "raise JOB_VERSION together with WAKE_VERSION");

/// One notification to one recipient on one channel, as its queue carries it. No `Debug`: it holds rendered text.
#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    pub version: u32,
    pub key: Key,
    pub event: Origin,
    /// The rule that asked for it, and the version of the catalog it stood in.
    pub rule: String,
    pub catalog: String,
    /// The recipient's id, or `room:<name>:<value>`.
    pub recipient: String,
    /// The step of the rule, counted from 0.
    #[serde(default)]
    pub step: u32,
    pub priority: Priority,
    pub on_unknown: OnUnknown,
    /// Not to be sent after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What it can be cancelled by, until the moment it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<CancelKey>,
    /// A code that is good only once, and until it expires: so long it is tried.
    #[serde(default, skip_serializing_if = "is_false")]
    pub one_time: bool,
    /// How long it was held back before a provider was asked, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_s: u32,
    /// When it was held back for the first time. Jobs of the last release do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// The channel whose place it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<InsteadOf>,
    /// What dispatch is told when this channel cannot deliver it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    /// The keyed hash of the address that it goes to, where the channel has addresses that can be closed. Jobs of the
    /// last release have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_hash: Option<String>,
    /// When the run went on, where it had waited. An inbox lists the notification at this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The hand-over it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Set>,
    pub content: Content,
}

/// How a notification is gone on with when its channel cannot deliver it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Failover {
    /// The channel that is asked next.
    pub to: Channel,
    /// Where dispatch goes on: it decides anew, with the preferences and limits of that moment.
    #[serde(deserialize_with = "wake::nested")]
    pub wake: Wake,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(it: &u32) -> bool {
    *it == 0
}

/// The event behind a job: what travels on to the ledger, to the provider's tags and to every log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The replay that the event came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}

impl Origin {
    /// `event` as one that this one led to: it belongs to the same tenant, story and trace.
    #[must_use]
    pub fn leads_to(&self, event: Event) -> Event {
        Event {
            tenant: self.tenant.clone(),
            correlation_id: self.correlation_id.clone(),
            causation_id: Some(self.id.clone()),
            traceparent: self.traceparent.clone(),
            ..event
        }
    }

    #[must_use]
    pub fn of(event: &Event) -> Origin {
        Origin {
            id: event.id.clone(),
            source: event.source.clone(),
            kind: event.kind.clone(),
            time: event.time,
            subject: event.subject.clone(),
            tenant: event.tenant.clone(),
            correlation_id: event.correlation_id.clone(),
            causation_id: event.causation_id.clone(),
            actor: event.actor.clone(),
            traceparent: event.traceparent.clone(),
            replay: event.replay_id().map(str::to_owned),
        }
    }
}

/// What is sent, and to whom: everything about a job that differs from channel to channel.
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
    /// The version that a job of this content is written as: the oldest whose readers understand it.
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

    /// The address that it goes to, where it is one that can be closed. It is personal data.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self {
            Content::Email(email) => Some(email.to.as_str()),
            Content::Sms(sms) => Some(sms.to.as_str()),
            Content::Whatsapp(whatsapp) => Some(whatsapp.to.as_str()),
            Content::Message(message) => Some(message.to.as_str()),
            Content::Push(_) | Content::Socket(_) | Content::Webhook(_) | Content::Broadcast(_) => None,
        }
    }
}

/// A rendered note for one device.
#[derive(Clone, Serialize, Deserialize)]
pub struct Push {
    pub to: Device,
    pub title: String,
    pub body: String,
    /// What the rule exposes of the event: a JSON object.
    pub data: Box<RawValue>,
    pub locale: String,
    /// The number on the app's icon; it stays as it is when this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<u32>,
    /// Names what the note is about: a later note of this name takes the place of an earlier one. The job's key where it
    /// is left out. At most 64 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse: Option<String>,
    /// Whether the rule asks that stored notifications of this name are replaced too: Google then keeps four names for a
    /// device at most. Without it the name only says which one on the screen is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collapses_stored: bool,
    /// Where a tap leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(default, skip_serializing_if = "PushOptions::is_default")]
    pub options: PushOptions,
}

/// A rendered text for a phone.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub to: PhoneNumber,
    pub text: String,
    pub locale: String,
    /// Who it comes from, where the policy has a name for the tenant or the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
}

/// A rendered message for WhatsApp.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    pub to: PhoneNumber,
    pub text: String,
    pub locale: String,
    /// One of WhatsApp's own templates: the only way to write to somebody who has not written to us for 24 hours.
    /// Without it `text` is sent as it is, and WhatsApp refuses that outside the 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<WhatsappTemplate>,
    /// Until then WhatsApp takes free text: `text` goes, whether there is a template or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_until: Option<Timestamp>,
}

/// A template that WhatsApp has approved, and what is put into it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatsappTemplate {
    /// As it was approved: lower-case letters, digits and underscores.
    pub name: String,
    /// WhatsApp's code for the language, such as `en_US`.
    pub language: String,
    /// For `{{1}}`, `{{2}}` and so on of its body, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
}

impl WhatsappTemplate {
    /// What stands between name, language, the number of parameters and the parameters in the source of such a template:
    /// U+001F, the unit separator. No text that people write has it.
    pub const SEPARATOR: char = '\u{1f}';

    /// Reads what such a source was rendered to. `None` when there are not as many parameters as it says: then a value of
    /// the event has the separator in it.
    #[must_use]
    pub fn read(rendered: &str) -> Option<WhatsappTemplate> {
        let mut pieces = rendered.split(WhatsappTemplate::SEPARATOR).map(|part| part.trim().to_owned());
        let (name, language, count) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let parameters: Vec<String> = pieces.collect();
        (count.parse() == Ok(parameters.len())).then_some(WhatsappTemplate { name, language, parameters })
    }
}

impl From<Text> for Chat {
    /// Free text.
    fn from(text: Text) -> Chat {
        Chat { to: text.to, text: text.text, locale: text.locale, template: None, free_until: None }
    }
}

/// A rendered live message.
#[derive(Clone, Serialize, Deserialize)]
pub struct Socket {
    pub to: SocketTarget,
    pub title: String,
    pub body: String,
    /// What the rule exposes of the event: a JSON object.
    pub data: Box<RawValue>,
    /// The rule's, for whoever reads it later.
    #[serde(default)]
    pub category: String,
    /// It is of use now or never: no inbox keeps it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
}

/// Whose sockets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SocketTarget {
    /// Every open socket of this user.
    User(String),
    /// Every socket that joined this room, `<name>:<value>`.
    Room(String),
}

/// A message for a webhook endpoint. Where that is, and what it is signed with, is looked up when it is sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub to: EndpointId,
    /// The body, to the byte: `{"type": …, "timestamp": …, "data": {…}}`.
    pub body: String,
    /// Somebody asked for this one attempt: it has no schedule of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
}

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ByHand {
    /// Another attempt of this message: the receiver knows it by this id.
    Retry { of: Key },
    /// A message that says nothing, to see whether it arrives.
    Ping,
}

impl Webhook {
    /// What the receiver knows the message by, the same for all of its attempts.
    #[must_use]
    pub fn id<'a>(&'a self, job: &'a Key) -> &'a Key {
        match &self.by_hand {
            Some(ByHand::Retry { of }) => of,
            Some(ByHand::Ping) | None => job,
        }
    }
}

impl Job {
    /// Reads a job as its queue, its schedule or a table carries it, of this version or an older one.
    ///
    /// # Errors
    /// [`NotRead`] tells a job of a newer release from a text that is no job. It quotes nothing of the text.
    pub fn read(text: &str) -> Result<Job, NotRead> {
        let job: Job = LAYOUT.read(text)?;
        // A job that is put back stays readable for functions of the last release.
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
