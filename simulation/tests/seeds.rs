//! Many runs of Carillon as it is: none may show anything that must not be.

use std::thread;

use runtime::Env;
use simulation::{Mode, Setup, run};

/// How many seeds each mode goes through; more by `SIMULATION_RUNS`.
const RUNS: u32 = 5_000;

/// How many events happen in each.
const EVENTS: u32 = 5;

fn runs() -> u64 {
    Env::process().number("SIMULATION_RUNS", RUNS).expect("SIMULATION_RUNS is a number").into()
}

#[track_caller]
fn check(mode: Mode) {
    let runs = runs();
    let halves = [0, 1].map(|half| {
        thread::spawn(move || {
            (0..runs).filter(|it| it % 2 == half).find_map(|seed| {
                let setup = Setup::new(seed, mode, EVENTS);
                let found = run(&setup).violations;
                (!found.is_empty()).then(|| format!("{}\n  {}", setup.command(), found.join("\n  ")))
            })
        })
    });
    for half in halves {
        assert_eq!(half.join().expect("a run does not panic"), None, "a run that must not be");
    }
}

#[test]
fn nothing_wrong_happens_while_everything_goes_wrong() {
    check(Mode::Safety);
}

#[test]
fn all_that_was_begun_comes_to_an_end_when_faults_stop() {
    check(Mode::Liveness);
}

#[test]
fn a_seed_tells_the_same_story_each_time() {
    for mode in [Mode::Safety, Mode::Liveness] {
        for seed in 0..20 {
            let setup = Setup { is_told: true, ..Setup::new(seed, mode, EVENTS) };
            let (one, other) = (run(&setup), run(&setup));
            assert!(one.journal.len() > 20);
            assert_eq!(one.journal, other.journal, "{}", setup.command());
        }
    }
    let journal = |seed| run(&Setup { is_told: true, ..Setup::new(seed, Mode::Safety, EVENTS) }).journal;
    assert_ne!(journal(1), journal(2));
}
