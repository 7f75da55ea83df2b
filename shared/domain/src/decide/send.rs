//! The step that tells somebody something.

use super::judge::{Channelled, Judged};
use super::walk::{Go, Walk};
use super::{Answer, Ask, Note, Order, Target, Verdict, Waiting, limits};
use crate::channel::Channel;
use crate::counter::Refusal;
use crate::digest::DigestPolicy;
use crate::key::Key;
use crate::outcome::Reason;
use crate::rule::{SendStep, Step};
use crate::wake::Start;

impl Walk<'_, '_> {
    pub(super) fn send(&mut self, step: u32, send: &SendStep) -> Go {
        let channels = self.channels(send);
        match self.noticed(step, send) {
            Some(None) => {}
            Some(Some((reason, how))) => {
                for channel in channels {
                    self.suppress(step, channel, reason, vec![Note::Noticed { how }]);
                }
                return Go::Stop;
            }
            None => return Go::Stop,
        }
        let judged: Vec<Judged> = channels.into_iter().map(|it| self.judge(it)).collect();
        let ready: Vec<Channel> =
            judged.iter().filter(|it| matches!(it.verdict, Channelled::Go(_))).map(|it| it.channel).collect();
        let Some(refused) = self.admit(step, &ready, true) else { return Go::Stop };
        let throttled = !ready.is_empty() && refused.len() == ready.len();
        for it in judged {
            self.conclude(step, it, &refused);
        }
        if throttled && refused.iter().all(|(_, it)| it.limit == "throttle") { Go::Stop } else { Go::On }
    }

    /// `None`: the answer is not known yet. `Some(Some(…))`: what was sent before did its work.
    #[expect(clippy::option_option, reason = "not known, known to be nothing, known")]
    fn noticed(&mut self, step: u32, send: &SendStep) -> Option<Option<(Reason, &'static str)>> {
        let Some(unless) = send.unless else { return Some(None) };
        let earlier = self.matched.rule.steps.iter().enumerate().take(step as usize);
        let of: Vec<Key> = earlier
            .filter_map(|(at, it)| match it {
                Step::Send(send) => Some((u32::try_from(at).unwrap_or(u32::MAX), send)),
                Step::Wait(_) | Step::Digest(_) | Step::Throttle(_) => None,
            })
            .flat_map(|(at, send)| send.channels.iter().map(move |it| (at, *it)))
            .filter(|(_, channel)| *channel != Channel::Push)
            .map(|(at, channel)| self.key(Some(channel), at, ""))
            .collect();
        if of.is_empty() {
            return Some(None);
        }
        match self.answer(Ask::Seen { of })? {
            Answer::Seen(Some(found)) if found >= unless => {
                let reason = match found {
                    crate::rule::Unless::Seen => Reason::Seen,
                    crate::rule::Unless::Acknowledged => Reason::Acknowledged,
                };
                Some(Some((reason, found.name())))
            }
            Answer::Seen(_)
            | Answer::Cancelled(_)
            | Answer::Admitted { .. }
            | Answer::Joined { .. }
            | Answer::PassThrough => Some(None),
        }
    }

    /// The channels that a limit holds back. `None`: not known yet.
    pub(super) fn admit(
        &mut self,
        step: u32,
        ready: &[Channel],
        with_caps: bool,
    ) -> Option<Vec<(Channel, Refusal)>> {
        let throttles = self.take_throttles();
        if ready.is_empty() {
            return Some(Vec::new());
        }
        let rule = self.matched.rule;
        let mut wants = throttles;
        if with_caps {
            wants.extend(limits::caps(self.plan, rule, &self.recipient, self.overrides()));
        }
        wants.retain(|it| match it.scope {
            crate::counter::Scope::Channel(channel) => ready.contains(&channel),
            crate::counter::Scope::Step | crate::counter::Scope::Message => true,
        });
        if wants.is_empty() {
            return Some(Vec::new());
        }
        let (zone, _) = self.zone(None, &mut Vec::new());
        let only = self.matched.start.only.filter(|_| ready.len() == 1);
        let ask = Ask::Admit { key: self.key(only, step, "admit"), wants, channels: ready.to_vec(), zone };
        match self.answer(ask)? {
            Answer::Admitted { refused, .. } => Some(refused),
            Answer::Cancelled(_) | Answer::Seen(_) | Answer::Joined { .. } | Answer::PassThrough => {
                Some(Vec::new())
            }
        }
    }

    /// Says what becomes of one channel, now that everything is known.
    fn conclude(&mut self, step: u32, judged: Judged, refused: &[(Channel, Refusal)]) {
        let Judged { channel, verdict, mut notes } = judged;
        match verdict {
            Channelled::No(reason) => self.suppress(step, channel, reason, notes),
            Channelled::Hold(until) => {
                let start = Start { step, only: Some(channel), due: Some(until), ..self.matched.start };
                self.later(step, Some(channel), until, Waiting::QuietHours, start, notes);
            }
            Channelled::Collect(opens) => {
                self.join(step, Some(channel), "", DigestPolicy::default(), opens);
            }
            Channelled::Go(places) => {
                if let Some((_, it)) = refused.iter().find(|(it, _)| *it == channel) {
                    let reason = if it.limit == "throttle" { Reason::Throttled } else { Reason::Capped };
                    notes.push(Note::Full {
                        limit: it.limit.clone(),
                        n: it.n,
                        most: it.most,
                        until: it.until,
                    });
                    return self.suppress(step, channel, reason, notes);
                }
                for (place, target) in places {
                    self.order(step, channel, &place, target, notes.clone());
                }
            }
        }
    }

    fn order(&mut self, step: u32, channel: Channel, place: &str, target: Target, notes: Vec<Note>) {
        let rule = self.matched.rule;
        let order = Order {
            rule,
            person: self.person,
            target,
            priority: rule.priority.or(self.plan.event.priority).unwrap_or_default(),
            expires_at: self.expires_at(),
            cancel: self.cancel_key(),
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
