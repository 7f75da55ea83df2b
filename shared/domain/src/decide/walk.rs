//! One rule's steps for one recipient, from where they begin to where they wait, end, or need an answer.

use jiff::Timestamp;

use super::{Answer, Ask, Decided, Decision, Facts, Note, Verdict, Wanted, limits, wait};
use crate::channel::Channel;
use crate::key::{Key, event_part};
use crate::outcome::Reason;
use crate::path::Path;
use crate::plan::{self, Audience, Match, Plan};
use crate::recipient::{Recipient, Suppression};
use crate::rule::{SendStep, Step, ThrottleStep, excluded_users};
use crate::value_key::value_key;

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
    pub(super) throttles: Vec<Wanted>,
    /// Why the address is closed, where it is nobody's of whom there is a profile.
    pub(super) closed: Option<Suppression>,
    /// The throttles before this step have let the run through.
    pub(super) counted: u32,
    /// Until when the run is of use.
    pub(super) expires: Option<Timestamp>,
    /// Values of the event that are missing for the run as a whole. Every decision of the run says so.
    notes: Vec<Note>,
}

/// Whether a run goes on after a step.
#[derive(PartialEq, Eq)]
pub(super) enum Go {
    On,
    Stop,
    /// The run ends, and a recurring rule does not come round either.
    End,
}

pub(super) fn walk<'a>(
    plan: &Plan<'a>,
    facts: &Facts<'a, '_>,
    matched: &Match<'a>,
    audience: &Audience,
    into: &mut Decided<'a>,
) {
    let mut walk = Walk::new(plan, facts, matched, audience);
    walk.notes = walk.missing_keys();
    walk.run();
    if walk.asks.is_empty() {
        into.decisions.append(&mut walk.decisions);
    } else {
        into.asks.append(&mut walk.asks);
    }
}

impl<'p, 'a> Walk<'p, 'a> {
    pub(super) fn new(
        plan: &'p Plan<'a>,
        facts: &'p Facts<'a, 'p>,
        matched: &'p Match<'a>,
        audience: &'p Audience,
    ) -> Walk<'p, 'a> {
        Walk {
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

impl<'a> Walk<'_, 'a> {
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
        for (at, step) in rule.steps.iter().enumerate().skip(first).take(MAX_STEPS) {
            let number = u32::try_from(at).unwrap_or(u32::MAX);
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

    /// The throttles that were met before the run was left for later, and that it has not passed. What was collected for
    /// the morning has; the digest of a step that only waits for the morning has not.
    fn throttles_before(&self, first: usize) -> Vec<Wanted> {
        if self.plan.digest.as_ref().is_some_and(|digest| digest.only.is_some()) {
            return Vec::new();
        }
        let before = self.matched.rule.steps.iter().enumerate().take(first).skip(self.counted as usize).rev();
        // Only what was collected has passed those before its digest: a room, say, goes by it with its throttles.
        let is_digest = self.plan.digest.is_some();
        let pending = before.take_while(|(_, it)| !is_digest || !matches!(it, Step::Digest(_)));
        let throttles = pending.filter_map(|(at, it)| match it {
            Step::Throttle(throttle) => self.throttle(u32::try_from(at).unwrap_or(u32::MAX), throttle),
            Step::Wait(_) | Step::Send(_) | Step::Digest(_) => None,
        });
        throttles.collect()
    }

    fn throttle(&self, step: u32, it: &ThrottleStep) -> Option<Wanted> {
        if self.overrides() {
            return None;
        }
        limits::throttle(self.plan, self.matched.rule, step, it, &self.recipient)
    }

    /// The keys of the rule of which the event has no value, and what that means for this run.
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
        missing.extend(cancel.map(|key| (key, "no event can take it back")));
        let missing = missing.into_iter().filter(|(key, _)| value_key(key, envelope).is_none());
        missing.map(|(key, instead)| Note::missing(key, instead)).collect()
    }

    /// What concerns the recipient as a whole.
    pub(super) fn may_begin(&self) -> Result<(), (Reason, Vec<Note>)> {
        let event = self.plan.event;
        if self.expires_at().is_some_and(|expires_at| expires_at < self.facts.now) {
            return Err((Reason::Expired, Vec::new()));
        }
        if plan::leaves_out(self.matched.rule, event, self.audience) {
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
        // The last release filed cancellations under a key of another form.
        let former = plan::former_cancel_key(self.matched.rule, event, self.plan.envelope());
        for key in self.cancel_key().into_iter().chain(former) {
            let Some(Answer::Cancelled(Some(found))) = self.answer(Ask::Cancelled { key }) else { continue };
            if found.takes_back(event.time, &event_part(&event.source, &event.id)) {
                let notes = [Note::Cancelled { by_event_of: found.at }];
                self.refuse(self.matched.start.step, Reason::Cancelled, &notes);
                return true;
            }
        }
        false
    }

    /// Goes on under the name that the last release gave to an address, where that release has sent something of this
    /// run: the keys stay the same, and nothing is sent twice.
    fn keep_former_name(&mut self) {
        let Some(former) = self.audience.former_name() else { return };
        let name = std::mem::replace(&mut self.recipient, former);
        let steps = self.matched.rule.steps.iter().enumerate();
        let sends = steps.filter_map(|(at, step)| match step {
            Step::Send(send) => Some((u32::try_from(at).unwrap_or(u32::MAX), self.channels(send))),
            Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        let of: Vec<Key> = sends
            .flat_map(|(at, channels)| channels.into_iter().map(move |channel| (at, channel)))
            .flat_map(|(at, channel)| self.keys(at, channel))
            .collect();
        if of.is_empty() || self.answer(Ask::Told { of }) != Some(Answer::Told(true)) {
            self.recipient = name;
        }
    }

    /// The same no for every channel of the first step from here on that sends.
    pub(super) fn refuse(&mut self, from: u32, reason: Reason, notes: &[Note]) {
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

    /// The channels of the first step after this one that sends this audience anything.
    pub(super) fn channels_after(&self, step: u32) -> Vec<Channel> {
        let mut sends = self.matched.rule.steps.iter().skip(step as usize).filter_map(|step| match step {
            Step::Send(send) => Some(self.channels(send)),
            Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        sends.find(|send| !send.is_empty()).unwrap_or_default()
    }

    /// The channels of a step that this audience can have.
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

    /// The same, whether or not the others are held back.
    pub(super) fn all_channels(&self, send: &SendStep) -> Vec<Channel> {
        send.channels.iter().copied().filter(|channel| self.fits(*channel)).collect()
    }

    /// Whether this audience can have it.
    pub(super) fn fits(&self, it: Channel) -> bool {
        match self.audience {
            Audience::Room(_) => it.reaches_rooms(),
            Audience::Address { channel, .. } => it == *channel,
            Audience::Endpoint(_) => it.reaches_endpoints(),
            Audience::User(_) | Audience::Member(_) => !it.reaches_endpoints(),
        }
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
        let hashes = self.plan.catalog.hashes();
        plan::cancel_key(self.matched.rule, self.plan.event, self.plan.envelope(), hashes)
    }

    /// `what` keeps several keys of one step and channel apart; it is empty for the message itself.
    pub(super) fn key(&self, channel: Option<Channel>, step: u32, what: &str) -> Key {
        let nonce = match self.matched.start.occurrence {
            0 => what.to_owned(),
            occurrence => format!("{occurrence} {what}"),
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
