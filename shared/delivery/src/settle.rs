//! What an answer means: for the ledger, for the queue, and for the provider.

use std::time::Duration;

use domain::Timestamp;
use domain::channel::OnUnknown;
use domain::event::Priority;
use domain::job::Job;
use domain::outcome::{Failure, Reason, Sent, Status};
use domain::retry::{Limits, Then, Tried, chance};
use store::Settlement;

use crate::limits::{CRITICAL_PATIENCE, PATIENCE, goes_on, in_time};

/// Whoever was asked to slow down stays away as after this many tries.
const SLOWER: u32 = 3;

/// What becomes of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Done,
    /// Shown again after this long, or after the queue's own time.
    Again(Option<Duration>),
    /// Put back as it is, to be shown at this time.
    Later(Timestamp),
}

/// A job whose turn it was.
pub(crate) struct Turn<'a> {
    pub(crate) job: &'a Job,
    /// What was tried before.
    pub(crate) before: Tried,
    /// How many providers have a turn each.
    pub(crate) providers: usize,
    /// Since when no provider works, where none does and this job is the probe.
    pub(crate) down: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

impl Turn<'_> {
    pub(crate) fn limits_of_one(&self) -> Limits {
        Limits::of(self.job.channel(), self.job.priority, self.job.one_time)
    }

    /// The answer to a probe. A job that would go to the next channel if it were not the probe goes there too when the
    /// probe fails: with little traffic the same job is the probe again and again.
    pub(crate) fn probed(&self, answer: Result<Sent, Failure>) -> Result<Sent, Failure> {
        let goes_on = self.down.is_some_and(|down| goes_on(self.job, down, self.now));
        match answer {
            Err(Failure::Transient(source) | Failure::Throttled { source, .. }) if goes_on => {
                Err(Failure::Permanent { reason: Reason::ProviderDown, source })
            }
            other => other,
        }
    }

    /// What a provider's answer means.
    pub(crate) fn answered(&self, answer: &Result<Sent, Failure>) -> (Settlement, Next) {
        let job = self.job;
        let done = |status, reason| (Settlement::new(&job.key, status, reason), Next::Done);
        match answer {
            Ok(Sent::Accepted { provider_id }) => {
                let (settlement, next) = done(Status::Sent, None);
                let provider_id = Some(provider_id.clone());
                (Settlement { provider_id, note: self.late(), ..settlement }, next)
            }
            // The channel has a schedule of its own, and counts by it.
            Ok(Sent::Later(at)) => (self.unasked(), Next::Later(*at)),
            Ok(Sent::Nobody) => done(Status::Suppressed, Some(Reason::NotConnected)),
            Ok(Sent::Unknown) => match job.on_unknown {
                OnUnknown::Hold => done(Status::Unknown, Some(Reason::NoAnswer)),
                OnUnknown::Resend => self.again(),
            },
            Err(Failure::Transient(_) | Failure::Throttled { .. }) if self.is_out_of_patience() => {
                let tried = self.before.once_more();
                let seconds = self.now.duration_since(tried.since).as_secs();
                let tries = tries(tried.times);
                let note = format!("its provider took nothing in {tries} and {seconds} s");
                self.failed(Reason::ProviderDown, Some(note))
            }
            Err(Failure::Transient(_)) => self.again(),
            Err(Failure::Throttled { delay, .. }) => self.slower(*delay),
            Err(Failure::Permanent { reason, .. }) => self.failed(*reason, None),
            Err(Failure::Expired) => {
                let (settlement, next) = done(Status::Suppressed, Some(Reason::Expired));
                (Settlement { note: self.late(), ..settlement }, next)
            }
        }
    }

    /// When a job that another channel can take over stops to try here. Its own tries say that the provider is down where
    /// too few messages fail for the breaker to say so.
    fn patient_until(&self) -> Option<Timestamp> {
        let patience = if self.job.priority == Priority::Critical { CRITICAL_PATIENCE } else { PATIENCE };
        let until = self.before.since.saturating_add(patience).unwrap_or(Timestamp::MAX);
        self.job.failover.as_ref().map(|_| until)
    }

    fn is_out_of_patience(&self) -> bool {
        self.patient_until().is_some_and(|until| until <= self.now)
    }

    /// A pause that ends in time: before the job expires, and when another channel is to take its place.
    fn in_time(&self, pause: Duration) -> Duration {
        let left = self.patient_until().map(|until| until.duration_since(self.now));
        let left = left.and_then(|left| Duration::try_from(left).ok()).filter(|left| !left.is_zero());
        in_time(self.job, left.map_or(pause, |left| pause.min(left)), self.now)
    }

    /// Another try, if there may be one.
    fn again(&self) -> (Settlement, Next) {
        let tried = self.before.once_more();
        let seed = chance(self.job.key.as_str(), tried.times);
        match self.limits_of_one().for_providers(self.providers).then(&tried, self.now, seed) {
            Then::Again(pause) => {
                let pause = self.in_time(pause);
                (Settlement::new(&self.job.key, Status::Released, None), Next::Again(Some(pause)))
            }
            Then::GiveUp => {
                let note = format!("given up after {}", tries(tried.times));
                self.failed(Reason::RetriesExhausted, Some(note))
            }
        }
    }

    /// Another try, not before `least`: the provider did not act, so none is used up, but the time for it is.
    fn slower(&self, least: Duration) -> (Settlement, Next) {
        let tried = Tried { times: self.before.times.min(SLOWER), ..self.before };
        let seed = chance(self.job.key.as_str(), self.now.subsec_nanosecond().unsigned_abs());
        match self.limits_of_one().for_providers(self.providers).then(&tried, self.now, seed) {
            Then::Again(_) => {
                let pause = self.limits_of_one().pause(SLOWER, seed).max(least);
                (self.unasked(), Next::Again(Some(self.in_time(pause))))
            }
            Then::GiveUp => self
                .failed(Reason::RetriesExhausted, Some("the provider was too busy all the time".to_owned())),
        }
    }

    /// It fails here. Another channel may take its place.
    pub(crate) fn failed(&self, reason: Reason, note: Option<String>) -> (Settlement, Next) {
        let on = self
            .job
            .failover
            .as_ref()
            .map(|failover| format!("{} takes its place if it may", failover.to.name()));
        let parts: Vec<String> = self.said().into_iter().chain(note).chain(on).collect();
        let note = (!parts.is_empty()).then(|| parts.join("; "));
        let settlement = Settlement::new(&self.job.key, Status::Failed, Some(reason));
        (Settlement { note, ..settlement }, Next::Done)
    }

    /// Given back, and nobody was asked: that is no try.
    pub(crate) fn unasked(&self) -> Settlement {
        let tries = Some(self.before.times);
        Settlement { tries, ..released(self.job) }
    }

    /// What the claim has said about it already, and that it had to wait, where it had to.
    fn said(&self) -> Vec<String> {
        let instead_of = self.job.instead_of.map(|instead_of| instead_of.to_string());
        let waited = self.waited_s().map(|seconds| format!("it waited {seconds} s for its provider"));
        instead_of.into_iter().chain(waited).collect()
    }

    /// The same, where the claim did not say all of it.
    fn late(&self) -> Option<String> {
        self.waited_s().map(|_| self.said().join("; "))
    }

    /// How long it took from the moment at which the channel took the job up, in whole seconds: pauses, tries and the
    /// queue's own time together. `None` where the first try was the last.
    fn waited_s(&self) -> Option<i64> {
        if self.job.held_s == 0 && self.before.times == 0 {
            return None;
        }
        let first = self.job.held_since.map_or(self.before.since, |held| held.min(self.before.since));
        let passed = self.now.duration_since(first).as_secs();
        // A job of the last release says only how long it was held.
        Some(passed.max(i64::from(self.job.held_s))).filter(|seconds| *seconds > 0)
    }
}

fn tries(times: u32) -> String {
    format!("{times} {}", if times == 1 { "try" } else { "tries" })
}

/// What an answer says about whoever gave it: whether it failed. Nothing, where it is about the message alone.
pub(crate) fn evidence(answer: &Result<Sent, Failure>) -> Option<bool> {
    match answer {
        Ok(Sent::Accepted { .. } | Sent::Nobody) => Some(false),
        Ok(Sent::Later(_)) => None,
        Ok(Sent::Unknown) | Err(Failure::Transient(_) | Failure::Throttled { .. }) => Some(true),
        Err(Failure::Permanent { .. } | Failure::Expired) => None,
    }
}

/// Given back untouched.
pub(crate) fn released(job: &Job) -> Settlement {
    Settlement::new(&job.key, Status::Released, None)
}

/// The same of a claim that was the first.
pub(crate) fn never_tried(job: &Job) -> Settlement {
    Settlement { tries: Some(0), ..released(job) }
}

/// Not to be sent, and nobody was asked.
pub(crate) fn suppressed(job: &Job, reason: Reason) -> Settlement {
    Settlement::new(&job.key, Status::Suppressed, Some(reason))
}

#[cfg(test)]
mod tests;
