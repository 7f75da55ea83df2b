//! Many runs of the unmodified system. None may violate an invariant.

#![expect(clippy::print_stdout, reason = "it says how many they were")]

use runtime::Env;
use simulation::{EVENTS, Mode, Setup, run, run_all};

/// Number of seeds for each mode, with distinct seeds per mode. `SIMULATION_SEEDS` overrides it.
const SEEDS: u32 = 6_000;

/// Number of seeds of the test that runs for each broken build.
const SEEDS_OF_A_PATCH: u64 = 200;

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

/// Modes run one after the other because each uses all cores.
#[test]
fn no_invariant_is_violated_under_faults_and_all_work_completes_after_them() {
    check(Mode::Safety);
    check(Mode::Liveness);
}

/// The seed chooses the event types: two of four seeds have digests or audiences of several pages.
#[test]
fn digest_closes_once_and_each_member_of_an_audience_is_notified_once() {
    for mode in [Mode::Safety, Mode::Liveness] {
        let tally = run_all(&Setup::new(0, mode, EVENTS), 0..SEEDS_OF_A_PATCH);
        assert!(tally.failed.is_empty(), "runs that must not be:\n{}", tally.failed.join("\n"));
    }
}

#[test]
fn same_seed_gives_the_same_journal() {
    for mode in [Mode::Safety, Mode::Liveness] {
        for seed in 0..20 {
            let setup = Setup { is_notified: true, ..Setup::new(seed, mode, EVENTS) };
            let (one, other) = (run(&setup), run(&setup));
            assert!(one.journal.len() > 20);
            assert_eq!(one.journal, other.journal, "{}", setup.command());
        }
    }
    let journal = |seed| run(&Setup { is_notified: true, ..Setup::new(seed, Mode::Safety, EVENTS) }).journal;
    assert_ne!(journal(1), journal(2));
}
