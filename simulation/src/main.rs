//! `simulate`: repeats one run and prints its journal, or runs many seeds.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "measures the duration")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulation::{EVENTS, Mode, Setup, Tally, Variant, run, run_all};

const USAGE: &str = "\
simulate --seed N [--mode safety|liveness] [--events N] [--variant NAME] [-v]
    repeats one run; -v prints all that happens
simulate --seeds N [--from SEED] [--mode safety|liveness] [--events N] [--variant NAME]
    goes through N seeds, on every core; in both modes where none is named";

/// Command-line arguments.
struct Wanted {
    setup: Setup,
    mode: Option<Mode>,
    /// Number of seeds, unless only one is run.
    seeds: Option<u64>,
    /// The mode: safety (faults all the time) or liveness (faults that stop)
    #[arg(long, value_parser = mode)]
    mode: Option<Mode>,
    /// The number of events in a run
    #[arg(long, value_name = "COUNT", default_value_t = EVENTS)]
    events: u32,
    /// Break the product in this way
    #[arg(long, value_name = "NAME", value_parser = variant)]
    variant: Option<Variant>,
    /// Print the whole journal of one run
    #[arg(short = 'v')]
    is_told: bool,
}

fn mode(name: &str) -> Result<Mode, String> {
    Mode::from_name(name).ok_or_else(|| "wanted safety or liveness".to_owned())
}

fn variant(name: &str) -> Result<Variant, String> {
    Variant::from_name(name).ok_or_else(|| "no variant has this name".to_owned())
}

fn main() -> ExitCode {
    let args = Args::parse();
    let setup = Setup {
        variant: args.variant,
        is_told: args.is_told,
        ..Setup::new(args.seed, args.mode.unwrap_or(Mode::Safety), args.events)
    };
    match args.seeds {
        Some(seeds) => many(&setup, args.mode, seeds),
        None => one(&setup),
    }
}

fn one(setup: &Setup) -> ExitCode {
    let run = run(setup);
    run.journal.iter().for_each(|line| println!("{line}"));
    println!(
        "seed {}, {}: {} events, {} calls, {} sends, {} s",
        setup.seed,
        setup.mode.name(),
        run.events,
        run.calls,
        run.sends,
        run.lasted.as_secs()
    );
    run.violations.iter().for_each(|violation| println!("  {violation}"));
    if run.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn many(setup: &Setup, mode: Option<Mode>, seeds: u64) -> ExitCode {
    let began = Instant::now();
    let modes = mode.map_or_else(|| vec![Mode::Safety, Mode::Liveness], |item| vec![item]);
    let setup = Setup { is_told: false, ..*setup };
    let until = setup.seed.saturating_add(seeds);
    let runs = modes.into_iter().map(|mode| run_all(&Setup { mode, ..setup }, setup.seed..until));
    let Tally { runs, events, calls, sends, failed } = runs.fold(Tally::default(), Tally::and);
    failed.iter().for_each(|item| println!("{item}"));
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{runs} runs from seed {} in {seconds:.1} s: {events} events, {calls} calls, {sends} sends; {} with a violation",
        setup.seed,
        failed.len()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
