//! P5 and P6: instructions for matching an event against rules and for reading an event, beside crates with the same
//! task. Also compares the matchers' answers.
//! `measure-core [--json]` counts all operations under Callgrind; `--agree <pairs>` compares answers; `--seals
//! <records>` times the verification of an audit; `--once <operation> <rules> <times>` is one run, for a profiler.

mod agree;
mod operations;
mod report;
mod samples;
mod seals;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|argument| argument.parse::<usize>().ok());
    let done = match arguments.first().map(String::as_str) {
        Some("--once") => {
            let operation = arguments.get(1).map_or("", String::as_str);
            operations::run(operation, number(2).unwrap_or(14), number(3).unwrap_or(1)).is_some()
        }
        Some("--agree") => agree::run(number(1).unwrap_or(100_000)),
        Some("--seals") => seals::run(number(1).unwrap_or(1_000_000)),
        Some("--json") => report::print(true),
        None => report::print(false),
        Some(_) => {
            eprintln!(
                "measure-core [--json | --agree [pairs] | --seals [records] | --once <operation> [rules] [times]]"
            );
            return ExitCode::from(2);
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
