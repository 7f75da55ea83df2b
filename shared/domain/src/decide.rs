//! The second half of a decision: what happens, for each recipient and channel, and why.

use jiff::Timestamp;

use crate::catalog::Rule;
use crate::channel::Channel;
use crate::event::Priority;
use crate::job::SocketTarget;
use crate::key::Key;
use crate::outcome::Reason;
use crate::plan::{Audience, Match, Plan};
use crate::recipient::{Device, EmailAddress, PhoneNumber, Recipient, Recipients};

/// Everything that is known when a decision is made, beside the plan itself. What later decisions will also weigh
/// (preferences, counters, suppression) becomes a field here.
pub struct Facts<'a> {
    /// Those of [`Plan::people`] who are known.
    pub recipients: &'a Recipients,
    pub now: Timestamp,
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
    pub verdict: Verdict<'a>,
}

/// The decision itself.
pub enum Verdict<'a> {
    Send(Order<'a>),
    Suppress(Reason),
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
}

/// Where a notification goes.
#[derive(Clone, PartialEq)]
pub enum Target {
    Email(EmailAddress),
    Push(Device),
    Sms(PhoneNumber),
    Whatsapp(PhoneNumber),
    Socket(SocketTarget),
}

/// Decides for everybody the event's rules address, on every channel they name, in the order of the catalog.
///
/// The same arguments give the same answer: this is what `dispatch` does, what a test asserts, and what will explain
/// a decision after the fact.
#[must_use]
pub fn decide<'a>(plan: &Plan<'a>, facts: &Facts<'a>) -> Vec<Decision<'a>> {
    if plan.matches.is_empty() {
        return vec![nobody(plan, None, Reason::NoRule)];
    }
    plan.matches.iter().flat_map(|it| decide_match(plan, facts, it)).collect()
}

fn decide_match<'a>(plan: &Plan<'a>, facts: &Facts<'a>, matched: &Match<'a>) -> Vec<Decision<'a>> {
    let rule = matched.rule;
    if matched.is_too_large {
        return vec![nobody(plan, Some(rule), Reason::TooMany)];
    }
    if matched.audience.is_empty() {
        return vec![nobody(plan, Some(rule), Reason::NoRecipient)];
    }
    let mut decisions = Vec::new();
    for audience in &matched.audience {
        for &channel in &rule.channels {
            if matches!(audience, Audience::Room(_)) && !channel.reaches_rooms() {
                continue;
            }
            let recipient = audience.name();
            decisions.push(Decision {
                key: Key::of(plan.event, &rule.name, &recipient, Some(channel), 0, ""),
                rule: Some(rule),
                channel: Some(channel),
                verdict: judge(plan, facts, rule, audience, channel),
                recipient,
            });
        }
    }
    decisions
}

/// The questions in the order in which they are asked; the first no stands.
fn judge<'a>(
    plan: &Plan<'a>,
    facts: &Facts<'a>,
    rule: &'a Rule,
    audience: &Audience,
    channel: Channel,
) -> Verdict<'a> {
    let expires_at = expiry(plan, rule);
    if expires_at.is_some_and(|it| it < facts.now) {
        return Verdict::Suppress(Reason::Expired);
    }
    let (person, target) = match audience {
        Audience::Room(room) => (None, Ok(Target::Socket(SocketTarget::Room(room.clone())))),
        Audience::User(id) => {
            let Some(person) = facts.recipients.get(id) else {
                return Verdict::Suppress(Reason::UnknownRecipient);
            };
            if !person.belongs_to(plan.event.tenant.as_deref()) {
                return Verdict::Suppress(Reason::OtherTenant);
            }
            (Some(person), address(person, channel))
        }
    };
    match target {
        Ok(target) => {
            let priority = rule.priority.or(plan.event.priority).unwrap_or_default();
            Verdict::Send(Order { rule, person, target, priority, expires_at })
        }
        Err(reason) => Verdict::Suppress(reason),
    }
}

fn address(person: &Recipient, channel: Channel) -> Result<Target, Reason> {
    match channel {
        Channel::Email => {
            let address = person.email.as_deref().ok_or(Reason::NoAddress)?;
            let address = EmailAddress::parse(address).map_err(|_| Reason::InvalidAddress)?;
            Ok(Target::Email(address))
        }
        Channel::Push => {
            let device = person.devices.first().ok_or(Reason::NoAddress)?;
            Ok(Target::Push(device.clone()))
        }
        Channel::Sms => phone(person.phone.as_deref()).map(Target::Sms),
        Channel::Whatsapp => phone(person.whatsapp.as_deref()).map(Target::Whatsapp),
        Channel::Socket => Ok(Target::Socket(SocketTarget::User(person.id.clone()))),
    }
}

fn phone(number: Option<&str>) -> Result<PhoneNumber, Reason> {
    let number = number.ok_or(Reason::NoAddress)?;
    PhoneNumber::parse(number).map_err(|_| Reason::InvalidAddress)
}

/// The earlier of what the event and the rule say.
fn expiry(plan: &Plan<'_>, rule: &Rule) -> Option<Timestamp> {
    let by_rule = rule.expires.and_then(|it| plan.event.time.checked_add(it).ok());
    match (plan.event.expiry_time, by_rule) {
        (Some(event), Some(rule)) => Some(event.min(rule)),
        (one, other) => one.or(other),
    }
}

fn nobody<'a>(plan: &Plan<'a>, rule: Option<&'a Rule>, reason: Reason) -> Decision<'a> {
    let name = rule.map_or("-", |it| it.name.as_str());
    Decision {
        key: Key::of(plan.event, name, "-", None, 0, ""),
        rule,
        recipient: "-".to_owned(),
        channel: None,
        verdict: Verdict::Suppress(reason),
    }
}

#[cfg(test)]
mod tests;
