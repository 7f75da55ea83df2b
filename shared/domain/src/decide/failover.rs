//! Failover to another channel of a step.

use super::channel_evaluation::{ChannelEvaluation, ChannelOutcome};
use super::step_runner::StepRunner;
use super::{Answer, Ask, Note, resumed};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::catalog::rule::{Outside, SendStep, Step};
use crate::decide::continuation::{FailoverOrigin, Start, Task};

/// The failed channel that a channel replaces, from its notes.
pub(super) fn replaced_channel(notes: &[Note]) -> Option<FailoverOrigin> {
    notes
        .iter()
        .find_map(|note| if let Note::FailedOver(failed_over) = note { Some(*failed_over) } else { None })
}

impl StepRunner<'_, '_> {
    /// The failover channels after `failed`, beginning with `first`. All of them if the catalog no longer names
    /// `first`.
    pub(super) fn failover_channels(
        &self,
        send: &SendStep,
        first: Option<Channel>,
        failed: Channel,
    ) -> Vec<Channel> {
        let from = send.failover.iter().position(|channel| Some(*channel) == first).unwrap_or(0);
        let rest = send.failover.iter().copied().skip(from);
        rest.filter(|channel| *channel != failed && self.fits(*channel)).collect()
    }

    /// Whether the failed channel reached none of the recipient's devices. `false` also while the answer is unknown.
    /// Pending messages on other devices fail over on their own.
    pub(super) fn has_failed(&mut self, step: u32) -> bool {
        let Some(FailoverOrigin { channel, .. }) = self.matched.start.instead_of else { return true };
        let of = self.keys(step, channel);
        // The only message of the step is the failed one.
        if of.len() < 2 {
            return true;
        }
        matches!(self.answer(Ask::Notified { of }), Some(Answer::Notified(false)))
    }

    /// Keeps the channels up to the first usable failover channel. The unusable ones before it keep their reasons.
    pub(super) fn take_the_first(&self, judged: &mut Vec<ChannelEvaluation>) {
        let Some(instead_of) = self.matched.start.instead_of else { return };
        let possible =
            judged.iter().position(|candidate| !matches!(candidate.verdict, ChannelOutcome::No(_)));
        judged.truncate(possible.map_or(judged.len(), |index| index + 1));
        for judged in judged {
            judged.notes.insert(0, Note::FailedOver(instead_of));
        }
    }

    /// Evaluates failover channels if a channel has no usable address. One failover covers all such channels.
    pub(super) fn stand_in(&self, send: &SendStep, outside: Outside, judged: &mut Vec<ChannelEvaluation>) {
        let start = &self.matched.start;
        if start.instead_of.is_some() || start.only.is_some() {
            return;
        }
        let leads_nowhere = judged.iter().find_map(|failed| match failed.verdict {
            ChannelOutcome::No(
                why @ (Reason::NoAddress | Reason::InvalidAddress | Reason::SuppressedAddress),
            ) => Some(FailoverOrigin { channel: failed.channel, why }),
            ChannelOutcome::No(_)
            | ChannelOutcome::Go { .. }
            | ChannelOutcome::Hold(_)
            | ChannelOutcome::Collect(_) => None,
        });
        let Some(instead_of) = leads_nowhere else { return };
        for channel in self.failover_channels(send, None, instead_of.channel) {
            let mut next = self.judge(channel, outside);
            next.notes.insert(0, Note::FailedOver(instead_of));
            let is_possible = !matches!(next.verdict, ChannelOutcome::No(_));
            judged.push(next);
            if is_possible {
                return;
            }
        }
    }

    /// The continuation on the next failover channel if the message on `channel` fails.
    pub(super) fn failover(&self, step: u32, channel: Channel) -> Option<(Channel, Task)> {
        let Some(Step::Send(send)) = self.matched.rule.steps.get(step as usize) else { return None };
        let position = send.failover.iter().position(|other| *other == channel);
        let next = position.map_or(0, |index| index + 1);
        let mut rest = send.failover.iter().copied().skip(next);
        let to = rest.find(|other| *other != channel && self.fits(*other))?;
        let start = Start {
            step,
            only: Some(to),
            occurrence: self.matched.start.occurrence,
            // The message was sent, so the run has passed the throttles before the step.
            counted: step,
            instead_of: Some(FailoverOrigin { channel, why: Reason::RetriesExhausted }),
            ..Start::default()
        };
        Some((to, resumed(self.plan, self.audience.clone(), start)))
    }
}
