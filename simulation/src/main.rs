//! `simulate`: repeats one run and prints its journal, or goes through many.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "it says how long it took")]

use std::process::ExitCode;
use std::time::Instant;

use simulation::{Mode, Setup, Variant, run};

const USAGE: &str =
    "simulate --seed N [--runs N] [--mode safety|liveness] [--events N] [--variant NAME] [-v]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match read(&arguments) {
        Ok((setup, runs)) => simulate(setup, runs),
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn read(arguments: &[String]) -> Result<(Setup, u64), String> {
    let (mut setup, mut runs) = (Setup::new(1, Mode::Safety, 6), 1);
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        if name == "-v" {
            setup.is_told = true;
            continue;
        }
        let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{name}: found {value:?}, wanted a number"));
        match name.as_str() {
            "--seed" => setup.seed = number()?,
            "--runs" => runs = number()?,
            "--events" => setup.events = u32::try_from(number()?).map_err(|it| it.to_string())?,
            "--mode" => setup.mode = Mode::from_name(value).ok_or_else(|| format!("no mode {value:?}"))?,
            "--variant" => {
                let found = Variant::from_name(value).ok_or_else(|| format!("no variant {value:?}"))?;
                setup.variant = Some(found);
            }
            other => return Err(format!("no option {other:?}")),
        }
    }
    Ok((setup, runs))
}

fn simulate(first: Setup, runs: u64) -> ExitCode {
    let began = Instant::now();
    let (mut calls, mut sends, mut events, mut failed) = (0, 0, 0, 0);
    for seed in first.seed..first.seed.saturating_add(runs) {
        let setup = Setup { seed, ..first };
        let run = run(&setup);
        run.journal.iter().for_each(|it| println!("{it}"));
        calls += run.calls;
        sends += run.sends;
        events += run.events;
        if !run.violations.is_empty() {
            failed += 1;
            println!("seed {seed}: {}\n  {}", run.violations.join("\n  "), setup.command());
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{runs} runs in {seconds:.1} s: {events} events, {calls} calls, {sends} sends; {failed} with a violation"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
