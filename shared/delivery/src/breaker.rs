//! Circuit breakers of a channel's providers, shared by all processes of the channel. A process reads
//! the state once every few batches. It writes only after failures and during recovery.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::delivery::breaker::{Breaker, Permit, Tally, Turn};
use domain::delivery::rate_limit::Quota;
use jiff::SignedDuration;
use runtime::chain;
use store::{Kept, WriteResult};

use crate::cloud::{Aws, Backend, SharedState};
use crate::limits::View;

/// How long a process caches the breaker state.
const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// How often a write that lost a race is repeated.
const ROUNDS: usize = 3;

/// The longest wait of a batch for the table. A provider whose state is unknown counts as healthy.
const PATIENCE: Duration = Duration::from_secs(2);

/// All providers of a channel, the preferred one first. With an empty list no provider is watched and no
/// call is made.
pub struct Providers<C: Backend = Aws> {
    counters: C::SharedState,
    lines: Vec<Line>,
}

/// One provider.
struct Line {
    name: String,
    quota: Option<Quota>,
    seen: Mutex<Seen>,
}

/// The state that this process knows.
#[derive(Default)]
struct Seen {
    breaker: Kept<Breaker>,
    read_at: Option<Timestamp>,
    /// Answers counted here and not stored yet.
    counted: Tally,
}

/// The meaning of an answer for the health of its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// The index of the provider.
    pub(crate) provider: usize,
    pub(crate) failed: bool,
    /// The message was the probe of an open breaker.
    pub(crate) probe: bool,
}

impl<C: Backend> Providers<C> {
    /// Creates the providers from their names. `quota` holds for each of them.
    #[must_use]
    pub fn new(counters: &C::SharedState, names: &[String], quota: Option<Quota>) -> Providers<C> {
        let line = |name: &String| Line { name: name.clone(), quota, seen: Mutex::default() };
        Providers { counters: counters.clone(), lines: names.iter().map(line).collect() }
    }

    /// The number of providers to choose from, at least one.
    pub(crate) fn count(&self) -> usize {
        self.lines.len().max(1)
    }

    pub(crate) fn counters(&self) -> &C::SharedState {
        &self.counters
    }

    /// The name and the quota of one provider.
    pub(crate) fn quota(&self, at: usize) -> Option<(&str, Quota)> {
        let line = self.lines.get(at)?;
        Some((&line.name, line.quota?))
    }

    /// The state of each provider for a batch of this size. A probe that this process may send is
    /// reserved by then.
    pub(crate) async fn look(&self, messages: usize, now: Timestamp) -> Vec<View> {
        if self.lines.is_empty() || messages == 0 {
            return vec![View::unwatched()];
        }
        let mut views = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            line.refresh(&self.counters, now).await;
            let breaker = line.seen().breaker.value.clone();
            let (mut left, mut probe) = (usize::MAX, false);
            match breaker.permit(now) {
                Permit::All => {}
                Permit::Percent(share) => {
                    left = messages.saturating_mul(share as usize).div_ceil(100).max(1);
                }
                Permit::Probe => {
                    probe = line.may_probe(&self.counters, now).await;
                    left = usize::from(probe);
                }
                Permit::None { .. } => left = 0,
            }
            let mut lately = breaker.tally().clone();
            lately.forget_old(now);
            views.push(View { left, probe, percent_failed: lately.percent_failed(), breaker });
        }
        views
    }

    /// Counts the results and stores them if they change the state for other processes.
    pub(crate) async fn report(&self, found: &[Evidence], now: Timestamp) {
        for (at, line) in self.lines.iter().enumerate() {
            let of_this = || found.iter().filter(|evidence| evidence.provider == at);
            let probed = of_this().find(|evidence| evidence.probe).map(|evidence| evidence.failed);
            let must_tell = {
                let mut seen = line.seen();
                of_this()
                    .filter(|of_this| !of_this.probe)
                    .for_each(|evidence| seen.counted.count(evidence.failed, now));
                seen.counted.forget_old(now);
                let is_news = seen.counted.has_failures() || !seen.breaker.value.is_closed();
                probed.is_some() || (is_news && !seen.counted.is_empty())
            };
            if must_tell
                && tokio::time::timeout(PATIENCE, line.tell(&self.counters, probed, now)).await.is_err()
            {
                tracing::warn!(
                    code = "BREAKER_NOT_STORED",
                    provider = line.name,
                    "circuit breaker state not stored: the time is up, the next batch repeats the write"
                );
            }
        }
    }
}

