//! Digest windows in memory. The calls and their conditions are those of `store`; the domain decides.

use std::collections::BTreeMap;

use aws::{CallError, Verdict};
use domain::Timestamp;
use domain::decide::Answer;
use domain::event::key::Key;
use domain::limits::cancel::CancelKey;
use domain::limits::digest::{self, Arrival, Due, Header, Item, Join, State};
use engine::ClosedWindow;
use store::DigestArrival;

use crate::clock::sleep_ms;
use crate::shared::Counters;
use crate::variant::Variant;

/// Number of attempts of a transaction, as in the store.
const ROUNDS: u32 = 12;

/// A collected event, the key that can cancel it, and the time at which it joined.
struct Collected {
    item: Item,
    cancel: Option<CancelKey>,
    joined_at: Timestamp,
}

/// The rows of all digests.
#[derive(Default)]
pub(crate) struct Windows {
    headers: BTreeMap<String, Header>,
    /// The window that each event joined. `None`: the event passed through.
    markers: BTreeMap<Key, Option<String>>,
    events: BTreeMap<String, BTreeMap<Key, Collected>>,
}

/// Conditions that a broken variant of a transaction omits.
#[derive(Clone, Copy)]
struct Without {
    marker: bool,
    version: bool,
}

impl Windows {
    /// The ids of the windows that are open.
    pub(crate) fn open(&self) -> impl Iterator<Item = &str> {
        let open = self.headers.values().filter(|header| header.state == State::Open);
        open.map(|header| header.window_id.as_str())
    }

    /// The cancel key of an event in a window.
    pub(crate) fn cancel_key(&self, window_id: &str, event_id: &str) -> Option<(&CancelKey, &Item)> {
        let mut events = self.events.get(window_id)?.values();
        let found = events.find(|collected| collected.item.id == event_id)?;
        Some((found.cancel.as_ref()?, &found.item))
    }

    /// The window that is open while a join opens another one of the same key.
    fn open_beside(&self, window: &str, join: &Join, now: Timestamp) -> Option<String> {
        let open = self.headers.get(window).filter(|header| header.takes_events(now))?;
        (open.window_id != join.next().window_id).then(|| open.window_id.clone())
    }

    /// Writes the header, the marker and the event of a join, or nothing.
    fn add(
        &mut self,
        joining: &DigestArrival<'_>,
        version: Option<u64>,
        join: &Join,
        now: Timestamp,
        without: Without,
    ) -> bool {
        let is_known = self.markers.contains_key(joining.key) && !without.marker;
        if is_known || !self.replace(joining.window, version, join.next(), without) {
            return false;
        }
        self.markers.insert(joining.key.clone(), join.window_id().map(str::to_owned));
        if let Some(id) = join.window_id() {
            let (item, cancel) = (joining.item.clone(), joining.cancel.cloned());
            let collected = Collected { item, cancel, joined_at: now };
            self.events.entry(id.to_owned()).or_default().insert(joining.key.clone(), collected);
        }
        true
    }

    /// Replaces the header if its version is the one that was read.
    fn replace(&mut self, window: &str, version: Option<u64>, next: &Header, without: Without) -> bool {
        let found = self.headers.get(window).map(|header| header.version);
        if found != version && !without.version {
            return false;
        }
        self.headers.insert(window.to_owned(), next.clone());
        true
    }

    /// The collected events of a window, oldest first, and the time at which the first joined.
    fn collected(&self, window_id: &str, now: Timestamp) -> ClosedWindow {
        let found = self.events.get(window_id);
        let mut items: Vec<(Item, Option<CancelKey>)> = found
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|collected| (collected.item.clone(), collected.cancel.clone()))
            .collect();
        items.sort_by(|(one, _), (other, _)| (one.time, &one.event_key).cmp(&(other.time, &other.event_key)));
        let joined = found.into_iter().flat_map(BTreeMap::values).map(|collected| collected.joined_at);
        ClosedWindow::Closed { opened_at: joined.min().unwrap_or(now), items }
    }
}

