//! Many runs of Carillon as it is: none may show anything that must not be.

#![expect(clippy::print_stdout, reason = "it says how many they were")]

use runtime::Env;
use simulation::{EVENTS, Mode, Setup, run, run_all};

/// How many seeds each mode goes through, each its own; as many as `SIMULATION_SEEDS` says, if it does.
const SEEDS: u32 = 6_000;

#[track_caller]
fn check(mode: Mode) {
    let seeds = Env::process().number("SIMULATION_SEEDS", SEEDS).expect("SIMULATION_SEEDS is a number");
    let seeds = u64::from(seeds);
    let from = match mode {
        Mode::Safety => 0,
        Mode::Liveness => seeds,
    };
    let tally = run_all(&Setup::new(from, mode, EVENTS), from..from + seeds);
    assert!(tally.failed.is_empty(), "runs that must not be:\n{}", tally.failed.join("\n"));
    assert_eq!(tally.runs, seeds);
    println!("\n{} runs of the simulation, {}: {} sends", tally.runs, mode.name(), tally.sends);
}

/// One after the other: each takes every core there is.
#[test]
fn nothing_wrong_happens_while_everything_goes_wrong_and_all_ends_when_faults_stop() {
    check(Mode::Safety);
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
