//! One rule's steps for one recipient, from where they begin to where they wait, end, or need an answer.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Answer, Ask, Decided, Decision, Facts, Later, Merge, Note, Verdict, Waiting, Wanted, limits};
use crate::channel::Channel;
use crate::digest;
use crate::key::{Key, event_part};
use crate::outcome::Reason;
use crate::plan::{self, Audience, Match, Plan};
use crate::recipient::Recipient;
use crate::rule::{DigestStep, SendStep, Step, Wait};
use crate::wake::Start;

/// The most steps of a rule that one decision walks through.
const MAX_STEPS: usize = 50;

/// One recipient on the way through one rule.
pub(super) struct Walk<'p, 'a> {
    pub(super) plan: &'p Plan<'a>,
    pub(super) facts: &'p Facts<'a, 'p>,
    pub(super) matched: &'p Match<'a>,
    pub(super) audience: &'p Audience,
    pub(super) recipient: String,
    pub(super) person: Option<&'a Recipient>,
    /// Of this run only; they count when all questions of the run have an answer.
    pub(super) decisions: Vec<Decision<'a>>,
    pub(super) asks: Vec<Ask>,
    /// Throttles that were met, to be passed by whatever is sent or collected next.
    throttles: Vec<Wanted>,
}

/// Whether a run goes on after a step.
#[derive(PartialEq, Eq)]
pub(super) enum Go {
    On,
    Stop,
}

pub(super) fn walk<'a>(
    plan: &Plan<'a>,
    facts: &Facts<'a, '_>,
    matched: &Match<'a>,
    audience: &Audience,
    into: &mut Decided<'a>,
) {
    let mut walk = Walk {
        plan,
        facts,
        matched,
        audience,
        recipient: audience.name(),
        person: audience.person().and_then(|id| facts.recipients.get(id)),
        decisions: Vec::new(),
        asks: Vec::new(),
        throttles: Vec::new(),
    };
    walk.run();
    if walk.asks.is_empty() {
        into.decisions.append(&mut walk.decisions);
    } else {
        into.asks.append(&mut walk.asks);
    }
}

