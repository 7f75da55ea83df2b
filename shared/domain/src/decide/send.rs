//! Send steps.

use jiff::Timestamp;

use super::channel_evaluation::{ChannelEvaluation, ChannelOutcome};
use super::failover::replaced_channel;
use super::step_runner::{Go, StepRunner};
use super::{Answer, Ask, Note, Order, Target, Verdict, Waiting, Wanted, limits};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::catalog::rule::{Outside, SendStep, Step, Unless};
use crate::decide::continuation::Start;
use crate::decide::plan::Audience;
use crate::event::key::Key;
use crate::limits::counter::{Refusal, Scope};
use crate::limits::digest::DigestPolicy;

/// The result of the limits.
#[derive(Default)]
pub(super) struct Admitted {
    pub(super) granted: Vec<Channel>,
    pub(super) refused: Vec<(Channel, Refusal)>,
    /// The limits that were evaluated.
    asked: Vec<Wanted>,
}

impl StepRunner<'_, '_> {
    pub(super) fn send(&mut self, step: u32, send: &SendStep) -> Go {
        let channels = self.channels(send);
        if !self.has_failed(step) {
            return Go::Stop;
        }
        match self.noticed(step, send) {
            Some(None) => {}
            Some(Some(found)) => {
                let reason = match found {
                    Unless::Seen => Reason::Seen,
                    Unless::Acknowledged => Reason::Acknowledged,
                };
                for channel in channels {
                    self.suppress(step, channel, reason, vec![Note::Noticed { how: found.name() }]);
                }
                return Go::Stop;
            }
            None => return Go::Stop,
        }
        if !self.ask_whether_closed() {
            return Go::Stop;
        }
        // A digest does not record engagement for each event, so these cases defer instead.
        let start = &self.matched.start;
        let alone = send.unless.is_some() || start.device.is_some() || start.instead_of.is_some();
        let outside = match self.matched.rule.outside {
            Outside::Digest if alone => Outside::Defer,
            outside @ (Outside::Defer | Outside::Drop | Outside::Digest) => outside,
        };
        let mut judged: Vec<ChannelEvaluation> =
            channels.into_iter().map(|channel| self.judge(channel, outside)).collect();
        self.take_the_first(&mut judged);
        self.stand_in(send, outside, &mut judged);
        if outside == Outside::Digest && !self.keep_what_was_collected(step, &mut judged) {
            return Go::Stop;
        }
        let those = |is: fn(&ChannelOutcome) -> bool| -> Vec<Channel> {
            judged
                .iter()
                .filter(|evaluation| is(&evaluation.verdict))
                .map(|evaluation| evaluation.channel)
                .collect()
        };
        let ready = those(|result| matches!(result, ChannelOutcome::Go { .. }));
        let collected = those(|result| matches!(result, ChannelOutcome::Collect(_)));
        let Some(admitted) = self.admit(step, send, &ready, &collected) else { return Go::Stop };
        let throttled = admitted.throttled().cloned();
        for evaluation in judged {
            self.conclude(step, evaluation, &admitted, throttled.as_ref());
        }
        if throttled.is_some() { Go::Stop } else { Go::On }
    }

    /// Looks up the suppression of an address without a profile. A person's profile already holds it. Returns `false`
    /// while the answer is unknown.
    fn ask_whether_closed(&mut self) -> bool {
        let Audience::Address { channel, address } = self.audience else { return true };
        if channel.suppression_days().is_none() || self.closed.is_some() {
            return true;
        }
        // Rows of earlier releases use that release's hash of the address.
        let names = self.plan.catalog.hashes().hashes_of_address(*channel, address.expose());
        let mut known = true;
        for address in names {
            match self.answer(Ask::Closed { address }) {
                Some(Answer::Closed(Some(found))) if found.holds(self.facts.now) => self.closed = Some(found),
                Some(_) => {}
                None => known = false,
            }
        }
        known
    }

    /// Keeps a notification in its digest if it was collected during quiet hours and is redelivered afterwards.
    /// Without this, the notification would be sent twice. Returns `false` while the answer is unknown.
    fn keep_what_was_collected(&mut self, step: u32, judged: &mut [ChannelEvaluation]) -> bool {
        let mut known = true;
        if self.overrides() || self.matched.start.only.is_some() || self.windows().is_none() {
            return known;
        }
        for evaluation in judged.iter_mut().filter(|evaluation| evaluation.channel.disturbs()) {
            if !matches!(evaluation.verdict, ChannelOutcome::Go { .. }) {
                continue;
            }
            match self.answer(Ask::Collected { key: self.key(Some(evaluation.channel), step, "join") }) {
                Some(Answer::Joined { closes_at, .. }) => {
                    evaluation.verdict = ChannelOutcome::Collect(closes_at);
                }
                Some(_) => {}
                None => known = false,
            }
        }
        known
    }

