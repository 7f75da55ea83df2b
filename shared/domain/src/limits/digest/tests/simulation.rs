//! A store that enforces the conditions, workers that read, pause, write and crash, and timers that fire late or
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::{at, policy};
use crate::limits::digest::{Arrival, DigestPolicy, Due, Header, Join, State, due, join};

/// The length of a window, in seconds.
const WINDOW: i64 = 10;

proptest! {
    #[test]
    fn every_event_is_sent_in_one_window_or_alone(
        policy in policies(), steps in vec(steps(), 1..120),
    ) {
        let mut world = World::new(policy);
        for step in steps {
            world.take(step);
        }
        world.finish();
        world.check();
    }
}

/// The next step of the simulation.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// An event is delivered for the first time or again.
    Deliver(u8),
    /// A due timer fires, perhaps late, and perhaps again later.
    Fire { which: usize, again: bool },
    /// A worker writes after its read. If it closes a window, it may crash afterwards.
    Write { which: usize, dies: bool },
    /// Seconds pass.
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..12_u8).prop_map(Step::Deliver),
        2 => (any::<usize>(), prop::bool::weighted(0.2)).prop_map(|(which, again)| Step::Fire { which, again }),
        6 => (any::<usize>(), prop::bool::weighted(0.3)).prop_map(|(which, dies)| Step::Write { which, dies }),
        2 => (0..WINDOW).prop_map(Step::Wait),
    ]
}

fn policies() -> impl Strategy<Value = DigestPolicy> {
    (option::of(2..5_u32), option::of(5..25_i64), 0..3_u8).prop_map(|(max_items, max, mode)| {
        let mut written = json!({ "flush_first": mode == 1, "lookback": mode == 2 });
        if let Some(max_items) = max_items {
            written["max_items"] = json!(max_items);
        }
        if let Some(max) = max {
            written["sliding"] = json!({ "max": format!("PT{max}S") });
        }
        policy(written)
    })
}

/// A worker between its read and its write.
struct Worker {
    task: Task,
    seen: Option<Header>,
    now: Timestamp,
}

#[derive(Clone)]
enum Task {
    Join(String),
    Timer(String),
}

struct World {
    policy: DigestPolicy,
    now: Timestamp,
    // The stored state.
    header: Option<Header>,
    markers: BTreeMap<String, Option<String>>,
    items: BTreeMap<String, BTreeSet<String>>,
    timers: Vec<(String, Timestamp)>,
    // The workers, and the results.
    workers: Vec<Worker>,
    delivered: BTreeSet<String>,
    passed: Vec<Timestamp>,
    processed: BTreeMap<String, BTreeSet<String>>,
}

impl World {
    fn new(policy: DigestPolicy) -> World {
        World {
            policy,
            now: at(0),
            header: None,
            markers: BTreeMap::new(),
            items: BTreeMap::new(),
            timers: Vec::new(),
            workers: Vec::new(),
            delivered: BTreeSet::new(),
            passed: Vec::new(),
            processed: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Deliver(event) => {
                let event = format!("event {event}");
                self.delivered.insert(event.clone());
                self.read(Task::Join(event));
            }
            Step::Fire { which, again } => {
                let now = self.now;
                let due: Vec<usize> =
                    (0..self.timers.len()).filter(|index| self.timers[*index].1 <= now).collect();
                if let Some(&place) = due.get(which.checked_rem(due.len()).unwrap_or(0)) {
                    let timer = if again { self.timers[place].clone() } else { self.timers.remove(place) };
                    self.read(Task::Timer(timer.0));
                }
            }
            Step::Write { which, dies } => {
                if let Some(place) = which.checked_rem(self.workers.len()) {
                    let worker = self.workers.remove(place);
                    self.write(&worker, dies);
                }
            }
            Step::Wait(seconds) => self.now += SignedDuration::from_secs(seconds),
        }
    }

    fn read(&mut self, task: Task) {
        self.workers.push(Worker { task, seen: self.header.clone(), now: self.now });
    }

