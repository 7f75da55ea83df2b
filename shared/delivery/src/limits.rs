//! Decides for each job of a batch: call a provider now, wait, or fail over.

use std::time::Duration;

use domain::Timestamp;
use domain::delivery::breaker::Breaker;
use domain::delivery::job::Job;
use domain::delivery::retry::{MAX_DEFERRED, chance, jittered};
use domain::event::Priority;
use jiff::SignedDuration;

/// How long a job waits for a provider that is down before it fails over. Critical jobs fail over at
/// once.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// How long a critical job is retried before it fails over while the breaker is closed. With little
/// traffic the breaker lacks the failures to open.
pub(crate) const CRITICAL_PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// How long a critical job waits before its next check.
const CRITICAL_PAUSE: Duration = Duration::from_secs(15);

/// How long jobs wait that exceed the capacity of a recovering provider.
const RECOVERY_PAUSE: Duration = Duration::from_secs(30);

/// The state of a provider for one batch.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// How many jobs may call the provider.
    pub(crate) left: usize,
    /// The call is a probe.
    pub(crate) probe: bool,
    /// The share of failed calls in the last minutes.
    pub(crate) percent_failed: u32,
    pub(crate) breaker: Breaker,
}

impl View {
    /// The view of an unwatched provider.
    pub(crate) fn unwatched() -> View {
        View { left: usize::MAX, probe: false, percent_failed: 0, breaker: Breaker::default() }
    }
}

/// The admission of a job in this batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The job may call these providers, the best first. The list is empty for an expired job, which
    /// needs no call. `down` is the time since when all providers are down, and the job is then a probe.
    Go { providers: Vec<usize>, probe: bool, down: Option<Timestamp>, at: Option<Timestamp> },
    /// The job is not claimed and is deferred for this long.
    Wait(Duration),
    /// The provider has been down for too long. The job fails here so that the fallback channel can take
    /// over.
    HandOn,
}

/// Admits each job, critical jobs first.
pub(crate) fn tickets(jobs: &[&Job], mut views: Vec<View>, now: Timestamp) -> Vec<Admission> {
    let mut tickets: Vec<Admission> = vec![Admission::HandOn; jobs.len()];
    let order = by_priority(jobs);
    let down = all_down(&views);
    let mut well: Vec<usize> = (0..views.len()).filter(|index| views[*index].left == usize::MAX).collect();
    // Providers are compared by tenths, so that one more failure does not change the order.
    well.sort_by_key(|index| (views[*index].percent_failed / 10, *index));
    for &at in &order {
        let job = jobs[at];
        tickets[at] = if job.is_expired(now) {
            Admission::Go { providers: Vec::new(), probe: false, down: None, at: None }
        } else if !well.is_empty() {
            Admission::Go { providers: well.clone(), probe: false, down: None, at: None }
        } else if let Some(provider) = (0..views.len()).find(|index| views[*index].left > 0) {
            views[provider].left -= 1;
            Admission::Go { providers: vec![provider], probe: views[provider].probe, down, at: None }
        } else {
            held(job, &views, now)
        };
    }
    // A provider that is down beside a healthy one is probed with the least urgent job.
    let unprobed = views.iter().position(|view| view.probe && view.left > 0);
    let waits_best = order
        .iter()
        .rev()
        .find(|index| matches!(&tickets[**index], Admission::Go { providers, .. } if !providers.is_empty()));
    if let (Some(provider), Some(&at)) = (unprobed, waits_best) {
        tickets[at] = Admission::Go { providers: vec![provider], probe: true, down, at: None };
    }
    tickets
}

/// The indexes of the jobs, the most urgent first.
pub(crate) fn by_priority(jobs: &[&Job]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(jobs[*index].priority));
    order
}

/// The time since when all providers are down. The outage ends when the first of them recovers.
fn all_down(views: &[View]) -> Option<Timestamp> {
    let down = views.iter().map(|view| view.breaker.down_since()).collect::<Option<Vec<Timestamp>>>();
    down.and_then(|times| times.into_iter().max())
}

/// Whether a job fails over now, because its provider has been down since `down`.
pub(crate) fn fails_over(job: &Job, down: Timestamp, now: Timestamp) -> bool {
    job.failover.is_some() && (job.priority == Priority::Critical || handed_on_at(down) <= now)
}

fn handed_on_at(down: Timestamp) -> Timestamp {
    down.saturating_add(PATIENCE).unwrap_or(Timestamp::MAX)
}

/// The admission of a job while no provider can be called.
fn held(job: &Job, views: &[View], now: Timestamp) -> Admission {
    let is_critical = job.priority == Priority::Critical;
    let chance = chance(job.key.as_str(), job.held_s);
    // A recovering provider is not down. The job waits for its turn.
    let Some(down) = all_down(views) else {
        return Admission::Wait(in_time(job, jittered(RECOVERY_PAUSE, chance), now));
    };
    if u64::from(job.held_s) >= MAX_DEFERRED.as_secs() || fails_over(job, down, now) {
        return Admission::HandOn;
    }
    let pauses = views.iter().map(|view| view.breaker.pause(now, chance));
    let mut pause = pauses.min().unwrap_or(CRITICAL_PAUSE);
    if is_critical {
        pause = pause.min(CRITICAL_PAUSE);
    }
    if job.failover.is_some() {
        pause =
            pause.min(Duration::try_from(handed_on_at(down).duration_since(now)).unwrap_or(Duration::ZERO));
    }
    Admission::Wait(in_time(job, pause, now))
}

/// Bounds a pause by the job's expiry, because the expiry must be recorded in time. The minimum is one
/// second.
pub(crate) fn in_time(job: &Job, pause: Duration, now: Timestamp) -> Duration {
    const MOMENT: Duration = Duration::from_secs(1);
    let left = job
        .expires_at
        .map(|expires_at| Duration::try_from(expires_at.duration_since(now)).unwrap_or(Duration::ZERO));
    left.map_or(pause, |left| pause.min(left + MOMENT)).max(MOMENT)
}

#[cfg(test)]
mod tests;
