//! P4 beside its peer: the plain job in our dispatch and in a function written with Powertools for Python. They run in
//! turns, against the same Runtime API and the same cloud.
//! The plain job: ten events a batch, 14 rules of which one matches, one recipient whose preferences are looked up, one
//! short text, and one SendMessageBatch. benches/powertools has the rules and the peer.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::measure::{self, Start, Warm};
use crate::report::{MAX_EVENT_INSTRUCTIONS, over, rounded, scaled};
use crate::running::Program;
use crate::samples::{BATCH, Samples};
use crate::stage::Stage;

/// Number of turns of each entrant.
const TURNS: usize = 5;

/// Number of batches measured in a turn, after the same number for warm-up.
const BATCHES: usize = 150;

/// Number of batches for the instruction count. The second half is counted.
const COUNTED: usize = 80;

/// Least ratio of Powertools' CPU time to ours.
/// Source: docs/contract/performance.md, P4.
const LEAST_CPU_RATIO: f64 = 40.0;

/// Results of all entrants for the plain job. Ours is the first.
pub(crate) struct Contest {
    pub(crate) entrants: Vec<Entrant>,
}

pub(crate) struct Entrant {
    name: &'static str,
    start: Start,
    /// Median of all turns, minimum and maximum.
    event_cpu_us: [f64; 3],
    /// Instructions per event, for ours only: an interpreter's count is not comparable.
    event_instructions: Option<u64>,
    batch_calls: f64,
}

/// Runs the contest. `None` when the rules were not compiled.
///
/// # Errors
/// An entrant does not start, or makes an unexpected call.
pub(crate) fn run(
    functions: &[String],
    stage: &Stage,
    valgrind: Option<&str>,
    root: &Path,
) -> io::Result<Option<Contest>> {
    let folder = root.join("target/bench/plain");
    if !folder.join("catalog.json").is_file() {
        return Ok(None);
    }
    let ours = root.join("target/release/dispatch");
    let python = root.join(".local/powertools/bin/python");
    let ours = Program { file: &ours, arguments: &[], folder: &folder, functions, variables: Vec::new() };
    let source = root.join("benches/powertools").to_string_lossy().into_owned();
    let variables = vec![("PYTHONPATH", source), ("PYTHONDONTWRITEBYTECODE", "1".to_owned())];
    let arguments = &["-m", "awslambdaric", "handler.lambda_handler"];
    let whole = Program { file: &python, arguments, folder: &folder, functions, variables };
    let mut forgetful = whole.clone();
    forgetful.variables.push(("POWERTOOLS_IDEMPOTENCY_DISABLED", "true".to_owned()));
    let mut programs = vec![("ours", ours)];
    if python.is_file() {
        programs.push(("Powertools: batch, idempotency", whole));
        programs.push(("Powertools: batch alone", forgetful));
    }
    let payloads = Samples::plain(&PEOPLE, BATCHES);
    let mut turns: Vec<Vec<Warm>> = programs.iter().map(|_| Vec::new()).collect();
    for turn in 1..=TURNS {
        eprintln!("bench: the plain job, turn {turn} of {TURNS} …");
        for ((name, program), turns) in programs.iter().zip(&mut turns) {
            let told = |error: io::Error| io::Error::other(format!("{name}: {error}"));
            turns.push(one_job_an_event(measure::warm(program, stage, &payloads).map_err(told)?)?);
        }
    }
    let mut entrants = Vec::new();
    for ((name, program), turns) in programs.iter().zip(turns) {
        eprintln!("bench: the plain job, {name}: {} starts …", measure::STARTS);
        let is_ours = entrants.is_empty();
        let (start, _) = measure::start(program, stage, valgrind.filter(|_| is_ours), &payloads[..BATCHES])?;
        let event_instructions = match valgrind.filter(|_| is_ours) {
            Some(valgrind) => {
                Some(measure::difference(program, stage, valgrind, &Samples::plain(&PEOPLE, COUNTED), BATCH)?)
            }
            None => None,
        };
        let batch_calls = turns.last().map_or(0.0, |item| item.calls.values().sum());
        entrants.push(Entrant { name, start, event_cpu_us: spread(&turns), event_instructions, batch_calls });
    }
    Ok(Some(Contest { entrants }))
}

