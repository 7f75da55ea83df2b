//! Continuations: `wait` steps, recurring rules, and the end of quiet hours.

use jiff::{SignedDuration, Timestamp};

use super::step_runner::{Go, StepRunner};
use super::{Later, Note, Verdict, Waiting};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::base::path::Path;
use crate::catalog::rule::{Expiry, Repeat, Step, Wait};
use crate::decide::continuation::Start;
use crate::decide::plan::Audience;
use crate::time::moment::{self, TimeOrLength, Unreadable};
use crate::time::zone::Zone;

/// The highest number of days in a shift. [`crate::time::span::MAX`] limits every shift.
const MAX_DAYS: i64 = 31;

impl StepRunner<'_, '_> {
    pub(super) fn wait(&mut self, step: u32, wait: &Wait) -> Go {
        // A critical notification skips waits before its first send. Later waits give the recipient time to react.
        let before_all =
            !self.matched.rule.steps.iter().take(step as usize).any(|step| matches!(step, Step::Send(_)));
        if self.overrides() && before_all {
            return Go::On;
        }
        // Endpoints receive the event at once. Waits before messages to people do not apply to them.
        if matches!(self.audience, Audience::Endpoint(_)) && self.channels_after(step).is_empty() {
            return Go::On;
        }
        let until = match self.until(wait) {
            Ok(until) => until,
            Err(unreadable) => {
                self.refuse(step, Reason::UnreadableTime, &[not_sent(&unreadable)]);
                return Go::End;
            }
        };
        if until <= self.facts.now {
            return Go::On;
        }
        let (occurrence, counted) = (self.matched.start.occurrence, self.counted);
        let start = Start { step: step + 1, due: Some(until), occurrence, counted, ..Start::default() };
        self.later(step, None, until, Waiting::Step, start, Vec::new());
        Go::Stop
    }

    /// The end of the wait.
    ///
    /// # Errors
    /// The value in the event is neither a time nor a duration.
    fn until(&self, wait: &Wait) -> Result<Timestamp, Unreadable> {
        let beyond = || Unreadable::beyond_the_calendar(&"the rule's `wait`");
        match wait {
            Wait::For(length) => self.facts.now.checked_add(*length).map_err(|_| beyond()),
            Wait::Until(until) => Ok(*until),
            Wait::Event { path, shift, days } => {
                let (zone, _) = self.zone(None, &mut Vec::new());
                let named = match moment::time_or_length(path, self.plan.envelope())? {
                    TimeOrLength::Time(time) => time.begins(&zone),
                    TimeOrLength::Length(length) => self.facts.now.checked_add(length).ok(),
                };
                let days = (*days).clamp(-MAX_DAYS, MAX_DAYS);
                let exact = shift.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(*shift);
                let shifted = named.and_then(|named| moment::shifted(named, days, exact, &zone));
                shifted.ok_or_else(|| Unreadable::beyond_the_calendar(path))
            }
        }
    }

    /// The expiry of the run: the earlier of the event's and the rule's.
    ///
    /// # Errors
    /// The value that the rule names in the event is neither a time nor a duration.
    pub(super) fn expiry(&self) -> Result<Option<Timestamp>, Unreadable> {
        let event = self.plan.event;
        let by_rule = match &self.matched.rule.expires {
            None => None,
            Some(Expiry::After(length)) => event.time.checked_add(*length).ok(),
            Some(Expiry::Event(path)) => {
                let (zone, _) = self.zone(None, &mut Vec::new());
                Some(self.end_at(path, &zone)?)
            }
        };
        Ok(match (event.expiry_time, by_rule) {
            (Some(event), Some(rule)) => Some(event.min(rule)),
            (one, other) => one.or(other),
        })
    }

    /// Schedules the next occurrence of a recurring rule.
    pub(super) fn recur(&mut self) {
        let start = &self.matched.start;
        let Some(repeat) = &self.matched.rule.repeat else { return };
        if start.step != 0 || start.only.is_some() || self.plan.digest.is_some() {
            return;
        }
        let occurrence = start.occurrence.saturating_add(1);
        if repeat.times.is_some_and(|times| occurrence >= times) {
            return;
        }
        let (zone, _) = self.zone(None, &mut Vec::new());
        let last = start.due.unwrap_or(self.facts.now);
        let Some(next) = repeat.every.next_after(&zone, last.max(self.facts.now)) else { return };
        let ends = match self.last_time(repeat, &zone) {
            Ok(ends) => ends,
            Err(unreadable) => return self.end_repetition(&unreadable),
        };
        if ends.is_some_and(|ends| next > ends)
            || self.expires_at().is_some_and(|expires_at| next > expires_at)
        {
            return;
        }
        let start = Start { occurrence, due: Some(next), ..Start::default() };
        self.later(0, None, next, Waiting::Recurrence, start, Vec::new());
    }

    /// The end of the repetition.
    fn last_time(&self, repeat: &Repeat, zone: &Zone) -> Result<Option<Timestamp>, Unreadable> {
        repeat.until.as_ref().map(|path| self.end_at(path, zone)).transpose()
    }

    /// The time at a path, or the event time plus the duration at the path.
    fn end_at(&self, path: &Path, zone: &Zone) -> Result<Timestamp, Unreadable> {
        let end = match moment::time_or_length(path, self.plan.envelope())? {
            TimeOrLength::Time(time) => time.ends(zone),
            TimeOrLength::Length(length) => self.plan.event.time.checked_add(length).ok(),
        };
        end.ok_or_else(|| Unreadable::beyond_the_calendar(path))
    }

    /// Records that the rule is not repeated because its end is unreadable.
    fn end_repetition(&mut self, unreadable: &Unreadable) {
        let note = Note::Unusable { what: unreadable.to_string(), instead: "the rule is not repeated" };
        let verdict = Verdict::Suppress(Reason::UnreadableTime);
        let decision = self.decision(self.key(None, 0, "repeat.until"), None, 0, verdict, vec![note]);
        self.decisions.push(decision);
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
        // A wait beyond the expiry is refused.
        if self.expires_at().is_some_and(|expires_at| expires_at < until) {
            return self.refuse(step, Reason::Expired, &notes);
        }
        // The time is not part of the key, so a redelivered message keeps its key.
        let device = start.device.as_deref().unwrap_or_default();
        let nonce = format!("later: {} {device}", why.reason().name());
        let verdict = Verdict::Later(Later { until, why, audience: self.audience.clone(), start });
        let decision = self.decision(self.key(channel, step, &nonce), channel, step, verdict, notes);
        self.decisions.push(decision);
    }
}

/// The note that nothing is sent because of an unreadable value.
pub(super) fn not_sent(unreadable: &Unreadable) -> Note {
    Note::Unusable { what: unreadable.to_string(), instead: "nothing is sent" }
}
