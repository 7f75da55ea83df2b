//! The second half of a decision: what happens, for each recipient and channel, and why.
//!
//! [`decide`] is a pure function. Where it has to know something that only a table can say (may this still pass the
//! cap? which digest did it join?) it does not ask: it returns what it would ask, and is called again with the answers.

use jiff::Timestamp;

use crate::cancel::CancelKey;
use crate::channel::Channel;
use crate::endpoint::EndpointId;
use crate::event::Priority;
use crate::job::SocketTarget;
use crate::key::Key;
use crate::outcome::Reason;
use crate::plan::{Audience, Match, Plan};
use crate::recipient::{Device, EmailAddress, PhoneNumber, Recipient, Recipients, Settings};
use crate::rule::{Record, Rule};
use crate::told;
use crate::unsubscribe::Scope;
use crate::wake::{InsteadOf, Start, Task};

mod ask;
mod broadcast;
mod collect;
mod failover;
mod judge;
mod limits;
mod note;
mod send;
mod wait;
mod walk;
mod wording;

pub use ask::{Answer, Answers, Ask, Wanted};
pub(crate) use limits::id as limit_id;
pub use note::Note;

/// How many rounds of questions a decision may have: a run has a few for each of its steps.
const MAX_ROUNDS: usize = 200;

/// Everything that is known when a decision is made, beside the plan itself.
#[derive(Clone, Copy)]
pub struct Facts<'a, 'q> {
    /// Those of [`Plan::people`] who are known.
    pub recipients: &'a Recipients,
    /// What the event's tenant has settled for its people.
    pub tenant: Option<&'a Settings>,
    /// What the tables said to the questions of an earlier call.
    pub answers: &'q Answers,
    pub now: Timestamp,
}

/// What was decided, and what must be known to decide the rest.
#[derive(Default)]
pub struct Decided<'a> {
    pub decisions: Vec<Decision<'a>>,
    /// Nothing is decided about the runs that these come from.
    pub asks: Vec<Ask>,
}

/// What happens to one notification, and why.
pub struct Decision<'a> {
    pub key: Key,
    /// The rule it was made by; `None` when no rule matches the event at all.
    pub rule: Option<&'a Rule>,
    /// As [`Audience::name`] writes it; `-` when there is nobody.
    pub recipient: String,
    /// `None` when it did not come to a channel.
    pub channel: Option<Channel>,
    /// The step of the rule.
    pub step: u32,
    pub verdict: Verdict<'a>,
    /// What was weighed on the way, in this order.
    pub notes: Vec<Note>,
}

/// The decision itself.
#[expect(
    clippy::large_enum_variant,
    reason = "most verdicts are orders, and none lives longer than its batch"
)]
pub enum Verdict<'a> {
    Send(Order<'a>),
    Suppress(Reason),
    Later(Later),
    Merge(Merge),
    /// What an earlier event left under this key is taken back.
    Cancel(CancelKey),
}

/// A notification that is to be rendered and sent.
pub struct Order<'a> {
    pub rule: &'a Rule,
    /// The person, where it is one.
    pub person: Option<&'a Recipient>,
    pub target: Target,
    pub priority: Priority,
    /// Not to be sent after this.
    pub expires_at: Option<Timestamp>,
    /// What it can be cancelled by, until it is sent.
    pub cancel: Option<CancelKey>,
    /// From what its reader may unsubscribe by one click: said of letters to people only.
    pub way_out: Option<Scope>,
    /// The channel whose place it takes.
    pub instead_of: Option<InsteadOf>,
    /// Where it is gone on with if it fails: the channel that is asked next, and how.
    pub failover: Option<(Channel, Task)>,
}

/// A run that is gone on with later.
#[derive(Debug, Clone, PartialEq)]
pub struct Later {
    pub until: Timestamp,
    pub why: Waiting,
    pub audience: Audience,
    pub start: Start,
}

