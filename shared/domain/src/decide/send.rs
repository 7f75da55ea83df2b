//! The step that tells somebody something.

use jiff::Timestamp;

use super::failover::stands_in;
use super::judge::{Channelled, Judged};
use super::walk::{Go, Walk};
use super::{Answer, Ask, Note, Order, Target, Verdict, Waiting, Wanted, limits};
use crate::channel::Channel;
use crate::counter::{Refusal, Scope};
use crate::digest::DigestPolicy;
use crate::handling;
use crate::key::Key;
use crate::outcome::Reason;
use crate::plan::Audience;
use crate::rule::{Outside, SendStep, Step, Unless};
use crate::wake::Start;

/// What the limits said.
#[derive(Default)]
pub(super) struct Admitted {
    pub(super) granted: Vec<Channel>,
    pub(super) refused: Vec<(Channel, Refusal)>,
    /// The limits that could have refused.
    asked: Vec<Wanted>,
}

impl Walk<'_, '_> {
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
        // Of what is told with others nobody knows any more whether it alone was seen.
        let start = &self.matched.start;
        let alone = send.unless.is_some() || start.device.is_some() || start.instead_of.is_some();
        let outside = match self.matched.rule.outside {
            Outside::Digest if alone => Outside::Defer,
            outside @ (Outside::Defer | Outside::Drop | Outside::Digest) => outside,
        };
        let mut judged: Vec<Judged> =
            channels.into_iter().map(|channel| self.judge(channel, outside)).collect();
        self.take_the_first(&mut judged);
        self.stand_in(send, outside, &mut judged);
        if outside == Outside::Digest && !self.keep_what_was_collected(step, &mut judged) {
            return Go::Stop;
        }
        let those = |is: fn(&Channelled) -> bool| -> Vec<Channel> {
            judged.iter().filter(|it| is(&it.verdict)).map(|it| it.channel).collect()
        };
        let ready = those(|it| matches!(it, Channelled::Go { .. }));
        let collected = those(|it| matches!(it, Channelled::Collect(_)));
        let Some(admitted) = self.admit(step, send, &ready, &collected) else { return Go::Stop };
        let throttled = admitted.throttled().cloned();
        for it in judged {
            self.conclude(step, it, &admitted, throttled.as_ref());
        }
        if throttled.is_some() { Go::Stop } else { Go::On }
    }

    /// Of a person the profile says it; of an address alone only a table can. `false`: not known yet.
    fn ask_whether_closed(&mut self) -> bool {
        let Audience::Address { channel, address } = self.audience else { return true };
        if channel.closed_for_days().is_none() || self.closed.is_some() {
            return true;
        }
        // Rows of earlier releases have their names of the address.
        let names = self.plan.catalog.hashes().names_of_address(*channel, address);
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

    /// A message that was collected in the night and comes again by day is told with the others, and not twice. `false`:
    /// not known yet.
    fn keep_what_was_collected(&mut self, step: u32, judged: &mut [Judged]) -> bool {
        let mut known = true;
        if self.overrides() || self.matched.start.only.is_some() || self.windows().is_none() {
            return known;
        }
        for it in judged.iter_mut().filter(|it| it.channel.disturbs()) {
            if !matches!(it.verdict, Channelled::Go { .. }) {
                continue;
            }
            match self.answer(Ask::Collected { key: self.key(Some(it.channel), step, "join") }) {
                Some(Answer::Joined { closes_at, .. }) => it.verdict = Channelled::Collect(closes_at),
                Some(_) => {}
                None => known = false,
            }
        }
        known
    }

    /// `None`: the answer is not known yet. `Some(Some(…))`: what was sent before did its work.
    #[expect(clippy::option_option, reason = "not known, known to be nothing, known")]
    fn noticed(&mut self, step: u32, send: &SendStep) -> Option<Option<Unless>> {
        let Some(unless) = send.unless else { return Some(None) };
        let earlier = self.matched.rule.steps.iter().enumerate().take(step as usize);
        let of: Vec<Key> = earlier
            .filter_map(|(at, it)| match it {
                Step::Send(send) => Some((u32::try_from(at).unwrap_or(u32::MAX), send)),
                Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
            })
            .flat_map(|(at, send)| send.all().map(move |it| (at, it)))
            .flat_map(|(at, channel)| self.keys(at, channel))
            .collect();
        if of.is_empty() {
            return Some(None);
        }
        match self.answer(Ask::Seen { of })? {
            Answer::Seen(found) => Some(found.filter(|found| *found >= unless)),
            Answer::Cancelled(_)
            | Answer::Told(_)
            | Answer::Heard(_)
            | Answer::Admitted { .. }
            | Answer::Closed(_)
            | Answer::Joined { .. }
            | Answer::PassThrough => Some(None),
        }
    }

    /// What the messages of a step on a channel are called: one, or one for each device.
    pub(super) fn keys(&self, step: u32, channel: Channel) -> Vec<Key> {
        if channel != Channel::Push {
            return vec![self.key(Some(channel), step, "")];
        }
        let Some(person) = self.person else { return Vec::new() };
        let tenant = self.plan.event.tenant.as_deref();
        let devices = person.devices.iter().filter(|device| device.serves(person, tenant));
        devices.map(|device| self.key(Some(channel), step, &device.place())).collect()
    }

    /// What the caps say, and then the throttles before this step. What is to be collected passes the throttles only.
    /// `None`: not known yet.
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
        // The step passes its throttles once, whichever of its channels wakes first.
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
        // A run that comes again may find other channels ready than those that were counted when it came first.
        for &channel in ready.iter().filter(|it| admitted.leaves_open(**it)).collect::<Vec<_>>() {
            let caps = self.caps(&[channel]);
            let one = self.ask_to_admit(self.key(Some(channel), step, "admit"), caps, &[channel])?;
            admitted.refused.retain(|(it, _)| *it != channel);
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

    /// Where anything was granted, the throttles that were met up to here are behind the run.
    pub(super) fn pass_throttles(&mut self, step: u32, admitted: &Admitted) {
        if !admitted.granted.is_empty() {
            self.throttles.clear();
            self.counted = step;
        }
    }

    fn caps(&self, ready: &[Channel]) -> Vec<Wanted> {
        let all = limits::caps(self.plan, self.matched.rule, &self.recipient, self.overrides());
        all.filter(|all| match all.scope {
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
            | Answer::Told(_)
            | Answer::Heard(_)
            | Answer::Joined { .. }
            | Answer::PassThrough => Some(Admitted { granted: channels.to_vec(), ..Admitted::default() }),
        }
    }

    /// Says what becomes of one channel, now that everything is known. A run that is throttled ends on all of them.
    fn conclude(&mut self, step: u32, judged: Judged, admitted: &Admitted, throttled: Option<&Refusal>) {
        let Judged { channel, verdict, mut notes } = judged;
        match (verdict, throttled) {
            (Channelled::No(reason), _) => self.suppress(step, channel, reason, notes),
            (Channelled::Hold(_) | Channelled::Collect(_), Some(it)) => {
                notes.push(limits::full(it));
                self.suppress(step, channel, Reason::Throttled, notes);
            }
            (Channelled::Hold(until), None) => {
                let device = self.matched.start.device.clone();
                self.hold(step, channel, device, until, notes);
            }
            (Channelled::Collect(opens), None) => {
                self.join(step, Some(channel), "", DigestPolicy::default(), opens);
            }
            (Channelled::Go { places, held }, _) => {
                let refused = admitted.refused.iter().find(|(it, _)| *it == channel).map(|(_, it)| it);
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
                // What holds some devices back is not what lets the others through.
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
        let instead_of = stands_in(&notes);
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
            notes.extend(handling::unusable(rule, self.plan.envelope()));
        }
        notes.extend(self.unusable_subject(channel));
        let order = Order {
            rule,
            person: self.person,
            way_out: self.way_out(&target),
            target,
            priority: rule.priority.or(self.plan.event.priority).unwrap_or_default(),
            expires_at: self.expires_at(),
            cancel: self.cancel_key(),
            instead_of: stands_in(&notes),
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
    /// The throttle that ends the run. Where anything was granted, the run has passed it.
    fn throttled(&self) -> Option<&Refusal> {
        let mut refused = self.refused.iter().filter(|_| self.granted.is_empty()).map(|(_, it)| it);
        refused.find(|it| it.limit == limits::THROTTLE)
    }

    /// Whether a channel was not counted when others of its step were. What is said of it then may count those again.
    fn leaves_open(&self, channel: Channel) -> bool {
        !self.granted.is_empty() && !self.granted.contains(&channel)
    }

    /// The limits that let a channel through.
    fn passed<'r>(
        &'r self,
        channel: Channel,
        refused: Option<&'r Refusal>,
    ) -> impl Iterator<Item = Note> + 'r {
        let concerned = self.asked.iter().filter(move |it| match it.scope {
            Scope::Channel(of) => of == channel,
            Scope::Step | Scope::Message => true,
        });
        concerned
            .filter(|concerned| concerned.limit.blocks())
            .filter(move |concerned| refused.is_none_or(|refused| refused.limit != concerned.limit.name()))
            .map(|concerned| Note::Passed {
                limit: concerned.limit.name().to_owned(),
                most: concerned.limit.most(),
            })
    }
}
