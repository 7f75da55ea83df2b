//! `simulate`: repeats one run and prints its journal, or runs many seeds.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "measures the duration")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulation::{EVENTS, Mode, Setup, Tally, Variant, run, run_all};

/// Repeat one run of the simulation, or run many seeds on all cores
#[derive(Parser)]
#[command(
    name = "simulate",
    max_term_width = 100,
    after_help = "Examples:
  simulate --seed 7 -v
  simulate --seeds 1000 --from 7 --mode liveness"
)]
struct Args {
    /// Repeat the run of this seed
    #[arg(long, value_name = "SEED", visible_alias = "from", default_value_t = 1)]
    seed: u64,
    /// Run this many seeds from --seed (or --from) on, in both modes without --mode
    #[arg(long, value_name = "COUNT")]
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
    is_notified: bool,
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
        is_notified: args.is_notified,
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
    let started = Instant::now();
    let modes = mode.map_or_else(|| vec![Mode::Safety, Mode::Liveness], |mode| vec![mode]);
    let setup = Setup { is_notified: false, ..*setup };
    let until = setup.seed.saturating_add(seeds);
    let runs = modes.into_iter().map(|mode| run_all(&Setup { mode, ..setup }, setup.seed..until));
    let Tally { runs, events, calls, sends, failed } = runs.fold(Tally::default(), Tally::and);
    failed.iter().for_each(|line| println!("{line}"));
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{runs} runs from seed {} in {seconds:.1} s: {events} events, {calls} calls, {sends} sends; {} with a violation",
        setup.seed,
        failed.len()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