impl Later {
    /// What is left for `until`. What a closed digest holds is not carried but read again then: it may be more than a
    /// message carries.
    #[must_use]
    pub fn task(&self, plan: &Plan<'_>) -> Task {
        resumed(plan, self.audience.clone(), self.start.clone())
    }
}

/// How a run is gone on with.
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

/// What a run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A step of the rule says so.
    Step,
    /// The recipient is not to be disturbed now.
    QuietHours,
    /// The next time of a recurring rule.
    Recurrence,
}

impl Waiting {
    /// As outcomes write it.
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
    /// Whether the window must be closed at `closes_at` by somebody, and this event is the one that sees to it.
    pub timer: bool,
    pub audience: Audience,
    pub step: u32,
    pub only: Option<Channel>,
}

impl Merge {
    /// What is left for `closes_at`.
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

/// Where a notification goes.
#[derive(Clone, PartialEq)]
pub enum Target {
    Email(EmailAddress),
    Push(Device),
    Sms(PhoneNumber),
    Whatsapp(PhoneNumber),
    /// An address of a channel whose addresses are ids of the provider, in its one spelling.
    Message {
        channel: Channel,
        to: String,
    },
    Socket(SocketTarget),
    /// The event itself, for open sockets.
    Broadcast(Live),
    /// An endpoint, and the version of the data that it was written for.
    Webhook {
        to: EndpointId,
        version: Option<String>,
    },
}

/// The sockets that get a broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub to: SocketTarget,
    /// Users whose sockets do not get it although they are in the room.
    pub exclude: Vec<String>,
    pub record: Record,
}

/// Decides for everybody the event's rules address, step by step and channel by channel, in the order of the catalog.
///
/// The same arguments give the same answer: this is what `dispatch` does, what a test asserts, what explains a decision
/// after the fact, and what says how another catalog would have decided.
#[must_use]
pub fn decide<'a>(plan: &Plan<'a>, facts: &Facts<'a, '_>) -> Decided<'a> {
    let mut decided = Decided::default();
    for (rule, key) in &plan.cancels {
        decided.decisions.push(Decision {
            key: Key::of(plan.event, &rule.name, "-", None, 0, "cancel"),
            verdict: Verdict::Cancel(key.clone()),
            ..nobody(plan, Some(rule), Reason::Cancelled)
        });
    }
    for (rule, path) in &plan.unnamed_cancels {
        decided.decisions.push(Decision {
            key: Key::of(plan.event, &rule.name, "-", None, 0, "cancel"),
            notes: vec![Note::missing(path, "the event takes nothing back")],
            ..nobody(plan, Some(rule), Reason::NoKey)
        });
    }
    let is_of_no_rule = plan.matches.is_empty() && plan.cancels.is_empty() && plan.unnamed_cancels.is_empty();
    // A rule may match our own `communication.sent`; without one there is nothing to say about it.
    let is_expected = !told::is_communication(plan.event);
    if is_of_no_rule && !plan.woken && is_expected {
        decided.decisions.push(nobody(plan, None, Reason::NoRule));
    }
    for matched in &plan.matches {
        decide_match(plan, facts, matched, &mut decided);
    }
    decided
}

/// Decides with every question answered: by whoever knows, or by [`Ask::if_nothing_happened`]. Nothing is decided about
/// a run that asks without end.
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
    // That a tenant has no endpoints is no story, unless it is the whole story of the event.
    let told_by_others = matched.rule.is_for_endpoints() && plan.matches.len() > 1;
    if matched.audience.is_empty() && !plan.woken && !told_by_others {
        into.decisions.push(nobody(plan, Some(matched.rule), Reason::NoRecipient));
    }
    for audience in &matched.audience {
        walk::walk(plan, facts, matched, audience, into);
    }
}

fn nobody<'a>(plan: &Plan<'a>, rule: Option<&'a Rule>, reason: Reason) -> Decision<'a> {
    let name = rule.map_or("-", |it| it.name.as_str());
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
