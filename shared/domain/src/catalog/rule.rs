//! Rules: the events that a rule matches, its recipients, its steps and its limits.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::base::channel::Channel;
use crate::base::path::Path;
use crate::catalog::push_options::PushOptions;
use crate::event::{Event, Priority};
use crate::limits::digest::DigestPolicy;
use crate::time::recurrence::Recurrence;
use crate::time::span::Span;

mod broadcast;
mod expiry;
mod unsubscribing;
mod wording;

pub use crate::pattern::condition::When;
pub use broadcast::{
    BROADCAST_CATEGORY, Broadcast, MAX_EXCLUDED, NotExcluded, Record, described_target, excluded_users,
};
pub use expiry::{Expiry, NotAnExpiry};
pub use wording::{TemplateChoice, UnknownTemplate, UnreadableContext};

/// A rule of the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    #[serde(rename = "rule")]
    pub name: String,
    #[serde(default)]
    pub about: String,
    pub when: When,
    pub category: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Whether the rule is commercial, so that recipients can unsubscribe from it. All other rules are transactional.
    #[serde(default, skip_serializing_if = "is_false")]
    pub commercial: bool,
    /// Whether the in-app message is ephemeral, so that the inbox does not store it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ephemeral: bool,
    /// The steps for each recipient, in order.
    pub steps: Vec<Step>,
    pub to: Vec<Selector>,
    /// Whether the event's actor is notified. Without a value only if the rule names the actor with `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorPolicy>,
    /// Users who are not notified, although `to` includes them. Broadcasts have their own list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Operand>,
    /// The folder of the template. Empty for a rule without one.
    pub template: String,
    /// The choice of the template by the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_choice: Option<TemplateChoice>,
    /// The path to the subject of e-mails and the title of push notifications and in-app messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Path>,
    /// The reason why the rule sends no notifications for matching events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse: Option<String>,
    /// The reply address of its e-mails. Where it is `None`, the policy's applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Operand>,
    /// The attachments of its e-mails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attach>,
    /// The values of the event that in-app messages, push notifications and webhooks carry as data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose: Vec<Path>,
    /// The same in earlier versions, for webhook endpoints that use them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, Vec<Path>>,
    /// The time after the event at which its notifications expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
    /// The treatment of notifications during quiet hours.
    #[serde(default)]
    pub outside: Outside,
    /// The options of its push notifications.
    #[serde(default, skip_serializing_if = "PushPolicy::is_empty")]
    pub push: PushPolicy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Cancel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Marks a broadcast: the event itself goes to the open sockets of `to`, without a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<Broadcast>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Rule {
    /// The channels of all steps, without duplicates, in order of first use.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let mut channels = Vec::new();
        for step in &self.steps {
            if let Step::Send(send) = step {
                let new: Vec<Channel> = send.all().filter(|channel| !channels.contains(channel)).collect();
                channels.extend(new);
            }
        }
        channels
    }

    /// The digest policy of a step. The default policy applies to digests over quiet hours.
    #[must_use]
    pub fn digest_policy(&self, step: u32) -> DigestPolicy {
        match self.steps.get(step as usize) {
            Some(Step::Digest(digest)) => digest.policy.clone(),
            Some(Step::Send(_) | Step::Wait(_) | Step::Throttle(_)) | None => DigestPolicy::default(),
        }
    }

    /// The priority of the rule's messages about an event: the rule's own, or else the event's.
    #[must_use]
    pub fn priority_for(&self, event: &Event) -> Option<Priority> {
        self.priority.or(event.priority)
    }

    /// Whether the rule addresses only webhook endpoints.
    #[must_use]
    pub fn is_for_endpoints(&self) -> bool {
        !self.to.is_empty() && self.to.iter().all(|selector| matches!(selector, Selector::Endpoints(_)))
    }

    /// The paths that an endpoint of `version` receives: those of the latest version up to it. The current paths
    /// apply without a version, and if the rule has no versions. `None` if all versions are later.
    #[must_use]
    pub fn exposed_in(&self, version: Option<&str>) -> Option<&[Path]> {
        let Some(version) = version.filter(|_| !self.versions.is_empty()) else { return Some(&self.expose) };
        self.versions.range(..=version.to_owned()).next_back().map(|(_, paths)| paths.as_slice())
    }

    /// Whether the rule has a digest, in a step or over quiet hours.
    #[must_use]
    pub fn digests(&self) -> bool {
        self.outside == Outside::Digest || self.steps.iter().any(|step| matches!(step, Step::Digest(_)))
    }
}

/// One step of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Send(SendStep),
    Wait(Wait),
    Digest(DigestStep),
    Throttle(ThrottleStep),
}