    fn write(&mut self, worker: &Worker, dies: bool) {
        match &worker.task {
            Task::Join(event) => self.write_join(worker, event),
            Task::Timer(window) => match due(worker.seen.as_ref(), window, worker.now) {
                Due::Close { next } => {
                    if !self.replace(worker, &next) {
                        return self.read(worker.task.clone());
                    }
                    if dies {
                        // The message was not deleted, so it is redelivered.
                        self.timers.push((window.clone(), self.now));
                    } else {
                        self.work(window);
                    }
                }
                Due::NotYet(closes_at) => self.timers.push((window.clone(), closes_at)),
                Due::AlreadyClosed => self.work(window),
            },
        }
    }

    fn write_join(&mut self, worker: &Worker, event: &str) {
        let end = worker.now + SignedDuration::from_secs(WINDOW);
        let arrival = Arrival { key: "key", event_key: event, now: worker.now, window_end: end };
        let joined = join(worker.seen.as_ref(), &self.policy, &arrival);
        if self.markers.contains_key(event) {
            return;
        }
        if !self.replace(worker, joined.next()) {
            return self.read(worker.task.clone());
        }
        self.markers.insert(event.to_owned(), joined.window_id().map(str::to_owned));
        if let Some(closes_at) = joined.timer() {
            self.timers.push((joined.next().window_id.clone(), closes_at));
        }
        match joined {
            Join::PassThrough { .. } => self.passed.push(worker.now),
            Join::Open(next) | Join::Add { next, .. } | Join::AddAndClose { next } => {
                assert!(!self.processed.contains_key(&next.window_id), "an item was added after processing");
                let items = self.items.entry(next.window_id.clone()).or_default();
                assert!(items.insert(event.to_owned()), "an event is in the window twice");
                assert_eq!(items.len(), usize::try_from(next.n).unwrap());
                assert!(next.n <= self.policy.capacity());
                if let Some(max) = self.policy.sliding {
                    assert!(next.closes_at <= next.opened_at + max, "the window exceeds its maximum");
                }
            }
        }
    }

    /// The conditional write of the header.
    fn replace(&mut self, worker: &Worker, next: &Header) -> bool {
        let version = |header: Option<&Header>| header.map(|header| header.version);
        if version(self.header.as_ref()) != version(worker.seen.as_ref()) {
            return false;
        }
        if let Some(old) = &self.header {
            assert!(next.version > old.version);
            let is_over = old.state == State::Closed || old.closes_at <= worker.now;
            assert!(old.window_id == next.window_id || is_over, "two windows were open");
        }
        self.header = Some(next.clone());
        true
    }

    fn work(&mut self, window: &str) {
        let items = self.items.get(window).cloned().unwrap_or_default();
        self.processed.insert(window.to_owned(), items);
    }

    /// Lets all workers write and all timers fire.
    fn finish(&mut self) {
        while !self.workers.is_empty() || !self.timers.is_empty() {
            self.take(Step::Write { which: 0, dies: false });
            self.take(Step::Wait(1));
            self.take(Step::Fire { which: 0, again: false });
        }
    }

    fn check(&self) {
        assert!(self.delivered.iter().eq(self.markers.keys()), "every event has a marker");
        let mut merged = 0;
        for (event, window) in &self.markers {
            let there: Vec<&String> =
                self.items.iter().filter(|(_, events)| events.contains(event)).map(|(id, _)| id).collect();
            assert_eq!(there, window.iter().collect::<Vec<_>>(), "{event}");
            merged += there.len();
        }
        assert_eq!(merged + self.passed.len(), self.delivered.len());
        for (window, items) in &self.items {
            assert_eq!(self.processed.get(window), Some(items), "all items of a window are processed");
        }
        if self.policy.lookback {
            let apart = |pair: &[Timestamp]| pair[1].duration_since(pair[0]).as_secs() >= WINDOW;
            assert!(self.passed.windows(2).all(apart), "two events passed through within one window length");
        }
    }
}
