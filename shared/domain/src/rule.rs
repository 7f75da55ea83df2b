//! What a rule says: which events it is about, whom it tells, in which steps, and what may hold it back.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::channel::Channel;
use crate::digest::DigestPolicy;
use crate::event::Priority;
use crate::path::Path;
use crate::pattern::Pattern;
use crate::push_options::PushOptions;
use crate::recurrence::Recurrence;
use crate::span::Span;

mod broadcast;
mod expiry;
mod wording;

pub use broadcast::{
    BROADCAST_CATEGORY, Broadcast, MAX_EXCLUDED, NotExcluded, Record, excluded_users, scoped_target,
};
pub use expiry::{Expiry, NotAnExpiry};
pub use wording::{TemplateChoice, UnknownTemplate, UnreadableContext};

/// Who hears of which events, and how.
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
    /// Advertising, which a recipient can refuse as a whole; everything else is transactional.
    #[serde(default, skip_serializing_if = "is_false")]
    pub commercial: bool,
    /// What it says live is of use now or never: no inbox keeps it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ephemeral: bool,
    /// What happens for each recipient, in this order.
    pub steps: Vec<Step>,
    pub to: Vec<Selector>,
    /// Whether somebody hears of what they did themselves; without a word only where the rule names them by `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorPolicy>,
    /// Users who are not told, although `to` names them or a group of theirs. A broadcast has its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Operand>,
    /// The folder of its words; empty for a rule that uses none.
    pub template: String,
    /// How an event names the template instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_choice: Option<TemplateChoice>,
    /// Where the event has the subject of its e-mails, and the title of its push notifications and live messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Path>,
    /// Why the rule sends nothing of the events that it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse: Option<String>,
    /// Where answers to its letters go; as the policy says, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Operand>,
    /// What its letters bring along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attach>,
    /// What of the event a live message, a note and a webhook carry as data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose: Vec<Path>,
    /// The same as it was in earlier versions, for webhook endpoints that were written for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, Vec<Path>>,
    /// Later than this after the event it is not sent any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
    /// What happens while a recipient is not to be disturbed.
    #[serde(default)]
    pub outside: Outside,
    /// How a note to a device is handled.
    #[serde(default, skip_serializing_if = "NotePolicy::is_empty")]
    pub push: NotePolicy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Cancel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The event itself goes live to the open sockets of `to`: there is no template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<Broadcast>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

impl Rule {
    /// Every channel of every step, each once, in the order in which they are first used.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        let mut channels = Vec::new();
        for step in &self.steps {
            if let Step::Send(send) = step {
                let new: Vec<Channel> = send.all().filter(|it| !channels.contains(it)).collect();
                channels.extend(new);
            }
        }
        channels
    }

    /// How the digest that a step opened is told; as usual, where it was quiet hours that it was collected over.
    #[must_use]
    pub fn digest_policy(&self, step: u32) -> DigestPolicy {
        match self.steps.get(step as usize) {
            Some(Step::Digest(digest)) => digest.policy.clone(),
            Some(Step::Send(_) | Step::Wait(_) | Step::Throttle(_)) | None => DigestPolicy::default(),
        }
    }

    /// Whether it addresses nobody but webhook endpoints.
    #[must_use]
    pub fn is_for_endpoints(&self) -> bool {
        !self.to.is_empty() && self.to.iter().all(|it| matches!(it, Selector::Endpoints(_)))
    }

    /// What an endpoint is sent that was written for `version`: as it was in the youngest version that is not younger.
    /// The current form without a version, and where the rule knows no others. `None`: all of them are younger.
    #[must_use]
    pub fn exposed_in(&self, version: Option<&str>) -> Option<&[Path]> {
        let Some(version) = version.filter(|_| !self.versions.is_empty()) else { return Some(&self.expose) };
        self.versions.range(..=version.to_owned()).next_back().map(|(_, it)| it.as_slice())
    }

    /// Whether anything in it waits, so that it can be cancelled, expire or change its mind meanwhile.
    #[must_use]
    pub fn digests(&self) -> bool {
        self.outside == Outside::Digest || self.steps.iter().any(|step| matches!(step, Step::Digest(_)))
    }
}

/// A pattern together with the text it was compiled from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct When {
    source: Value,
    pattern: Pattern,
}

impl When {
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }
}

impl TryFrom<Value> for When {
    type Error = crate::pattern::Invalid;

    fn try_from(source: Value) -> Result<When, Self::Error> {
        Ok(When { pattern: Pattern::compile(&source)?, source })
    }
}

