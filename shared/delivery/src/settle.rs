//! Turns an answer into a settlement, a reply to the queue and evidence about the provider.

use std::time::Duration;

use domain::Timestamp;
use domain::base::channel::OnUnknown;
use domain::base::outcome::{Failure, Reason, Sent, Status};
use domain::delivery::job::Job;
use domain::delivery::retry::{Limits, Then, Tried, chance};
use domain::event::Priority;
use store::Settlement;

use crate::limits::{CRITICAL_PATIENCE, PATIENCE, fails_over, in_time};

/// A throttled job pauses at least as long as after this many attempts.
const SLOWER: u32 = 3;

/// The reply to the queue for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Done,
    /// Redeliver after this pause, or after the visibility timeout.
    Again(Option<Duration>),
    /// Defer unchanged until this time.
    Later(Timestamp),
}

/// One attempt to send a claimed job.
pub(crate) struct Turn<'a> {
    pub(crate) job: &'a Job,
    /// The earlier attempts.
    pub(crate) before: Tried,
    /// How many providers take turns.
    pub(crate) providers: usize,
    /// Since when all providers are down. Set only if this job is the probe.
    pub(crate) down: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

impl Turn<'_> {
    pub(crate) fn limits_of_one(&self) -> Limits {
        Limits::of(self.job.channel(), self.job.priority, self.job.one_time)
    }

    /// The result of a probe. A job that would fail over without being the probe also fails over when
    /// the probe fails. With little traffic the same job would otherwise be the probe again and again.
    pub(crate) fn probed(&self, answer: Result<Sent, Failure>) -> Result<Sent, Failure> {
        let goes_on = self.down.is_some_and(|down| fails_over(self.job, down, self.now));
        match answer {
            Err(Failure::Transient(source) | Failure::Throttled { source, .. }) if goes_on => {
                Err(Failure::Permanent { reason: Reason::ProviderDown, source })
            }
            other => other,
        }
    }

    /// Turns the provider's answer into a settlement and a reply.
    pub(crate) fn answered(&self, answer: &Result<Sent, Failure>) -> (Settlement, Next) {
        let job = self.job;
        let done = |status, reason| (Settlement::new(&job.key, status, reason), Next::Done);
        match answer {
            Ok(Sent::Accepted { provider_id }) => {
                let (settlement, next) = done(Status::Sent, None);
                let provider_id = Some(provider_id.clone());
                (Settlement { provider_id, note: self.late(), ..settlement }, next)
            }
            // The channel has its own retry schedule and counts by it.
            Ok(Sent::Later(at)) => (self.unasked(), Next::Later(*at)),
            Ok(Sent::Nobody) => done(Status::Suppressed, Some(Reason::NotConnected)),
            Ok(Sent::Unknown) => match job.on_unknown {
                OnUnknown::Hold => done(Status::Unknown, Some(Reason::NoAnswer)),
                OnUnknown::Resend => self.again(),
            },
            Err(Failure::Transient(_) | Failure::Throttled { .. }) if self.is_out_of_patience() => {
                let tried = self.before.plus_one();
                let seconds = self.now.duration_since(tried.since).as_secs();
                let tries = tries(tried.times);
                let note = format!("the provider accepted no attempt in {tries} and {seconds} s");
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

    /// When a job with a fallback channel is no longer retried here. Its own attempts show an outage
    /// when too few messages fail for the breaker to open.
    fn patient_until(&self) -> Option<Timestamp> {
        let patience = if self.job.priority == Priority::Critical { CRITICAL_PATIENCE } else { PATIENCE };
        let until = self.before.since.saturating_add(patience).unwrap_or(Timestamp::MAX);
        self.job.failover.as_ref().map(|_| until)
    }

    fn is_out_of_patience(&self) -> bool {
        self.patient_until().is_some_and(|until| until <= self.now)
    }

    /// Bounds a pause by the job's expiry and by the time of its failover.
    fn in_time(&self, pause: Duration) -> Duration {
        let left = self.patient_until().map(|until| until.duration_since(self.now));
        let left = left.and_then(|left| Duration::try_from(left).ok()).filter(|left| !left.is_zero());
        in_time(self.job, left.map_or(pause, |left| pause.min(left)), self.now)
    }

    /// Schedules another attempt, if one is left.
    fn again(&self) -> (Settlement, Next) {
        let tried = self.before.plus_one();
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

    /// Schedules another attempt after at least `least`. The provider did not act, so no attempt is used
    /// up, but the retry period continues.
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

    /// Records a failure. The fallback channel may take over.
    pub(crate) fn failed(&self, reason: Reason, note: Option<String>) -> (Settlement, Next) {
        let on = self.job.failover.as_ref().map(|failover| format!("{} may take over", failover.to.name()));
        let parts: Vec<String> = self.said().into_iter().chain(note).chain(on).collect();
        let note = (!parts.is_empty()).then(|| parts.join("; "));
        let settlement = Settlement::new(&self.job.key, Status::Failed, Some(reason));
        (Settlement { note, ..settlement }, Next::Done)
    }

    /// Releases the claim without a provider call. This is no attempt.
    pub(crate) fn unasked(&self) -> Settlement {
        let tries = Some(self.before.times);
        Settlement { tries, ..released(self.job) }
    }

    /// The notes of the claim, with the waiting time if there was any.
    fn said(&self) -> Vec<String> {
        let instead_of = self.job.instead_of.map(|instead_of| instead_of.to_string());
        let waited = self.waited_s().map(|seconds| format!("waited {seconds} s for the provider"));
        instead_of.into_iter().chain(waited).collect()
    }

    /// The notes with the waiting time, if the claim did not contain it.
    fn late(&self) -> Option<String> {
        self.waited_s().map(|_| self.said().join("; "))
    }

    /// The seconds from the channel's first delivery until now, including pauses, attempts and queue
    /// time. `None` if the first attempt was the last one.
    fn waited_s(&self) -> Option<i64> {
        if self.job.held_s == 0 && self.before.times == 0 {
            return None;
        }
        let first = self.job.held_since.map_or(self.before.since, |held| held.min(self.before.since));
        let passed = self.now.duration_since(first).as_secs();
        // A job of the previous release records only how long it was held.
        Some(passed.max(i64::from(self.job.held_s))).filter(|seconds| *seconds > 0)
    }
}

fn tries(times: u32) -> String {
    format!("{times} {}", if times == 1 { "try" } else { "tries" })
}

/// The meaning of an answer for its provider: failed or not. `None` if the answer is about the message
/// alone.
pub(crate) fn evidence(answer: &Result<Sent, Failure>) -> Option<bool> {
    match answer {
        Ok(Sent::Accepted { .. } | Sent::Nobody) => Some(false),
        Ok(Sent::Later(_)) => None,
        Ok(Sent::Unknown) | Err(Failure::Transient(_) | Failure::Throttled { .. }) => Some(true),
        Err(Failure::Permanent { .. } | Failure::Expired) => None,
    }
}

/// Releases a claim without changes.
pub(crate) fn released(job: &Job) -> Settlement {
    Settlement::new(&job.key, Status::Released, None)
}

/// Releases a first claim.
pub(crate) fn never_tried(job: &Job) -> Settlement {
    Settlement { tries: Some(0), ..released(job) }
}

/// Suppresses a job without a provider call.
pub(crate) fn suppressed(job: &Job, reason: Reason) -> Settlement {
    Settlement::new(&job.key, Status::Suppressed, Some(reason))
}

#[cfg(test)]
mod tests;