/// Sends to the recipient on all of these channels at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendStep {
    pub channels: Vec<Channel>,
    /// The fallback channels, in order, which take over after a failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failover: Vec<Channel>,
    /// Skips the step if the recipient has seen or acknowledged the notifications of earlier steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Unless>,
}

impl SendStep {
    /// Its channels and fallback channels.
    pub fn all(&self) -> impl Iterator<Item = Channel> + '_ {
        self.channels.iter().chain(&self.failover).copied()
    }
}

/// The engagement that ends an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unless {
    /// The recipient has seen the notification. An acknowledgement counts as seen.
    Seen,
    /// The recipient has acknowledged the notification.
    Acknowledged,
}

impl Unless {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Unless::Seen => "seen",
            Unless::Acknowledged => "acknowledged",
        }
    }
}

/// Waits before the run continues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wait {
    /// For this duration after the step is reached.
    For(SignedDuration),
    /// Until an instant.
    Until(Timestamp),
    /// Until a time, or for a duration, that the event names, plus `shift`.
    Event {
        path: Path,
        /// The whole shift, with days of 24 hours.
        shift: SignedDuration,
        /// Number of days of the shift that are calendar days of the recipient, which keep the local time of day.
        #[serde(default, skip_serializing_if = "is_zero")]
        days: i64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(days: &i64) -> bool {
    *days == 0
}

/// Collects events for one notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestStep {
    /// The length of the digest window.
    pub span: Span,
    /// The digest key, in addition to recipient and rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Path>,
    pub policy: DigestPolicy,
}

/// Limits how often the run continues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThrottleStep {
    pub most: u32,
    /// The throttle window, which starts with the first run that continues.
    pub per: Span,
    /// The throttle key, in addition to recipient and rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Path>,
}

/// The treatment of a notification during quiet hours.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// The notification waits until the quiet hours end.
    #[default]
    Defer,
    /// The notification is suppressed.
    Drop,
    /// All notifications during quiet hours are combined when they end.
    Digest,
}

/// Whether the event's actor is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorPolicy {
    Include,
    Exclude,
}

/// The events that cancel the rule's pending notifications.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancel {
    /// The paths to the cancel key, in the rule's event and in the cancelling event.
    pub key: Vec<Path>,
    /// The events that cancel.
    pub when: When,
}

/// The options of a rule's push notifications.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PushPolicy {
    /// The path to the collapse value. A later push notification with the same value replaces the earlier one.
    /// Without it, a digest's notification replaces the previous digest's, and others are never replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse: Option<Path>,
    /// The path to the number on the app's icon: an integer of 0 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<Path>,
    /// The path to the link that a tap opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Path>,
    #[serde(flatten)]
    pub options: PushOptions,
}

impl PushPolicy {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == PushPolicy::default()
    }
}

/// Repeats the notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    pub every: Recurrence,
    /// Maximum number of runs, including the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The end of the repetition: a path to a time, where a date includes its whole day, or to a duration after the
    /// event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Path>,
}

/// An attachment of an e-mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attach {
    /// The path to the file: `s3://<bucket>/<key>`, or an object with `bucket`, `key`, and optionally `name` and
    /// `type`.
    pub from: Path,
    /// The displayed file name. Defaults to the name in the event, or to the last part of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Operand>,
    /// The content id of an inline file, which the HTML shows as `cid:<name>`. `None` for a separate attachment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
    /// Whether the e-mail is sent without the attachment if the event names no file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// A selector of recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selector {
    /// One user, or all users that a path finds.
    User(Operand),
    /// All users with a role in a scope: `role: clinic-staff`, `in: $.data.clinicId`.
    Role { role: String, scope: Operand },
    /// All followers of a topic: `topic: project`, `of: $.data.projectId` is the topic `project:<value>`.
    Topic { name: String, of: Operand },
    /// All users who are in a room at the moment: `room: queue`, `of: $.data.queueId` is the room `queue:<value>`.
    Room { name: String, of: Operand },
    /// A bare address without a stored recipient.
    Address { channel: Channel, of: Operand },
    /// Webhook endpoints whose patterns match the event.
    Endpoints(EndpointsOf),
}

/// The owner of the endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointsOf {
    /// The endpoints of the event's tenant. For an event without a tenant, those without a tenant.
    Tenant,
}

/// A value that is a literal or a path into the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operand {
    Literal(String),
    Path(Path),
}

impl Operand {
    /// The ids that the operand yields for this event.
    #[must_use]
    pub fn names(&self, envelope: &Value) -> Vec<String> {
        match self {
            Operand::Literal(literal) => vec![literal.clone()],
            Operand::Path(path) => path.find_names(envelope),
        }
    }
}
