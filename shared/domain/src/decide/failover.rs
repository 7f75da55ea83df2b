//! What takes the place of a channel that failed.

use super::judge::{Channelled, Judged};
use super::walk::Walk;
use super::{Answer, Ask, Note, resumed};
use crate::channel::Channel;
use crate::outcome::Reason;
use crate::rule::{Outside, SendStep, Step};
use crate::wake::{InsteadOf, Start, Task};

/// The channel whose place is taken, as the notes of a channel say.
pub(super) fn stands_in(notes: &[Note]) -> Option<InsteadOf> {
    notes
        .iter()
        .find_map(|note| if let Note::FailedOver(failed_over) = note { Some(*failed_over) } else { None })
}

impl Walk<'_, '_> {
    /// The channels that may take the place of `failed`, from `first` on; all others, when the catalog does not name
    /// `first` any more.
    pub(super) fn failover_channels(
        &self,
        send: &SendStep,
        first: Option<Channel>,
        failed: Channel,
    ) -> Vec<Channel> {
        let from = send.failover.iter().position(|it| Some(*it) == first).unwrap_or(0);
        let rest = send.failover.iter().copied().skip(from);
        rest.filter(|rest| *rest != failed && self.fits(*rest)).collect()
    }

    /// Whether the channel whose place is to be taken has told nobody: of several devices, none. `false` also when that
    /// is not known yet. What is still under way there goes on for itself, should it fail.
    pub(super) fn has_failed(&mut self, step: u32) -> bool {
        let Some(InsteadOf { channel, .. }) = self.matched.start.instead_of else { return true };
        let of = self.keys(step, channel);
        // The one that failed is why we are here.
        if of.len() < 2 {
            return true;
        }
        matches!(self.answer(Ask::Told { of }), Some(Answer::Told(false)))
    }

    /// Of the channels that may take the place, the first on which it may go; those before it say why not.
    pub(super) fn take_the_first(&self, judged: &mut Vec<Judged>) {
        let Some(it) = self.matched.start.instead_of else { return };
        let possible = judged.iter().position(|it| !matches!(it.verdict, Channelled::No(_)));
        judged.truncate(possible.map_or(judged.len(), |at| at + 1));
        for judged in judged {
            judged.notes.insert(0, Note::FailedOver(it));
        }
    }

    /// Where a channel leads nowhere, what may take its place is judged with the others: once, however many lead nowhere.
    pub(super) fn stand_in(&self, send: &SendStep, outside: Outside, judged: &mut Vec<Judged>) {
        let start = &self.matched.start;
        if start.instead_of.is_some() || start.only.is_some() {
            return;
        }
        let leads_nowhere = judged.iter().find_map(|it| match it.verdict {
            Channelled::No(
                why @ (Reason::NoAddress | Reason::InvalidAddress | Reason::SuppressedAddress),
            ) => Some(InsteadOf { channel: it.channel, why }),
            Channelled::No(_) | Channelled::Go { .. } | Channelled::Hold(_) | Channelled::Collect(_) => None,
        });
        let Some(instead_of) = leads_nowhere else { return };
        for channel in self.failover_channels(send, None, instead_of.channel) {
            let mut next = self.judge(channel, outside);
            next.notes.insert(0, Note::FailedOver(instead_of));
            let is_possible = !matches!(next.verdict, Channelled::No(_));
            judged.push(next);
            if is_possible {
                return;
            }
        }
    }

    /// How the rule goes on with a message that fails on `channel`, if it does.
    pub(super) fn failover(&self, step: u32, channel: Channel) -> Option<(Channel, Task)> {
        let Some(Step::Send(send)) = self.matched.rule.steps.get(step as usize) else { return None };
        let place = send.failover.iter().position(|it| *it == channel);
        let behind = place.map_or(0, |it| it + 1);
        let mut rest = send.failover.iter().copied().skip(behind);
        let to = rest.find(|it| *it != channel && self.fits(*it))?;
        let start = Start {
            step,
            only: Some(to),
            occurrence: self.matched.start.occurrence,
            // It was sent, so the throttles before it are behind it.
            counted: step,
            instead_of: Some(InsteadOf { channel, why: Reason::RetriesExhausted }),
            ..Start::default()
        };
        Some((to, resumed(self.plan, self.audience.clone(), start)))
    }
}