impl Counters {
    /// Adds an event to a digest window, or returns the result of its first delivery.
    pub(crate) async fn join(
        &self,
        joining: &DigestArrival<'_>,
        now: Timestamp,
    ) -> Result<Answer, CallError> {
        let (process, world) = (&self.0, &self.0.world);
        let without = self.without();
        for round in 0..ROUNDS {
            let marker =
                || world.windows.borrow().markers.get(joining.key).filter(|_| !without.marker).cloned();
            if let Some(joined) = process.call("look for a digest's marker", marker).await? {
                return self.again(joined, joining).await;
            }
            let header = self.header(joining.window).await?;
            let arrival = Arrival {
                key: joining.window,
                event_key: joining.key.as_str(),
                now,
                window_end: joining.ends,
            };
            let join = digest::join(header.as_ref(), joining.policy, &arrival);
            let version = header.map(|header| header.version);
            // The SDK repeats a transaction with its token, so a second attempt finds its own first one.
            let mut written = false;
            let add = || {
                let mut windows = world.windows.borrow_mut();
                let open = windows.open_beside(joining.window, &join, now);
                if !written && windows.add(joining, version, &join, now, without) {
                    written = true;
                    if let Some(open) = open {
                        let said = format!("digest {open} is open, and its key opens {:?}", join.window_id());
                        world.check.borrow_mut().violated(said);
                    }
                }
                written
            };
            if process.call("add an event to a digest", add).await? {
                world.tell(|| format!("{} joins {:?}", joining.item.id, join.window_id()));
                return Ok(answer(&join, now));
            }
            sleep_ms(20 << round.min(5)).await;
        }
        Err(crowded("add an event to a digest"))
    }

    /// The window that an earlier delivery joined.
    pub(crate) async fn joined(&self, key: &Key, now: Timestamp) -> Result<Answer, CallError> {
        let world = &self.0.world;
        let marker = || world.windows.borrow().markers.get(key).cloned().flatten();
        let joined = self.0.call("look for a digest's marker", marker).await?;
        let joins = |window_id| Answer::Joined { window_id, closes_at: now, timer: false };
        Ok(joined.map_or(Answer::PassThrough, joins))
    }

    /// The result for an event that was delivered before. Its timer is made again.
    async fn again(&self, joined: Option<String>, joining: &DigestArrival<'_>) -> Result<Answer, CallError> {
        let Some(window_id) = joined else { return Ok(Answer::PassThrough) };
        let header = self.header(joining.window).await?.filter(|header| header.window_id == window_id);
        let closes_at = header.map_or(joining.ends, |header| header.closes_at);
        let timer = !self.0.world.is(Variant::TimerOnce);
        Ok(Answer::Joined { window_id, closes_at, timer })
    }

    /// Closes a window that has ended. A second closing finds the same events.
    pub(crate) async fn close(
        &self,
        window: &str,
        window_id: &str,
        now: Timestamp,
    ) -> Result<ClosedWindow, CallError> {
        let (process, world) = (&self.0, &self.0.world);
        let collected = || world.windows.borrow().collected(window_id, now);
        for round in 0..ROUNDS {
            let header = self.header(window).await?;
            let version = header.as_ref().map(|header| header.version);
            match digest::due(header.as_ref(), window_id, now) {
                Due::NotYet(until) => return Ok(ClosedWindow::Open { until }),
                Due::AlreadyClosed => return process.call("read a digest's events", collected).await,
                Due::Close { next } => {
                    let mut written = false;
                    let close = || {
                        let mut windows = world.windows.borrow_mut();
                        written = written || windows.replace(window, version, &next, self.without());
                        written
                    };
                    if process.call("close a digest", close).await? {
                        return process.call("read a digest's events", collected).await;
                    }
                    sleep_ms(20 << round.min(5)).await;
                }
            }
        }
        Err(crowded("close a digest"))
    }

    async fn header(&self, window: &str) -> Result<Option<Header>, CallError> {
        let world = &self.0.world;
        self.0.call("look at a digest", || world.windows.borrow().headers.get(window).cloned()).await
    }

    fn without(&self) -> Without {
        let world = &self.0.world;
        Without { marker: world.is(Variant::NoMarker), version: world.is(Variant::WindowWithoutVersion) }
    }
}

fn answer(join: &Join, now: Timestamp) -> Answer {
    match join {
        Join::PassThrough { .. } => Answer::PassThrough,
        Join::Open(next) | Join::Add { next, .. } | Join::AddAndClose { next } => Answer::Joined {
            window_id: next.window_id.clone(),
            closes_at: join.timer().unwrap_or(next.closes_at).max(now),
            timer: join.timer().is_some(),
        },
    }
}

fn crowded(doing: &'static str) -> CallError {
    CallError { doing, verdict: Verdict::Throttled, source: "other writers were first in every round".into() }
}