impl Line {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the shared state unless the cached one is fresh. A provider whose state cannot be read
    /// counts as healthy.
    async fn refresh(&self, counters: &impl SharedState, now: Timestamp) {
        if self.seen().read_at.is_some_and(|at| now.duration_since(at).abs() < FRESH) {
            return;
        }
        let read = match tokio::time::timeout(PATIENCE, counters.breaker(&self.name)).await {
            Ok(Ok(read)) => read,
            Ok(Err(refused)) => self.unread(&chain(&refused)),
            Err(late) => self.unread(&chain(&late)),
        };
        let mut seen = self.seen();
        seen.breaker = read;
        seen.read_at = Some(now);
    }

    fn unread(&self, error: &str) -> Kept<Breaker> {
        tracing::warn!(
            code = "BREAKER_UNKNOWN",
            provider = self.name,
            error,
            "circuit breaker state not read: the provider is called"
        );
        Kept::default()
    }

    /// Whether this process sends the probe.
    async fn may_probe(&self, counters: &impl SharedState, now: Timestamp) -> bool {
        let read = self.seen().breaker.clone();
        let Some(next) = read.value.probe(now) else { return false };
        match tokio::time::timeout(PATIENCE, counters.keep_breaker(&self.name, &read, next, now)).await {
            Ok(Ok(WriteResult::Ours(kept))) => {
                self.seen().breaker = kept;
                true
            }
            Ok(Ok(WriteResult::Theirs(kept))) => {
                self.seen().breaker = kept;
                false
            }
            // The write may have succeeded and its answer got lost. The next probe then follows ten
            // seconds later.
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Stores the counted results. Of two concurrent writes the second adds to the first.
    async fn tell(&self, counters: &impl SharedState, probed: Option<bool>, now: Timestamp) {
        let (mut read, counted) = {
            let seen = self.seen();
            (seen.breaker.clone(), seen.counted.clone())
        };
        for _ in 0..ROUNDS {
            let next = match probed {
                // Results from before the breaker opened say nothing about the recovery.
                Some(failed) => read.value.probed(failed, now),
                None => read.value.record(&counted, now),
            };
            if next == read.value {
                self.keep(read, true);
                return;
            }
            let turn = read.value.turn(&next);
            match counters.keep_breaker(&self.name, &read, next, now).await {
                Ok(WriteResult::Ours(kept)) => {
                    self.announce(turn, &kept.value);
                    self.keep(kept, true);
                    return;
                }
                Ok(WriteResult::Theirs(kept)) => read = kept,
                Err(refused) => {
                    tracing::warn!(
                        code = "BREAKER_NOT_STORED",
                        provider = self.name,
                        error = chain(&refused),
                        "circuit breaker state not stored: the write was refused, the next batch repeats it"
                    );
                    return;
                }
            }
        }
        self.keep(read, false);
    }

    fn keep(&self, breaker: Kept<Breaker>, is_notified: bool) {
        let mut seen = self.seen();
        seen.breaker = breaker;
        if is_notified {
            seen.counted = Tally::default();
        }
    }

    /// Logs a change of state. Only the process whose write caused the change logs it.
    fn announce(&self, turn: Option<Turn>, breaker: &Breaker) {
        match turn {
            Some(Turn::Opened) => tracing::error!(
                code = "BREAKER_OPENED",
                provider = self.name,
                down_since = breaker.down_since().map(|down_since| down_since.to_string()),
                "circuit breaker opened: the provider gets no calls except probes"
            ),
            Some(Turn::Closed) => tracing::warn!(
                code = "BREAKER_CLOSED",
                provider = self.name,
                "circuit breaker closed: the provider works again"
            ),
            None => {}
        }
    }
}