    /// The engagement with earlier notifications that satisfies `unless`. `None`: the answer is not known yet.
    #[expect(clippy::option_option, reason = "unknown, known to be absent, known")]
    fn noticed(&mut self, step: u32, send: &SendStep) -> Option<Option<Unless>> {
        let Some(unless) = send.unless else { return Some(None) };
        let earlier = self.matched.rule.steps.iter().enumerate().take(step as usize);
        let of: Vec<Key> = earlier
            .filter_map(|(index, step)| match step {
                Step::Send(send) => Some((u32::try_from(index).unwrap_or(u32::MAX), send)),
                Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
            })
            .flat_map(|(index, send)| send.all().map(move |channel| (index, channel)))
            .flat_map(|(index, channel)| self.keys(index, channel))
            .collect();
        if of.is_empty() {
            return Some(None);
        }
        match self.answer(Ask::Seen { of })? {
            Answer::Seen(found) => Some(found.filter(|found| *found >= unless)),
            Answer::Cancelled(_)
            | Answer::Notified(_)
            | Answer::Heard(_)
            | Answer::Admitted { .. }
            | Answer::Closed(_)
            | Answer::Joined { .. }
            | Answer::PassThrough => Some(None),
        }
    }

    /// The keys of a step's messages on a channel: one, or one for each device.
    pub(super) fn keys(&self, step: u32, channel: Channel) -> Vec<Key> {
        if channel != Channel::Push {
            return vec![self.key(Some(channel), step, "")];
        }
        let Some(person) = self.person else { return Vec::new() };
        let tenant = self.plan.event.tenant.as_deref();
        let devices = person.devices.iter().filter(|device| device.serves(person, tenant));
        devices.map(|device| self.key(Some(channel), step, &device.place())).collect()
    }

    /// Evaluates the caps, and then the throttles before this step. Collected channels pass only the throttles. `None`
    /// while the answer is unknown.
    fn admit(
        &mut self,
        step: u32,
        send: &SendStep,
        ready: &[Channel],
        collected: &[Channel],
    ) -> Option<Admitted> {
        let throttles = self.throttles.clone();
        let caps = self.caps(ready);
        let all = self.all_channels(send);
        let only = self.matched.start.only;
        // The step passes its throttles once, for the first of its channels that continues.
        let is_shared = only.is_some() && all.len() > 1 && !throttles.is_empty();
        let mut admitted = if ready.is_empty() {
            Admitted::default()
        } else if is_shared {
            self.ask_to_admit(self.key(only, step, "admit"), caps, ready)?
        } else {
            let wants = throttles.iter().cloned().chain(caps).collect();
            self.ask_to_admit(self.key(only, step, "admit"), wants, ready)?
        };
        if is_shared && !admitted.granted.is_empty() {
            admitted = self.ask_to_admit(self.key(None, step, "throttle"), throttles.clone(), &all)?;
        }
        // A redelivered run may find other channels ready than the channels that were counted the first time.
        for &channel in ready.iter().filter(|channel| admitted.leaves_open(**channel)).collect::<Vec<_>>() {
            let caps = self.caps(&[channel]);
            let one = self.ask_to_admit(self.key(Some(channel), step, "admit"), caps, &[channel])?;
            admitted.refused.retain(|(refused, _)| *refused != channel);
            admitted.granted.extend(one.granted);
            admitted.refused.extend(one.refused);
        }
        if admitted.granted.is_empty() && admitted.throttled().is_none() && !collected.is_empty() {
            let one = self.ask_to_admit(self.key(None, step, "throttle"), throttles, collected)?;
            admitted.granted.extend(one.granted);
            admitted.refused.extend(one.refused);
        }
        self.pass_throttles(step, &admitted);
        Some(admitted)
    }

    /// Marks the throttles so far as passed if a channel was granted.
    pub(super) fn pass_throttles(&mut self, step: u32, admitted: &Admitted) {
        if !admitted.granted.is_empty() {
            self.throttles.clear();
            self.counted = step;
        }
    }

    fn caps(&self, ready: &[Channel]) -> Vec<Wanted> {
        let all = limits::caps(self.plan, self.matched.rule, &self.recipient, self.overrides());
        all.filter(|want| match want.scope {
            Scope::Channel(channel) => ready.contains(&channel),
            Scope::Step | Scope::Message => true,
        })
        .collect()
    }

    pub(super) fn ask_to_admit(
        &mut self,
        key: Key,
        wants: Vec<Wanted>,
        channels: &[Channel],
    ) -> Option<Admitted> {
        if wants.is_empty() || channels.is_empty() {
            return Some(Admitted { granted: channels.to_vec(), ..Admitted::default() });
        }
        let (zone, _) = self.zone(None, &mut Vec::new());
        let asked = wants.clone();
        match self.answer(Ask::Admit { key, wants, channels: channels.to_vec(), zone })? {
            Answer::Admitted { granted, refused } => Some(Admitted { granted, refused, asked }),
            Answer::Cancelled(_)
            | Answer::Seen(_)
            | Answer::Closed(_)
            | Answer::Notified(_)
            | Answer::Heard(_)
            | Answer::Joined { .. }
            | Answer::PassThrough => Some(Admitted { granted: channels.to_vec(), ..Admitted::default() }),
        }
    }