impl From<When> for Value {
    fn from(when: When) -> Value {
        when.source
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

/// Tell the recipient, on all of these channels at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendStep {
    pub channels: Vec<Channel>,
    /// What takes the place of a channel on which it failed, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failover: Vec<Channel>,
    /// Not if what the earlier steps sent was seen, or acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Unless>,
}

impl SendStep {
    /// Its channels, and those that may take their place.
    pub fn all(&self) -> impl Iterator<Item = Channel> + '_ {
        self.channels.iter().chain(&self.failover).copied()
    }
}

/// What ends an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unless {
    /// It was shown to the recipient. An acknowledgement counts as seen.
    Seen,
    /// The recipient said that they have taken notice.
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

/// Go on later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wait {
    /// So long after this step is reached.
    For(SignedDuration),
    /// Until an instant.
    Until(Timestamp),
    /// Until a time, or for a length, that the event names; `shift` earlier or later.
    Event {
        path: Path,
        /// The whole shift, its days counted as 24 hours each.
        shift: SignedDuration,
        /// How many days of the shift are days of the recipient's calendar, which keep the hour of the clock.
        #[serde(default, skip_serializing_if = "is_zero")]
        days: i64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(days: &i64) -> bool {
    *days == 0
}

/// Collect what comes, and tell all of it at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestStep {
    /// How long a window is open.
    pub span: Span,
    /// What belongs together beside recipient and rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Path>,
    pub policy: DigestPolicy,
}

/// Go on only so often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThrottleStep {
    pub most: u32,
    /// The window opens at the first that passes.
    pub per: Span,
    /// What is counted on its own beside recipient and rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Path>,
}

/// What becomes of a message while its recipient is not to be disturbed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// It waits for the next opening.
    #[default]
    Defer,
    /// It is not sent.
    Drop,
    /// All that come before the next opening are told at once then.
    Digest,
}

/// Whether somebody hears of what they did themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorPolicy {
    Include,
    Exclude,
}

/// What takes back what this rule has under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancel {
    /// What names the thing, in the event that is told and in the event that cancels.
    pub key: Vec<Path>,
    /// The events that cancel.
    pub when: When,
}

/// How a note to a device is handled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NotePolicy {
    /// What the note is about: a later one of the same value takes its place on the screen. Without it a note of a digest
    /// takes the place of the digest before it, and any other stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse: Option<Path>,
    /// The number on the app's icon: a whole number of the event, of 0 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<Path>,
    /// Where a tap leads: a link of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Path>,
    #[serde(flatten)]
    pub options: PushOptions,
}

impl NotePolicy {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == NotePolicy::default()
    }
}

/// Send again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    pub every: Recurrence,
    /// How often at most, the first time included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Not after the time that the event names here, a date counting as a whole; or so long after the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Path>,
}

/// A file that a letter brings along.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attach {
    /// Where the event says which file: `s3://<bucket>/<key>`, or an object with `bucket`, `key` and, if it likes,
    /// `name` and `type`.
    pub from: Path,
    /// What the reader sees; otherwise what the event says, or the last part of the file's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Operand>,
    /// The name by which the letter's HTML shows it, as `cid:<name>`; without it, it stands beside the letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
    /// Whether the letter goes out without it where the event names no file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Whom a rule addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selector {
    /// One user, or every user that a path finds.
    User(Operand),
    /// Everybody who has a role in a scope: `role: clinic-staff`, `in: $.data.clinicId`.
    Role { role: String, scope: Operand },
    /// Everybody who follows a topic: `topic: project`, `of: $.data.projectId` is the topic `project:<value>`.
    Topic { name: String, of: Operand },
    /// Everybody who is in a room at the moment: `room: queue`, `of: $.data.queueId` is the room `queue:<value>`.
    Room { name: String, of: Operand },
    /// Whoever has this address; nobody needs to know them.
    Address { channel: Channel, of: Operand },
    /// Webhook endpoints: those that want it, by their own patterns.
    Endpoints(EndpointsOf),
}

/// Whose endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointsOf {
    /// Those of the event's tenant; of an event without one, those of no tenant.
    Tenant,
}

/// A value that is written down or found in the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operand {
    Literal(String),
    Path(Path),
}

impl Operand {
    /// The names it stands for in this event.
    #[must_use]
    pub fn names(&self, envelope: &Value) -> Vec<String> {
        match self {
            Operand::Literal(literal) => vec![literal.clone()],
            Operand::Path(path) => path.find_names(envelope),
        }
    }
}
