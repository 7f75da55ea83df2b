//! `simulate`: repeats one run and prints its journal, or runs many seeds.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "it says how long it took")]

use std::process::ExitCode;
use std::time::Instant;

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
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match read(&arguments) {
        Ok(Wanted { setup, mode, seeds: Some(seeds) }) => many(&setup, mode, seeds),
        Ok(Wanted { setup, .. }) => one(&setup),
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn read(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted { setup: Setup::new(1, Mode::Safety, EVENTS), mode: None, seeds: None };
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        if name == "-v" {
            wanted.setup.is_told = true;
            continue;
        }
        let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{name}: found {value:?}, wanted a number"));
        match name.as_str() {
            "--seed" | "--from" => wanted.setup.seed = number()?,
            "--seeds" => wanted.seeds = Some(number()?),
            "--events" => {
                wanted.setup.events = u32::try_from(number()?).map_err(|error| error.to_string())?;
            }
            "--mode" => {
                let mode = Mode::from_name(value).ok_or_else(|| format!("no mode {value:?}"))?;
                (wanted.mode, wanted.setup.mode) = (Some(mode), mode);
            }
            "--variant" => {
                let found = Variant::from_name(value).ok_or_else(|| format!("no variant {value:?}"))?;
                wanted.setup.variant = Some(found);
            }
            other => return Err(format!("no option {other:?}")),
        }
    }
    Ok(wanted)
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