    /// Records the decision for one channel. A throttled run ends on all channels.
    fn conclude(
        &mut self,
        step: u32,
        judged: ChannelEvaluation,
        admitted: &Admitted,
        throttled: Option<&Refusal>,
    ) {
        let ChannelEvaluation { channel, verdict, mut notes } = judged;
        match (verdict, throttled) {
            (ChannelOutcome::No(reason), _) => self.suppress(step, channel, reason, notes),
            (ChannelOutcome::Hold(_) | ChannelOutcome::Collect(_), Some(refusal)) => {
                notes.push(limits::full(refusal));
                self.suppress(step, channel, Reason::Throttled, notes);
            }
            (ChannelOutcome::Hold(until), None) => {
                let device = self.matched.start.device.clone();
                self.hold(step, channel, device, until, notes);
            }
            (ChannelOutcome::Collect(opens), None) => {
                self.join(step, Some(channel), "", DigestPolicy::default(), opens);
            }
            (ChannelOutcome::Go { places, held }, _) => {
                let refused = admitted
                    .refused
                    .iter()
                    .find(|(refused, _)| *refused == channel)
                    .map(|(_, refusal)| refusal);
                if let Some(refused) =
                    refused.filter(|refused| self.overrides() && refused.limit != limits::THROTTLE)
                {
                    notes.push(limits::exceeded(refused));
                } else if let Some(refused) = refused {
                    let reason =
                        if refused.limit == limits::THROTTLE { Reason::Throttled } else { Reason::Capped };
                    notes.push(limits::full(refused));
                    return self.suppress(step, channel, reason, notes);
                }
                notes.extend(admitted.passed(channel, refused));
                // Quiet-hours notes of deferred devices do not apply to the other devices.
                let is_of_all = |note: &&Note| !matches!(note, Note::QuietHours { .. } | Note::Zone { .. });
                let of_all: Vec<Note> = notes.iter().filter(is_of_all).cloned().collect();
                for (place, target) in places {
                    self.order(step, channel, &place, target, of_all.clone());
                }
                for (device, until) in held {
                    self.hold(step, channel, Some(device), until, notes.clone());
                }
            }
        }
    }

    fn hold(
        &mut self,
        step: u32,
        channel: Channel,
        device: Option<String>,
        until: Timestamp,
        notes: Vec<Note>,
    ) {
        let (occurrence, counted) = (self.matched.start.occurrence, self.counted);
        let again = self.matched.start.again.clone();
        let instead_of = replaced_channel(&notes);
        let start = Start {
            step,
            only: Some(channel),
            occurrence,
            due: Some(until),
            device,
            counted,
            again,
            instead_of,
        };
        self.later(step, Some(channel), until, Waiting::QuietHours, start, notes);
    }

    fn order(&mut self, step: u32, channel: Channel, place: &str, target: Target, mut notes: Vec<Note>) {
        let rule = self.matched.rule;
        if channel == Channel::Push {
            notes.extend(super::push_values::unusable(rule, self.plan.envelope()));
        }
        notes.extend(self.unusable_subject(channel));
        let order = Order {
            rule,
            person: self.person,
            way_out: self.way_out(&target),
            target,
            priority: rule.priority_for(self.plan.event).unwrap_or_default(),
            expires_at: self.expires_at(),
            cancel: self.cancel_key(),
            instead_of: replaced_channel(&notes),
            failover: self.failover(step, channel),
        };
        let key = self.key(Some(channel), step, place);
        let decision = self.decision(key, Some(channel), step, Verdict::Send(order), notes);
        self.decisions.push(decision);
    }

    pub(super) fn suppress(&mut self, step: u32, channel: Channel, reason: Reason, notes: Vec<Note>) {
        let key = self.key(Some(channel), step, "");
        let decision = self.decision(key, Some(channel), step, Verdict::Suppress(reason), notes);
        self.decisions.push(decision);
    }
}

impl Admitted {
    /// The throttle that ends the run. A run with a granted channel has passed its throttles.
    fn throttled(&self) -> Option<&Refusal> {
        let mut refused = self.refused.iter().filter(|_| self.granted.is_empty()).map(|(_, refusal)| refusal);
        refused.find(|refusal| refusal.limit == limits::THROTTLE)
    }

    /// Whether a channel was not counted when the others of its step were. Such a channel is evaluated on its own.
    fn leaves_open(&self, channel: Channel) -> bool {
        !self.granted.is_empty() && !self.granted.contains(&channel)
    }

    /// The notes about the limits that are not reached.
    fn passed<'r>(
        &'r self,
        channel: Channel,
        refused: Option<&'r Refusal>,
    ) -> impl Iterator<Item = Note> + 'r {
        let concerned = self.asked.iter().filter(move |want| match want.scope {
            Scope::Channel(of) => of == channel,
            Scope::Step | Scope::Message => true,
        });
        concerned
            .filter(|want| want.limit.blocks())
            .filter(move |want| refused.is_none_or(|refused| refused.limit != want.limit.name()))
            .map(|want| Note::Passed { limit: want.limit.name().to_owned(), most: want.limit.most() })
    }
}