/// Recipients of the plain events, from the packs.
const PEOPLE: [&str; 5] = ["patient-lena", "patient-tomas", "clinician-noor", "owner-sam", "nurse-felix"];

/// Refuses the result of an entrant that did not create exactly one job per event.
fn one_job_an_event(warm: Warm) -> io::Result<Warm> {
    match (warm.jobs - 1.0).abs() < f64::EPSILON {
        true => Ok(warm),
        false => Err(io::Error::other(format!("{} jobs an event, wanted one", warm.jobs))),
    }
}

fn spread(turns: &[Warm]) -> [f64; 3] {
    let mut all: Vec<f64> = turns.iter().map(|turn| turn.event_cpu_us).collect();
    all.sort_by(f64::total_cmp);
    [all.get(all.len() / 2), all.first(), all.last()].map(|item| item.copied().unwrap_or_default())
}

impl Contest {
    /// Ratios of an entrant's CPU time per event and start-up time to ours.
    fn times_ours(&self, entrant: &Entrant) -> (f64, f64) {
        let ours = &self.entrants[0];
        (entrant.event_cpu_us[0] / ours.event_cpu_us[0], entrant.start.median_ms / ours.start.median_ms)
    }

    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "\nthe plain job in batches of {BATCH}: 14 rules, one matches, one recipient, one short text; per event,\n\
             the median of {TURNS} turns of {} events after as many, and how many times ours that is\n",
            BATCHES * BATCH
        );
        for entrant in &self.entrants {
            let ([median, least, most], (times, start_times)) =
                (entrant.event_cpu_us, self.times_ours(entrant));
            let mb = scaled(entrant.start.after_bytes.unwrap_or(entrant.start.first_poll_bytes), 1e6);
            let _ = writeln!(
                text,
                "  {:<32}{median:>8.1} µs ({least:.1} to {most:.1}) {times:>6.1}× · start {:.1} ms {start_times:.0}× · \
                 {mb:.1} MB · {:.1} AWS calls per batch",
                entrant.name, entrant.start.median_ms, entrant.batch_calls
            );
            if let Some(count) = entrant.event_instructions {
                let mark = over(count, MAX_EVENT_INSTRUCTIONS);
                let _ = writeln!(text, "  {:<32}{:>8.1} k instr.{mark}", entrant.name, scaled(count, 1e3));
            }
        }
        let _ = writeln!(
            text,
            "  {:<32}≤ {:>6.1} k instr.; Powertools ≥ {LEAST_CPU_RATIO}× the time",
            "target",
            scaled(MAX_EVENT_INSTRUCTIONS, 1e3)
        );
        text
    }

    pub(crate) fn json(&self) -> Value {
        let entrant = |entrant: &Entrant| {
            let (times, start_times) = self.times_ours(entrant);
            json!({
                "name": entrant.name,
                "event_cpu_us": entrant.event_cpu_us.map(rounded),
                "event_cpu_times_ours": rounded(times),
                "event_instructions": entrant.event_instructions,
                "init_median_ms": rounded(entrant.start.median_ms),
                "init_times_ours": rounded(start_times),
                "memory_first_poll_bytes": entrant.start.first_poll_bytes,
                "memory_later_bytes": entrant.start.after_bytes,
                "calls_per_batch": rounded(entrant.batch_calls),
            })
        };
        json!({
            "targets": { "event_instructions": MAX_EVENT_INSTRUCTIONS, "event_cpu_times_ours": LEAST_CPU_RATIO },
            "entrants": self.entrants.iter().map(entrant).collect::<Vec<_>>(),
        })
    }
}
