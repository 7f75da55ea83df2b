//! Decides the notifications of an event: for each recipient and channel the decision and its reasons.
//!
//! [`decide`] is a pure function. If a decision depends on a table (is the cap reached? which digest window is open?),
//! [`decide`] returns the question. The caller calls it again with the answers.

use jiff::Timestamp;

use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::base::sensitive::Sensitive;
use crate::catalog::rule::{Record, Rule};
use crate::decide::continuation::{FailoverOrigin, Start, Task};
use crate::decide::plan::{Audience, Match, Plan};
use crate::event::Priority;
use crate::event::key::Key;
use crate::feedback::delivery_events;
use crate::limits::cancel::CancelKey;
use crate::recipient::socket_target::SocketTarget;
use crate::recipient::unsubscribe::Scope;
use crate::recipient::{Device, EmailAddress, PhoneNumber, Recipient, Recipients, Settings};
use crate::webhook::endpoint::EndpointId;

mod ask;
mod broadcast;
mod channel_evaluation;
mod collect;
pub mod continuation;
pub mod digest_event;
mod failover;
mod limits;
mod note;
pub mod plan;
pub(crate) mod push_values;
mod send;
mod step_runner;
mod wait;
mod wording;

pub use ask::{Answer, Answers, Ask, Wanted};
pub(crate) use limits::id as limit_id;
pub use note::Note;

/// The highest number of question rounds of a decision. A run has a few questions for each of its steps.
const MAX_ROUNDS: usize = 200;

/// The inputs of a decision besides the plan.
#[derive(Clone, Copy)]
pub struct Facts<'a, 'q> {
    /// The known recipients of [`Plan::people`].
    pub recipients: &'a Recipients,
    /// The settings of the event's tenant for its people.
    pub tenant: Option<&'a Settings>,
    /// The answers to the questions of earlier calls.
    pub answers: &'q Answers,
    pub now: Timestamp,
}

/// The decisions made so far, and the open questions.
#[derive(Default)]
pub struct Decided<'a> {
    pub decisions: Vec<Decision<'a>>,
    /// Open questions. Runs with an open question have no decision yet.
    pub asks: Vec<Ask>,
}

/// The decision about one notification, with its reasons.
pub struct Decision<'a> {
    pub key: Key,
    /// The rule that decided; `None` if no rule matches the event.
    pub rule: Option<&'a Rule>,
    /// The name that [`Audience::name`] returns; `-` without a recipient.
    pub recipient: String,
    /// `None` if the decision was made before a channel was chosen.
    pub channel: Option<Channel>,
    /// The index of the step in the rule.
    pub step: u32,
    pub verdict: Verdict<'a>,
    /// The explanation, in the order of evaluation.
    pub notes: Vec<Note>,
}

/// The kinds of decisions.
#[expect(
    clippy::large_enum_variant,
    reason = "most verdicts are orders, and none lives longer than its batch"
)]
pub enum Verdict<'a> {
    Send(Order<'a>),
    Suppress(Reason),
    Later(Later),
    Merge(Merge),
    /// Cancels the pending notifications of earlier events with this key.
    Cancel(CancelKey),
}

/// A notification to render and send.
pub struct Order<'a> {
    pub rule: &'a Rule,
    /// The person; `None` for other recipients.
    pub person: Option<&'a Recipient>,
    pub target: Target,
    pub priority: Priority,
    /// The time after which the notification must not be sent.
    pub expires_at: Option<Timestamp>,
    /// The key that cancels the notification until it is sent.
    pub cancel: Option<CancelKey>,
    /// The scope of the one-click unsubscribe link. Only set for e-mails to people.
    pub way_out: Option<Scope>,
    /// The failed channel that this one replaces.
    pub instead_of: Option<FailoverOrigin>,
    /// The next channel if this one fails, and the task that continues there.
    pub failover: Option<(Channel, Task)>,
}

/// A run that continues later.
#[derive(Debug, Clone, PartialEq)]
pub struct Later {
    pub until: Timestamp,
    pub why: Waiting,
    pub audience: Audience,
    pub start: Start,
}

impl Later {
    /// The task to run at `until`. The content of a closed digest is not part of the task, because it may exceed a
    /// message. It is read again.
    #[must_use]
    pub fn task(&self, plan: &Plan<'_>) -> Task {
        resumed(plan, self.audience.clone(), self.start.clone())
    }
}

/// The task that continues a run.
fn resumed(plan: &Plan<'_>, audience: Audience, start: Start) -> Task {
    match &plan.digest {
        None => Task::Run { audience, start },
        Some(digest) => Task::Close {
            audience,
            step: digest.step,
            only: digest.only,
            window: digest.window.clone(),
            window_id: plan.event.id.clone(),
            resume: Some(start),
        },
    }
}

/// The reason for a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A `wait` step of the rule.
    Step,
    /// The recipient's quiet hours.
    QuietHours,
    /// The next occurrence of a recurring rule.
    Recurrence,
}

