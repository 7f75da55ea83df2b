//! Broadcast rules: one decision for each target. A broadcast has no steps and ignores preferences, quiet hours and
//! limits.

use std::collections::BTreeSet;

use super::step_runner::StepRunner;
use super::{Decided, Decision, Facts, Live, Note, Order, Target, Verdict, wait, without_recipient};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::catalog::rule::{Broadcast, NotExcluded, Operand, Record, described_target};
use crate::decide::plan::{Audience, Match, Plan};
use crate::event::key::Key;
use crate::recipient::socket_target::SocketTarget;

type Excluded = Result<BTreeSet<String>, NotExcluded>;

/// Decides for every target of a broadcast rule, and reports the rooms, roles and topics without a value in the event.
pub(super) fn decide<'a>(
    plan: &Plan<'a>,
    facts: &Facts<'a, '_>,
    matched: &Match<'a>,
    broadcast: &'a Broadcast,
    into: &mut Decided<'a>,
) {
    let excluded = broadcast.excluded(matched.rule, plan.envelope());
    let record = broadcast.record_by(&plan.catalog.policy().broadcast);
    let mut unnamed = if plan.resumed { Vec::new() } else { unnamed_targets(plan, matched) };
    if matched.audience.is_empty() && unnamed.is_empty() && !plan.resumed {
        unnamed.push(without_recipient(plan, Some(matched.rule), Reason::NoRecipient));
    }
    into.decisions.append(&mut unnamed);
    for audience in &matched.audience {
        let mut runner = StepRunner::new(plan, facts, matched, audience);
        runner.broadcast(record, &excluded);
        into.decisions.append(&mut runner.decisions);
    }
}

/// Decisions about the rooms, roles and topics for which the event has no value.
fn unnamed_targets<'a>(plan: &Plan<'a>, matched: &Match<'a>) -> Vec<Decision<'a>> {
    let selectors = matched.rule.to.iter().enumerate();
    let unnamed = selectors.filter_map(|(number, selector)| {
        let (target, of) = described_target(selector)?;
        let Operand::Path(path) = of else { return None };
        if !path.find_names(plan.envelope()).is_empty() {
            return None;
        }
        let problem = format!("`{path}` of the event names no value for {target}");
        Some(Decision {
            key: Key::of(plan.event, &matched.rule.name, "-", None, 0, &format!("target {number}")),
            channel: Some(Channel::Socket),
            notes: vec![Note::Unusable { what: problem, instead: "this target gets no message" }],
            ..without_recipient(plan, Some(matched.rule), Reason::NoRecipient)
        })
    });
    unnamed.collect()
}

impl StepRunner<'_, '_> {
    fn broadcast(&mut self, record: Record, excluded: &Excluded) {
        match self.expiry() {
            Ok(expires) => self.expires = expires,
            Err(unreadable) => {
                let note = wait::not_sent(&unreadable);
                return self.suppress(0, Channel::Socket, Reason::UnreadableTime, vec![note]);
            }
        }
        let (reason, notes) = match self.live_target(record, excluded) {
            Ok(target) => return self.order_live(target, record),
            Err(refused) => refused,
        };
        self.suppress(0, Channel::Socket, reason, notes);
    }

    fn live_target(&self, record: Record, excluded: &Excluded) -> Result<Target, (Reason, Vec<Note>)> {
        self.may_begin()?;
        let event = self.plan.event;
        if record == Record::None && event.replay_id().is_some() && event.nonce().is_none() {
            return Err((Reason::Replayed, Vec::new()));
        }
        let excluded = excluded.as_ref().map_err(|error| {
            let note = Note::Unusable { what: error.to_string(), instead: "nothing is sent" };
            (Reason::UnreadableExclude, vec![note])
        })?;
        let live = |to, exclude| Target::Broadcast(Live { to, exclude, record });
        match self.audience {
            Audience::Room(room) => {
                let exclude = excluded.iter().cloned().collect();
                Ok(live(SocketTarget::Room(room.clone()), exclude))
            }
            Audience::User(id) | Audience::Member(id) => match excluded.contains(id) {
                true => Err((Reason::Excluded, Vec::new())),
                false => Ok(live(SocketTarget::User(id.clone()), Vec::new())),
            },
            Audience::Address { .. } | Audience::Endpoint(_) => Err((Reason::NoAddress, Vec::new())),
        }
    }

    fn order_live(&mut self, target: Target, record: Record) {
        let rule = self.matched.rule;
        let order = Order {
            rule,
            person: self.person,
            way_out: None,
            target,
            priority: rule.priority_for(self.plan.event).unwrap_or_default(),
            expires_at: self.expires_at(),
            cancel: None,
            instead_of: None,
            failover: None,
        };
        let (channel, note) =
            (Some(Channel::Socket), Note::Broadcast { recorded: record == Record::Targets });
        let decision = self.decision(self.key(channel, 0, ""), channel, 0, Verdict::Send(order), vec![note]);
        self.decisions.push(decision);
    }
}
