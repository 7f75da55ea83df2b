//! Who of a batch may ask a provider now, who waits, and who is told another way.

use std::time::Duration;

use domain::Timestamp;
use domain::breaker::Breaker;
use domain::event::Priority;
use domain::job::Job;
use domain::retry::{LONGEST_HELD, chance, jittered};
use jiff::SignedDuration;

/// How long a message waits for a provider that is down before the next channel takes its place. What is critical does
/// not wait.
///
/// Source: semantics 4.10, Courier's limit for a provider.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// How long a critical message is tried in vain before the next channel takes its place, where too few messages fail for
/// the breaker to say that the provider is down.
pub(crate) const CRITICAL_PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// What is critical looks again so soon.
const CRITICAL_PAUSE: Duration = Duration::from_secs(15);

/// How long those stay away who are too many for a provider that recovers.
const RECOVERY_PAUSE: Duration = Duration::from_secs(30);

/// A provider as a batch finds it.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// How many may ask it.
    pub(crate) left: usize,
    /// The one that may is a probe.
    pub(crate) probe: bool,
    /// How it did lately.
    pub(crate) percent_failed: u32,
    pub(crate) breaker: Breaker,
}

impl View {
    /// A provider that is not watched.
    pub(crate) fn of_nobody() -> View {
        View { left: usize::MAX, probe: false, percent_failed: 0, breaker: Breaker::default() }
    }
}

/// What becomes of a job in this batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ticket {
    /// It asks one of these, the best first. None where nobody has to be asked: it is too late for it. `down` is since
    /// when no provider works, where none does: then it is a probe.
    Go { providers: Vec<usize>, probe: bool, down: Option<Timestamp>, at: Option<Timestamp> },
    /// It is not claimed, and comes back after this long.
    Wait(Duration),
    /// Its provider is down for too long: it fails here, so that another channel may take its place.
    HandOn,
}

/// A ticket for each job. What is critical comes first.
pub(crate) fn tickets(jobs: &[&Job], mut views: Vec<View>, now: Timestamp) -> Vec<Ticket> {
    let mut tickets: Vec<Ticket> = vec![Ticket::HandOn; jobs.len()];
    let order = by_priority(jobs);
    let down = all_down(&views);
    let mut well: Vec<usize> = (0..views.len()).filter(|it| views[*it].left == usize::MAX).collect();
    // By tenths: a failure more or less is no reason to change.
    well.sort_by_key(|it| (views[*it].percent_failed / 10, *it));
    for &at in &order {
        let job = jobs[at];
        tickets[at] = if job.is_expired(now) {
            Ticket::Go { providers: Vec::new(), probe: false, down: None, at: None }
        } else if !well.is_empty() {
            Ticket::Go { providers: well.clone(), probe: false, down: None, at: None }
        } else if let Some(it) = (0..views.len()).find(|it| views[*it].left > 0) {
            views[it].left -= 1;
            Ticket::Go { providers: vec![it], probe: views[it].probe, down, at: None }
        } else {
            held(job, &views, now)
        };
    }
    // A provider that is down beside one that is well is looked at by whoever can wait best.
    let unprobed = views.iter().position(|view| view.probe && view.left > 0);
    let waits_best = order
        .iter()
        .rev()
        .find(|it| matches!(&tickets[**it], Ticket::Go { providers, .. } if !providers.is_empty()));
    if let (Some(provider), Some(&at)) = (unprobed, waits_best) {
        tickets[at] = Ticket::Go { providers: vec![provider], probe: true, down, at: None };
    }
    tickets
}

/// The jobs' places, those that matter most first.
pub(crate) fn by_priority(jobs: &[&Job]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|it| std::cmp::Reverse(jobs[*it].priority));
    order
}

/// Since when no provider works. It has come back when the last of them recovers.
fn all_down(views: &[View]) -> Option<Timestamp> {
    let down = views.iter().map(|view| view.breaker.down_since()).collect::<Option<Vec<Timestamp>>>();
    down.and_then(|times| times.into_iter().max())
}

/// Whether a message goes to the next channel of its rule now, because its provider has been down since then.
pub(crate) fn goes_on(job: &Job, down: Timestamp, now: Timestamp) -> bool {
    job.failover.is_some() && (job.priority == Priority::Critical || handed_on_at(down) <= now)
}

fn handed_on_at(down: Timestamp) -> Timestamp {
    down.saturating_add(PATIENCE).unwrap_or(Timestamp::MAX)
}

/// Nobody may be asked for this one.
fn held(job: &Job, views: &[View], now: Timestamp) -> Ticket {
    let is_critical = job.priority == Priority::Critical;
    let chance = chance(job.key.as_str(), job.held_s);
    // A provider that recovers is not down: the message only waits its turn.
    let Some(down) = all_down(views) else {
        return Ticket::Wait(in_time(job, jittered(RECOVERY_PAUSE, chance), now));
    };
    if u64::from(job.held_s) >= LONGEST_HELD.as_secs() || goes_on(job, down, now) {
        return Ticket::HandOn;
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
    Ticket::Wait(in_time(job, pause, now))
}

/// Not longer than until it is too late: that, too, must be on record in time. At least a second.
pub(crate) fn in_time(job: &Job, pause: Duration, now: Timestamp) -> Duration {
    const MOMENT: Duration = Duration::from_secs(1);
    let left = job
        .expires_at
        .map(|expires_at| Duration::try_from(expires_at.duration_since(now)).unwrap_or(Duration::ZERO));
    left.map_or(pause, |left| pause.min(left + MOMENT)).max(MOMENT)
}

#[cfg(test)]
mod tests;