impl Waiting {
    /// The reason in outcomes.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Waiting::Step => Reason::Wait,
            Waiting::QuietHours => Reason::QuietHours,
            Waiting::Recurrence => Reason::Recurs,
        }
    }
}

/// A notification that joined a digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    pub window: String,
    pub window_id: String,
    pub closes_at: Timestamp,
    /// Whether this event must schedule the closing of the window at `closes_at`.
    pub timer: bool,
    pub audience: Audience,
    pub step: u32,
    pub only: Option<Channel>,
}

impl Merge {
    /// The task to run at `closes_at`.
    #[must_use]
    pub fn task(&self) -> Task {
        Task::Close {
            audience: self.audience.clone(),
            step: self.step,
            only: self.only,
            window: self.window.clone(),
            window_id: self.window_id.clone(),
            resume: None,
        }
    }
}

/// The address of a notification.
#[derive(Clone, PartialEq)]
pub enum Target {
    Email(EmailAddress),
    Push(Device),
    Sms(PhoneNumber),
    Whatsapp(PhoneNumber),
    /// An address of a channel whose addresses are ids of the provider, in its one spelling.
    Message {
        channel: Channel,
        to: Sensitive<String>,
    },
    Socket(SocketTarget),
    /// The event itself, for open sockets.
    Broadcast(Live),
    /// An endpoint, and the data version that it expects.
    Webhook {
        to: EndpointId,
        version: Option<String>,
    },
}

/// The sockets of a broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub to: SocketTarget,
    /// Users in the room whose sockets are excluded.
    pub exclude: Vec<String>,
    pub record: Record,
}

/// Decides every step and channel for all recipients of the matching rules, in the order of the catalog.
///
/// The result depends only on the arguments. Dispatch, decision tests, `explain` and `what-if` all call this function.
#[must_use]
pub fn decide<'a>(plan: &Plan<'a>, facts: &Facts<'a, '_>) -> Decided<'a> {
    let mut decided = Decided::default();
    for (rule, key) in &plan.cancels {
        decided.decisions.push(Decision {
            key: Key::of(plan.event, &rule.name, "-", None, 0, "cancel"),
            verdict: Verdict::Cancel(key.clone()),
            ..without_recipient(plan, Some(rule), Reason::Cancelled)
        });
    }
    for (rule, path) in &plan.unnamed_cancels {
        decided.decisions.push(Decision {
            key: Key::of(plan.event, &rule.name, "-", None, 0, "cancel"),
            notes: vec![Note::missing(path, "the event cancels nothing")],
            ..without_recipient(plan, Some(rule), Reason::NoKey)
        });
    }
    let is_of_no_rule = plan.matches.is_empty() && plan.cancels.is_empty() && plan.unnamed_cancels.is_empty();
    // A rule may match `communication.sent`. Without such a rule the event is not reported as unmatched.
    let is_expected = !delivery_events::is_communication(plan.event);
    if is_of_no_rule && !plan.resumed && is_expected {
        decided.decisions.push(without_recipient(plan, None, Reason::NoRule));
    }
    for matched in &plan.matches {
        decide_match(plan, facts, matched, &mut decided);
    }
    decided
}

/// Decides with an answer for every question, from `answer` or [`Ask::default_answer`]. A run that exceeds the
/// limit of question rounds gets no decision.
pub fn decide_with<'a>(
    plan: &Plan<'a>,
    recipients: &'a Recipients,
    tenant: Option<&'a Settings>,
    now: Timestamp,
    answer: impl Fn(&Ask) -> Answer,
) -> Vec<Decision<'a>> {
    let mut answers = Answers::default();
    let mut decided = Decided::default();
    for _ in 0..MAX_ROUNDS {
        decided = decide(plan, &Facts { recipients, tenant, answers: &answers, now });
        if decided.asks.is_empty() {
            break;
        }
        for ask in &decided.asks {
            answers.insert(ask, answer(ask));
        }
    }
    decided.decisions
}

fn decide_match<'a>(plan: &Plan<'a>, facts: &Facts<'a, '_>, matched: &Match<'a>, into: &mut Decided<'a>) {
    if let Some(rule) = &matched.rule.broadcast {
        return broadcast::decide(plan, facts, matched, rule, into);
    }
    // A tenant without endpoints is reported only if no other rule matches.
    let told_by_others = matched.rule.is_for_endpoints() && plan.matches.len() > 1;
    if matched.audience.is_empty() && !plan.resumed && !told_by_others {
        into.decisions.push(without_recipient(plan, Some(matched.rule), Reason::NoRecipient));
    }
    for audience in &matched.audience {
        step_runner::runner(plan, facts, matched, audience, into);
    }
}

fn without_recipient<'a>(plan: &Plan<'a>, rule: Option<&'a Rule>, reason: Reason) -> Decision<'a> {
    let name = rule.map_or("-", |rule| rule.name.as_str());
    Decision {
        key: Key::of(plan.event, name, "-", None, 0, ""),
        rule,
        recipient: "-".to_owned(),
        channel: None,
        step: 0,
        verdict: Verdict::Suppress(reason),
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
