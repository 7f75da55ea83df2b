//! One run: the steps of a rule for one recipient, until the run waits, ends, or has an open question.

use jiff::Timestamp;

use super::{Answer, Ask, Decided, Decision, Facts, Note, Verdict, Wanted, limits, wait};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::base::path::Path;
use crate::base::value_key::value_key;
use crate::catalog::rule::{SendStep, Step, ThrottleStep, excluded_users};
use crate::decide::plan::{self, Audience, Match, Plan};
use crate::event::key::{Key, event_part};
use crate::recipient::{Recipient, Suppression};

/// The highest number of steps in one decision.
const MAX_STEPS: usize = 50;

/// The state of one run during a decision.
pub(super) struct StepRunner<'p, 'a> {
    pub(super) plan: &'p Plan<'a>,
    pub(super) facts: &'p Facts<'a, 'p>,
    pub(super) matched: &'p Match<'a>,
    pub(super) audience: &'p Audience,
    pub(super) recipient: String,
    pub(super) person: Option<&'a Recipient>,
    /// Decisions of this run. They count only if the run has no open question.
    pub(super) decisions: Vec<Decision<'a>>,
    pub(super) asks: Vec<Ask>,
    /// Throttles met so far. The next send or digest must pass them.
    pub(super) throttles: Vec<Wanted>,
    /// The suppression of an address without a profile.
    pub(super) closed: Option<Suppression>,
    /// The step before which the run has passed all throttles.
    pub(super) counted: u32,
    /// The expiry of the run.
    pub(super) expires: Option<Timestamp>,
    /// Missing values that affect the whole run. Every decision of the run carries these notes.
    notes: Vec<Note>,
}

/// Whether a run continues after a step.
#[derive(PartialEq, Eq)]
pub(super) enum Go {
    On,
    Stop,
    /// The run ends, and a recurring rule is not repeated.
    End,
}

pub(super) fn runner<'a>(
    plan: &Plan<'a>,
    facts: &Facts<'a, '_>,
    matched: &Match<'a>,
    audience: &Audience,
    into: &mut Decided<'a>,
) {
    let mut runner = StepRunner::new(plan, facts, matched, audience);
    runner.notes = runner.missing_keys();
    runner.run();
    if runner.asks.is_empty() {
        into.decisions.append(&mut runner.decisions);
    } else {
        into.asks.append(&mut runner.asks);
    }
}

impl<'p, 'a> StepRunner<'p, 'a> {
    pub(super) fn new(
        plan: &'p Plan<'a>,
        facts: &'p Facts<'a, 'p>,
        matched: &'p Match<'a>,
        audience: &'p Audience,
    ) -> StepRunner<'p, 'a> {
        StepRunner {
            plan,
            facts,
            matched,
            audience,
            recipient: audience.name(plan.catalog.hashes()),
            person: audience.person().and_then(|id| facts.recipients.get(id)),
            decisions: Vec::new(),
            asks: Vec::new(),
            throttles: Vec::new(),
            closed: None,
            counted: matched.start.counted,
            expires: None,
            notes: Vec::new(),
        }
    }
}