impl<'a> Walk<'_, 'a> {
    fn run(&mut self) {
        if let Err((reason, notes)) = self.may_begin() {
            return self.refuse(self.matched.start.step, reason, &notes);
        }
        if self.is_cancelled() || !self.asks.is_empty() {
            return;
        }
        let rule = self.matched.rule;
        let first = usize::try_from(self.matched.start.step).unwrap_or(usize::MAX);
        for (at, step) in rule.steps.iter().enumerate().skip(first).take(MAX_STEPS) {
            let number = u32::try_from(at).unwrap_or(u32::MAX);
            let go = match step {
                Step::Wait(wait) => self.wait(number, wait),
                Step::Throttle(it) => {
                    if !self.overrides() {
                        self.throttles.extend(limits::throttle(self.plan, rule, number, it, &self.recipient));
                    }
                    Go::On
                }
                Step::Digest(it) => self.digest(number, it),
                Step::Send(it) => self.send(number, it),
            };
            if go == Go::Stop || self.matched.start.only.is_some() {
                break;
            }
        }
        self.recur();
    }

    /// What concerns the recipient as a whole.
    fn may_begin(&self) -> Result<(), (Reason, Vec<Note>)> {
        let event = self.plan.event;
        if self.expires_at().is_some_and(|it| it < self.facts.now) {
            return Err((Reason::Expired, Vec::new()));
        }
        if plan::leaves_out(self.matched.rule, event, self.audience) {
            return Err((Reason::Actor, Vec::new()));
        }
        if self.audience.person().is_some() {
            let Some(person) = self.person else { return Err((Reason::UnknownRecipient, Vec::new())) };
            if !person.belongs_to(event.tenant.as_deref()) {
                return Err((Reason::OtherTenant, Vec::new()));
            }
        }
        Ok(())
    }

    fn is_cancelled(&mut self) -> bool {
        let Some(key) = self.cancel_key() else { return false };
        let Some(Answer::Cancelled(Some(it))) = self.answer(Ask::Cancelled { key }) else { return false };
        let event = self.plan.event;
        if !it.takes_back(event.time, &event_part(&event.source, &event.id)) {
            return false;
        }
        self.refuse(self.matched.start.step, Reason::Cancelled, &[Note::Cancelled { by_event_of: it.at }]);
        true
    }

    fn wait(&mut self, step: u32, wait: &Wait) -> Go {
        // An emergency does not wait for its first word; between two words it gives the first a chance.
        let before_all =
            !self.matched.rule.steps.iter().take(step as usize).any(|it| matches!(it, Step::Send(_)));
        if self.overrides() && before_all {
            return Go::On;
        }
        let Some(until) = self.until(wait) else {
            return Go::On;
        };
        if until <= self.facts.now {
            return Go::On;
        }
        let start = Start { step: step + 1, due: Some(until), only: None, ..self.matched.start };
        self.later(step, None, until, Waiting::Step, start, Vec::new());
        Go::Stop
    }

    /// `None` when the event does not say until when: nothing is waited for.
    fn until(&self, wait: &Wait) -> Option<Timestamp> {
        match wait {
            Wait::For(length) => self.facts.now.checked_add(*length).ok(),
            Wait::Until(at) => Some(*at),
            Wait::Event { path, shift } => {
                let found = path.find(self.plan.envelope()).into_iter().find_map(Value::as_str)?;
                let at = match found.parse::<Timestamp>() {
                    Ok(at) => at,
                    Err(_) => self.facts.now.checked_add(found.parse::<SignedDuration>().ok()?).ok()?,
                };
                at.checked_add(*shift).ok()
            }
        }
    }

    fn digest(&mut self, step: u32, it: &DigestStep) -> Go {
        if self.overrides() || matches!(self.audience, Audience::Room(_)) {
            return Go::On;
        }
        // What a throttle before it holds back is not collected either.
        let channels = self.channels_after(step);
        let Some(refused) = self.admit(step, &channels, false) else { return Go::Stop };
        if let Some((_, full)) = refused.first() {
            let note =
                Note::Full { limit: full.limit.clone(), n: full.n, most: full.most, until: full.until };
            for (channel, _) in &refused {
                self.suppress(step, *channel, Reason::Throttled, vec![note.clone()]);
            }
            return Go::Stop;
        }
        let (zone, _) = self.zone(None, &mut Vec::new());
        let Some(ends) = it.span.end(&zone, self.facts.now) else { return Go::On };
        let value = limits::value(it.key.as_ref(), self.plan.envelope());
        self.join(step, None, &value, it.policy.clone(), ends)
    }

    /// Puts the event into a digest. The run ends there, unless it passes straight through.
    pub(super) fn join(
        &mut self,
        step: u32,
        only: Option<Channel>,
        what: &str,
        policy: digest::DigestPolicy,
        ends: Timestamp,
    ) -> Go {
        let rule = self.matched.rule;
        let what = only.map_or_else(|| what.to_owned(), |it| format!("quiet hours, {}", it.name()));
        let window = limits::window(self.plan.event, rule, step, &self.recipient, &what);
        let key = self.key(only, step, "join");
        // The run, not the event alone, is what a window has once: a recurring rule may bring one event again.
        let item = Box::new(digest::Item {
            event_key: key.as_str().to_owned(),
            ..digest::Item::of(self.plan.event)
        });
        let cancel = self.cancel_key();
        let ask = Ask::Join { key: key.clone(), window: window.clone(), policy, ends, item, cancel };
        match self.answer(ask) {
            Some(Answer::Joined { window_id, closes_at, timer }) => {
                let audience = self.audience.clone();
                let verdict =
                    Verdict::Merge(Merge { window, window_id, closes_at, timer, audience, step, only });
                let decision = self.decision(key, only, step, verdict, vec![Note::Collected { closes_at }]);
                self.decisions.push(decision);
                Go::Stop
            }
            Some(_) => Go::On,
            None => Go::Stop,
        }
    }

    /// Makes the next run of a recurring rule.
    fn recur(&mut self) {
        let start = &self.matched.start;
        let Some(repeat) = &self.matched.rule.repeat else { return };
        if start.step != 0 || start.only.is_some() || self.plan.digest.is_some() {
            return;
        }
        let occurrence = start.occurrence.saturating_add(1);
        if repeat.times.is_some_and(|it| occurrence >= it) {
            return;
        }
        let (zone, _) = self.zone(None, &mut Vec::new());
        let last = start.due.unwrap_or(self.facts.now);
        let Some(next) = repeat.every.next_after(&zone, last.max(self.facts.now)) else { return };
        let ends = repeat.until.as_ref().and_then(|it| {
            it.find(self.plan.envelope()).into_iter().find_map(Value::as_str)?.parse::<Timestamp>().ok()
        });
        if ends.is_some_and(|it| next > it) || self.expires_at().is_some_and(|it| next > it) {
            return;
        }
        let start = Start { step: 0, only: None, occurrence, due: Some(next) };
        self.later(0, None, next, Waiting::Recurrence, start, Vec::new());
    }

    pub(super) fn later(
        &mut self,
        step: u32,
        channel: Option<Channel>,
        until: Timestamp,
        why: Waiting,
        start: Start,
        notes: Vec<Note>,
    ) {
        // What would come too late is not waited for.
        if self.expires_at().is_some_and(|it| it < until) {
            return self.refuse(step, Reason::Expired, &notes);
        }
        // Not the time: a message that comes again waits under the key it had.
        let what = format!("later: {}", why.reason().name());
        let verdict = Verdict::Later(Later { until, why, audience: self.audience.clone(), start });
        let decision = self.decision(self.key(channel, step, &what), channel, step, verdict, notes);
        self.decisions.push(decision);
    }

    /// The same no for every channel of the first step from `from` on that sends.
    fn refuse(&mut self, from: u32, reason: Reason, notes: &[Note]) {
        let first = usize::try_from(from).unwrap_or(usize::MAX);
        let sends = self.matched.rule.steps.iter().enumerate().skip(first);
        let next = sends.filter_map(|(at, it)| match it {
            Step::Send(send) => Some((at, send)),
            Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        let Some((at, send)) = next.into_iter().next() else { return };
        let step = u32::try_from(at).unwrap_or(u32::MAX);
        for channel in self.channels(send) {
            let verdict = Verdict::Suppress(reason);
            let decision = self.decision(
                self.key(Some(channel), step, ""),
                Some(channel),
                step,
                verdict,
                notes.to_vec(),
            );
            self.decisions.push(decision);
        }
    }

    /// The channels of the first step after this one that sends.
    fn channels_after(&self, step: u32) -> Vec<Channel> {
        let sends = self.matched.rule.steps.iter().skip(step as usize).find_map(|it| match it {
            Step::Send(send) => Some(send),
            Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        sends.map(|it| self.channels(it)).unwrap_or_default()
    }

    /// The channels of a step that this audience can have.
    pub(super) fn channels(&self, send: &SendStep) -> Vec<Channel> {
        let only = self.matched.start.only;
        let fits = |it: &Channel| match self.audience {
            Audience::Room(_) => it.reaches_rooms(),
            Audience::Address { channel, .. } => it == channel,
            Audience::User(_) | Audience::Member(_) => true,
        };
        send.channels.iter().copied().filter(|it| fits(it) && only.is_none_or(|only| only == *it)).collect()
    }

    pub(super) fn take_throttles(&mut self) -> Vec<Wanted> {
        std::mem::take(&mut self.throttles)
    }

    /// The answer to a question; without one the question is put.
    pub(super) fn answer(&mut self, ask: Ask) -> Option<Answer> {
        let answer = self.facts.answers.to(&ask).cloned();
        if answer.is_none() {
            self.asks.push(ask);
        }
        answer
    }

    pub(super) fn cancel_key(&self) -> Option<crate::cancel::CancelKey> {
        plan::cancel_key(self.matched.rule, self.plan.event, self.plan.envelope())
    }

    /// `what` keeps several keys of one step and channel apart; it is empty for the message itself.
    pub(super) fn key(&self, channel: Option<Channel>, step: u32, what: &str) -> Key {
        let nonce = match self.matched.start.occurrence {
            0 => what.to_owned(),
            occurrence => format!("{occurrence} {what}"),
        };
        Key::of(self.plan.event, &self.matched.rule.name, &self.recipient, channel, step, &nonce)
    }

    pub(super) fn decision(
        &self,
        key: Key,
        channel: Option<Channel>,
        step: u32,
        verdict: Verdict<'a>,
        notes: Vec<Note>,
    ) -> Decision<'a> {
        let recipient = self.recipient.clone();
        Decision { key, rule: Some(self.matched.rule), recipient, channel, step, verdict, notes }
    }
}
