//! The providers of a channel, as all its processes know them: one cheap read for some batches, and a write only where
//! something went wrong or is on the mend.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::breaker::{Breaker, Permit, Tally, Turn};
use domain::quota::Quota;
use jiff::SignedDuration;
use runtime::chain;
use store::{Kept, Stood};

use crate::cloud::{Aws, Cloud, Shared};
use crate::limits::View;

/// How long a process goes by what it read.
const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// How often a write that lost is tried again.
const ROUNDS: usize = 3;

/// The longest that a batch waits for the table: what cannot be known is taken for good.
const PATIENCE: Duration = Duration::from_secs(2);

/// All providers of a channel, the one that is preferred first. Without any, nobody is watched and no call is made.
pub struct Providers<C: Cloud = Aws> {
    counters: C::Shared,
    lines: Vec<Line>,
}

/// One of them.
struct Line {
    name: String,
    quota: Option<Quota>,
    seen: Mutex<Seen>,
}

/// What this process knows.
#[derive(Default)]
struct Seen {
    breaker: Kept<Breaker>,
    read_at: Option<Timestamp>,
    /// What was counted here and is not written yet.
    counted: Tally,
}

/// What an answer says about its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Which provider.
    pub(crate) provider: usize,
    pub(crate) failed: bool,
    /// It was the one message that an open breaker let through.
    pub(crate) probe: bool,
}

impl<C: Cloud> Providers<C> {
    /// By their names. `quota` holds for each.
    #[must_use]
    pub fn new(counters: &C::Shared, names: &[String], quota: Option<Quota>) -> Providers<C> {
        let line = |name: &String| Line { name: name.clone(), quota, seen: Mutex::default() };
        Providers { counters: counters.clone(), lines: names.iter().map(line).collect() }
    }

    /// How many there are to ask: one at least.
    pub(crate) fn count(&self) -> usize {
        self.lines.len().max(1)
    }

    pub(crate) fn counters(&self) -> &C::Shared {
        &self.counters
    }

    /// The name and quota of one.
    pub(crate) fn quota(&self, at: usize) -> Option<(&str, Quota)> {
        let line = self.lines.get(at)?;
        Some((&line.name, line.quota?))
    }

    /// How each of them stands, for a batch of this many. A probe that this process may make is made out by then.
    pub(crate) async fn look(&self, messages: usize, now: Timestamp) -> Vec<View> {
        if self.lines.is_empty() || messages == 0 {
            return vec![View::of_nobody()];
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

    /// Counts what was found out, and tells the others where that changes anything.
    pub(crate) async fn report(&self, found: &[Evidence], now: Timestamp) {
        for (at, line) in self.lines.iter().enumerate() {
            let of_this = || found.iter().filter(|it| it.provider == at);
            let probed = of_this().find(|it| it.probe).map(|it| it.failed);
            let must_tell = {
                let mut seen = line.seen();
                of_this().filter(|of_this| !of_this.probe).for_each(|it| seen.counted.count(it.failed, now));
                seen.counted.forget_old(now);
                let is_news = seen.counted.has_failures() || !seen.breaker.value.is_closed();
                probed.is_some() || (is_news && !seen.counted.is_empty())
            };
            if must_tell
                && tokio::time::timeout(PATIENCE, line.tell(&self.counters, probed, now)).await.is_err()
            {
                tracing::warn!(provider = line.name, "what was found out about a provider is kept for later");
            }
        }
    }
}

impl Line {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what the others know, unless that was just done. What cannot be read is a provider that works.
    async fn refresh(&self, counters: &impl Shared, now: Timestamp) {
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
        tracing::warn!(provider = self.name, error, "how a provider stands is not known; it is asked");
        Kept::default()
    }

    /// Whether this process is the one that probes.
    async fn may_probe(&self, counters: &impl Shared, now: Timestamp) -> bool {
        let read = self.seen().breaker.clone();
        let Some(next) = read.value.probe(now) else { return false };
        match tokio::time::timeout(PATIENCE, counters.keep_breaker(&self.name, &read, next, now)).await {
            Ok(Ok(Stood::Ours(kept))) => {
                self.seen().breaker = kept;
                true
            }
            Ok(Ok(Stood::Theirs(kept))) => {
                self.seen().breaker = kept;
                false
            }
            // It may stand and its answer be lost; then the next probe comes ten seconds later.
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Writes what was counted over what is known; of two at once the second adds to what the first wrote.
    async fn tell(&self, counters: &impl Shared, probed: Option<bool>, now: Timestamp) {
        let (mut read, counted) = {
            let seen = self.seen();
            (seen.breaker.clone(), seen.counted.clone())
        };
        for _ in 0..ROUNDS {
            let next = match probed {
                // What was counted before it opened says nothing about its recovery.
                Some(failed) => read.value.probed(failed, now),
                None => read.value.record(&counted, now),
            };
            if next == read.value {
                self.keep(read, true);
                return;
            }
            let turn = read.value.turn(&next);
            match counters.keep_breaker(&self.name, &read, next, now).await {
                Ok(Stood::Ours(kept)) => {
                    self.announce(turn, &kept.value);
                    self.keep(kept, true);
                    return;
                }
                Ok(Stood::Theirs(kept)) => read = kept,
                Err(refused) => {
                    tracing::warn!(
                        provider = self.name,
                        error = chain(&refused),
                        "how a provider stands is not written"
                    );
                    return;
                }
            }
        }
        self.keep(read, false);
    }

    fn keep(&self, breaker: Kept<Breaker>, is_told: bool) {
        let mut seen = self.seen();
        seen.breaker = breaker;
        if is_told {
            seen.counted = Tally::default();
        }
    }

    /// Said by the one process whose write it was.
    fn announce(&self, turn: Option<Turn>, breaker: &Breaker) {
        match turn {
            Some(Turn::Opened) => tracing::error!(
                provider = self.name,
                down_since = breaker.down_since().map(|down_since| down_since.to_string()),
                "a provider is not asked any more: it only fails"
            ),
            Some(Turn::Closed) => tracing::warn!(provider = self.name, "a provider works again"),
            None => {}
        }
    }
}