impl<'a> StepRunner<'_, 'a> {
    fn run(&mut self) {
        if let Some(why) = &self.matched.rule.refuse {
            let note = Note::Refused { why: why.clone() };
            return self.refuse(self.matched.start.step, Reason::RefusedByRule, &[note]);
        }
        match self.expiry() {
            Ok(expires) => self.expires = expires,
            Err(unreadable) => {
                let note = wait::not_sent(&unreadable);
                return self.refuse(self.matched.start.step, Reason::UnreadableTime, &[note]);
            }
        }
        if let Err((reason, notes)) = self.may_begin() {
            return self.refuse(self.matched.start.step, reason, &notes);
        }
        if let Some((reason, note)) = self.wordless() {
            return self.refuse(self.matched.start.step, reason, &[note]);
        }
        if self.is_cancelled() || !self.asks.is_empty() {
            return;
        }
        self.keep_former_name();
        if !self.asks.is_empty() {
            return;
        }
        let rule = self.matched.rule;
        let first = usize::try_from(self.matched.start.step).unwrap_or(usize::MAX);
        self.throttles = self.throttles_before(first);
        for (index, step) in rule.steps.iter().enumerate().skip(first).take(MAX_STEPS) {
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            let go = match step {
                Step::Wait(wait) => self.wait(number, wait),
                Step::Throttle(throttle) => {
                    self.throttles.extend(self.throttle(number, throttle));
                    Go::On
                }
                Step::Digest(digest) => self.digest(number, digest),
                Step::Send(send) => self.send(number, send),
            };
            match go {
                Go::End => return,
                Go::Stop => break,
                Go::On if self.matched.start.only.is_some() => break,
                Go::On => {}
            }
        }
        self.recur();
    }

    /// The throttles before the stored position that the run has not passed yet. A digest of quiet hours has passed
    /// them. A digest step that quiet hours deferred has not.
    fn throttles_before(&self, first: usize) -> Vec<Wanted> {
        if self.plan.digest.as_ref().is_some_and(|digest| digest.only.is_some()) {
            return Vec::new();
        }
        let before = self.matched.rule.steps.iter().enumerate().take(first).skip(self.counted as usize).rev();
        // Only collected events have passed the throttles before their digest. A room skips the digest and must pass
        // them.
        let is_digest = self.plan.digest.is_some();
        let pending = before.take_while(|(_, step)| !is_digest || !matches!(step, Step::Digest(_)));
        let throttles = pending.filter_map(|(index, step)| match step {
            Step::Throttle(throttle) => self.throttle(u32::try_from(index).unwrap_or(u32::MAX), throttle),
            Step::Wait(_) | Step::Send(_) | Step::Digest(_) => None,
        });
        throttles.collect()
    }

    fn throttle(&self, step: u32, throttle: &ThrottleStep) -> Option<Wanted> {
        if self.overrides() {
            return None;
        }
        limits::throttle(self.plan, self.matched.rule, step, throttle, &self.recipient)
    }

    /// The rule's keys without a value in the event, and the consequence for this run.
    fn missing_keys(&self) -> Vec<Note> {
        let (rule, envelope) = (self.matched.rule, self.plan.envelope());
        let is_collected = !matches!(self.audience, Audience::Room(_) | Audience::Endpoint(_));
        let first = usize::try_from(self.matched.start.step).unwrap_or(usize::MAX);
        let mut missing: Vec<(&Path, &'static str)> = Vec::new();
        for step in rule.steps.iter().skip(first).filter(|_| !self.overrides()) {
            match step {
                Step::Throttle(throttle) => {
                    missing.extend(
                        throttle.key.iter().map(|key| (key, "its throttle does not count the event")),
                    );
                }
                Step::Digest(digest) if is_collected => {
                    missing.extend(digest.key.iter().map(|key| (key, "its digest holds this event alone")));
                }
                Step::Digest(_) | Step::Wait(_) | Step::Send(_) => {}
            }
        }
        let cancel = rule.cancel.iter().flat_map(|cancel| &cancel.key);
        missing.extend(cancel.map(|key| (key, "no event can cancel it")));
        let missing = missing.into_iter().filter(|(key, _)| value_key(key, envelope).is_none());
        missing.map(|(key, instead)| Note::missing(key, instead)).collect()
    }

    /// Checks that concern the recipient as a whole: expiry, actor, exclusions and tenant.
    pub(super) fn may_begin(&self) -> Result<(), (Reason, Vec<Note>)> {
        let event = self.plan.event;
        if self.expires_at().is_some_and(|expires_at| expires_at < self.facts.now) {
            return Err((Reason::Expired, Vec::new()));
        }
        if plan::excludes_actor(self.matched.rule, event, self.audience) {
            return Err((Reason::Actor, Vec::new()));
        }
        let excluded = excluded_users(&self.matched.rule.exclude, self.plan.envelope()).map_err(|error| {
            let note = Note::Unusable { what: error.to_string(), instead: "nothing is sent" };
            (Reason::UnreadableExclude, vec![note])
        })?;
        if self.audience.person().is_some_and(|id| excluded.contains(id)) {
            return Err((Reason::Excluded, Vec::new()));
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
        let event = self.plan.event;
        // The last release stored cancellations under a key of another form.
        let former = plan::former_cancel_key(self.matched.rule, event, self.plan.envelope());
        for key in self.cancel_key().into_iter().chain(former) {
            let Some(Answer::Cancelled(Some(found))) = self.answer(Ask::Cancelled { key }) else { continue };
            if found.takes_back(event.time, &event_part(&event.source, &event.id)) {
                if !self.rejoin() && self.asks.is_empty() {
                    let notes = [Note::Cancelled { by_event_of: found.at }];
                    self.refuse(self.matched.start.step, Reason::Cancelled, &notes);
                }
                return true;
            }
        }
        false
    }

    /// Keeps the address name of the last release if that release has sent messages of this run. The keys stay the
    /// same, so no message is sent twice.
    fn keep_former_name(&mut self) {
        let Some(former) = self.audience.former_name() else { return };
        let name = std::mem::replace(&mut self.recipient, former);
        let steps = self.matched.rule.steps.iter().enumerate();
        let sends = steps.filter_map(|(index, step)| match step {
            Step::Send(send) => Some((u32::try_from(index).unwrap_or(u32::MAX), self.channels(send))),
            Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        let of: Vec<Key> = sends
            .flat_map(|(index, channels)| channels.into_iter().map(move |channel| (index, channel)))
            .flat_map(|(index, channel)| self.keys(index, channel))
            .collect();
        if of.is_empty() || self.answer(Ask::Notified { of }) != Some(Answer::Notified(true)) {
            self.recipient = name;
        }
    }

    /// Suppresses every channel of the first send step from `from` on.
    pub(super) fn refuse(&mut self, from: u32, reason: Reason, notes: &[Note]) {
        let first = usize::try_from(from).unwrap_or(usize::MAX);
        let sends = self.matched.rule.steps.iter().enumerate().skip(first);
        let next = sends.filter_map(|(index, step)| match step {
            Step::Send(send) => Some((index, send)),
            Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        let Some((index, send)) = next.into_iter().next() else { return };
        let step = u32::try_from(index).unwrap_or(u32::MAX);
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

    /// The channels of the next send step that applies to this audience.
    pub(super) fn channels_after(&self, step: u32) -> Vec<Channel> {
        let mut sends = self.matched.rule.steps.iter().skip(step as usize).filter_map(|step| match step {
            Step::Send(send) => Some(self.channels(send)),
            Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        sends.find(|send| !send.is_empty()).unwrap_or_default()
    }

    /// The channels of a send step for this audience and this run.
    pub(super) fn channels(&self, send: &SendStep) -> Vec<Channel> {
        let only = self.matched.start.only;
        if let Some(instead_of) = self.matched.start.instead_of {
            return self.failover_channels(send, only, instead_of.channel);
        }
        self.all_channels(send)
            .into_iter()
            .filter(|channel| only.is_none_or(|only| only == *channel))
            .collect()
    }

    /// All channels of a send step for this audience.
    pub(super) fn all_channels(&self, send: &SendStep) -> Vec<Channel> {
        send.channels.iter().copied().filter(|channel| self.fits(*channel)).collect()
    }

    /// Whether the channel applies to this audience.
    pub(super) fn fits(&self, channel: Channel) -> bool {
        match self.audience {
            Audience::Room(_) => channel.reaches_rooms(),
            Audience::Address { channel: own, .. } => channel == *own,
            Audience::Endpoint(_) => channel.reaches_endpoints(),
            Audience::User(_) | Audience::Member(_) => !channel.reaches_endpoints(),
        }
    }

    /// The answer to a question. Records the question if there is no answer yet.
    pub(super) fn answer(&mut self, ask: Ask) -> Option<Answer> {
        let answer = self.facts.answers.to(&ask).cloned();
        if answer.is_none() {
            self.asks.push(ask);
        }
        answer
    }

    pub(super) fn cancel_key(&self) -> Option<crate::limits::cancel::CancelKey> {
        let hashes = self.plan.catalog.hashes();
        plan::cancel_key(self.matched.rule, self.plan.event, self.plan.envelope(), hashes)
    }

    /// The key of a decision. `suffix` distinguishes several keys of one step and channel; it is empty for the message
    /// itself.
    pub(super) fn key(&self, channel: Option<Channel>, step: u32, suffix: &str) -> Key {
        let nonce = match self.matched.start.occurrence {
            0 => suffix.to_owned(),
            occurrence => format!("{occurrence} {suffix}"),
        };
        let nonce = self.matched.start.nonce(nonce);
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
        let notes = self.notes.iter().cloned().chain(notes).collect();
        let recipient = self.recipient.clone();
        Decision { key, rule: Some(self.matched.rule), recipient, channel, step, verdict, notes }
    }
}
