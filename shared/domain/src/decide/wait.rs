//! What comes later: a wait, the next time of a recurring rule, the end of quiet hours.

use jiff::{SignedDuration, Timestamp};

use super::walk::{Go, Walk};
use super::{Later, Note, Verdict, Waiting};
use crate::channel::Channel;
use crate::moment::{self, TimeOrLength, Unreadable};
use crate::outcome::Reason;
use crate::path::Path;
use crate::plan::Audience;
use crate::rule::{Expiry, Repeat, Step, Wait};
use crate::wake::Start;
use crate::zone::Zone;

/// The most days of a shift: no shift is longer than [`crate::span::MAX`].
const MAX_DAYS: i64 = 31;

impl Walk<'_, '_> {
    pub(super) fn wait(&mut self, step: u32, wait: &Wait) -> Go {
        // An emergency does not wait for its first word; between two words it gives the first a chance.
        let before_all =
            !self.matched.rule.steps.iter().take(step as usize).any(|step| matches!(step, Step::Send(_)));
        if self.overrides() && before_all {
            return Go::On;
        }
        // An endpoint is told when it happens; what people are told later is not its business.
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

    /// # Errors
    /// The event's value is no time and no length.
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

    /// Until when the messages of the run are of use: the earlier of what the event and the rule say.
    ///
    /// # Errors
    /// The rule names a value of the event that is no time and no length.
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

    /// Makes the next run of a recurring rule.
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

    /// The instant after which a rule does not come round any more.
    fn last_time(&self, repeat: &Repeat, zone: &Zone) -> Result<Option<Timestamp>, Unreadable> {
        repeat.until.as_ref().map(|path| self.end_at(path, zone)).transpose()
    }

    /// The last instant of the time at a path, or of a length that begins with the event.
    fn end_at(&self, path: &Path, zone: &Zone) -> Result<Timestamp, Unreadable> {
        let end = match moment::time_or_length(path, self.plan.envelope())? {
            TimeOrLength::Time(time) => time.ends(zone),
            TimeOrLength::Length(length) => self.plan.event.time.checked_add(length).ok(),
        };
        end.ok_or_else(|| Unreadable::beyond_the_calendar(path))
    }

    /// Says that the rule does not come round, because nobody knows until when it should.
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
        // What would come too late is not waited for.
        if self.expires_at().is_some_and(|expires_at| expires_at < until) {
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

/// Why nothing is sent, for the explanation.
pub(super) fn not_sent(unreadable: &Unreadable) -> Note {
    Note::Unusable { what: unreadable.to_string(), instead: "nothing is sent" }
}
