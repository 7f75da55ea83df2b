//! Runs many seeds on all cores.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::{Setup, run};

/// Summary of many runs.
#[derive(Debug, Default)]
pub struct Tally {
    pub runs: u64,
    /// Number of accepted events, of calls, and of sends that providers accepted.
    pub events: u64,
    pub calls: u64,
    pub sends: u64,
    /// Failed runs: the command that repeats each, and its violations.
    pub failed: Vec<String>,
}

/// Number of failures after which no further seeds are run.
const ENOUGH: usize = 5;

/// Runs `setup` with each of these seeds, on as many threads as there are cores. A run that panics has failed.
#[must_use]
pub fn run_all(setup: &Setup, seeds: Range<u64>) -> Tally {
    let next = AtomicU64::new(seeds.start);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(|| run_some(setup, &next, seeds.end))).collect();
        let tallies =
            threads.into_iter().map(|thread| thread.join().expect("what panics in a run is caught"));
        tallies.fold(Tally::default(), Tally::and)
    })
}

fn run_some(setup: &Setup, next: &AtomicU64, end: u64) -> Tally {
    let mut tally = Tally::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || tally.failed.len() >= ENOUGH {
            return tally;
        }
        let setup = Setup { seed, ..*setup };
        tally.runs += 1;
        match catch_unwind(AssertUnwindSafe(|| run(&setup))) {
            Ok(run) => {
                tally.events += run.events as u64;
                tally.calls += run.calls;
                tally.sends += run.sends;
                if !run.violations.is_empty() {
                    tally.failed.push(format!("{}\n  {}", setup.command(), run.violations.join("\n  ")));
                }
            }
            Err(_) => tally.failed.push(format!("{}\n  it panicked", setup.command())),
        }
    }
}

impl Tally {
    /// Sum of both summaries.
    #[must_use]
    pub fn and(mut self, other: Tally) -> Tally {
        self.runs += other.runs;
        self.events += other.events;
        self.calls += other.calls;
        self.sends += other.sends;
        self.failed.extend(other.failed);
        self
    }
}
