//! What comes later: a wait, the next time of a recurring rule, the end of quiet hours.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::walk::{Go, Walk};
use super::{Later, Note, Verdict, Waiting};
use crate::channel::Channel;
use crate::outcome::Reason;
use crate::plan::Audience;
use crate::rule::{Step, Wait};
use crate::wake::Start;

impl Walk<'_, '_> {
    pub(super) fn wait(&mut self, step: u32, wait: &Wait) -> Go {
        // An emergency does not wait for its first word; between two words it gives the first a chance.
        let before_all =
            !self.matched.rule.steps.iter().take(step as usize).any(|it| matches!(it, Step::Send(_)));
        if self.overrides() && before_all {
            return Go::On;
        }
        // An endpoint is told when it happens; what people are told later is not its business.
        if matches!(self.audience, Audience::Endpoint(_)) && self.channels_after(step).is_empty() {
            return Go::On;
        }
        let Some(until) = self.until(wait) else {
            return Go::On;
        };
        if until <= self.facts.now {
            return Go::On;
        }
        let (occurrence, counted) = (self.matched.start.occurrence, self.counted);
        let start = Start { step: step + 1, due: Some(until), occurrence, counted, ..Start::default() };
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

    /// Makes the next run of a recurring rule.
    pub(super) fn recur(&mut self) {
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
        let start = Start { occurrence, due: Some(next), ..Start::default() };
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
        let device = start.device.as_deref().unwrap_or_default();
        let what = format!("later: {} {device}", why.reason().name());
        let verdict = Verdict::Later(Later { until, why, audience: self.audience.clone(), start });
        let decision = self.decision(self.key(channel, step, &what), channel, step, verdict, notes);
        self.decisions.push(decision);
    }
}
