//! The measures of performance.md: P1 (init), P3 (size, memory), P4 (dispatch, per event), and what a message costs the
//! other functions.
//!
//! Work is counted in instructions, by Callgrind; what one more event costs is the difference of two runs of different
//! length. Milliseconds are those of this machine and are to be read as ratios.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;
use std::{fs, io};

use crate::running::{Program, Running};
use crate::samples::{BATCH, Samples};
use crate::stage::{Journal, Stage};

/// How many starts the median is taken of.
pub(crate) const STARTS: usize = 21;

/// How many invocations come before memory is read a second time.
pub(crate) const INVOCATIONS: usize = 200;

/// A process that has asked for work still has to fall asleep.
const TO_SLEEP: Duration = Duration::from_millis(200);

/// The figures of one program.
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    pub(crate) start: Option<Start>,
    /// What one more message, request or run costs once it is warm. `None` without Valgrind, for dispatch, which has a
    /// table of its own, and for a peer.
    pub(crate) message_instructions: Option<u64>,
    /// Its calls of AWS, by operation; none for dispatch and for a peer.
    pub(crate) message_calls: BTreeMap<String, f64>,
}

/// From exec to the first poll of the Runtime API, and what it holds then and later.
pub(crate) struct Start {
    /// `None` without Valgrind.
    pub(crate) instructions: Option<u64>,
    pub(crate) median_ms: f64,
    pub(crate) least_ms: f64,
    pub(crate) first_poll_bytes: u64,
    /// `None` when nobody made work for it.
    pub(crate) after_bytes: Option<u64>,
}

/// What an event costs dispatch, warm, in batches of ten.
pub(crate) struct Work {
    pub(crate) counted: Option<Counted>,
    pub(crate) warm: Warm,
}

/// What a program does with the second of two equal loads.
pub(crate) struct Warm {
    /// Time on the processor for an event, the kernel's share included.
    pub(crate) event_cpu_us: f64,
    /// Jobs that one event leads to, and their length.
    pub(crate) jobs: f64,
    pub(crate) job_bytes: f64,
    /// Calls of each operation per batch.
    pub(crate) calls: BTreeMap<String, f64>,
}

/// What Valgrind counted.
pub(crate) struct Counted {
    pub(crate) event_instructions: u64,
    /// The same for an event that no rule asks for: reading it, and writing down that nobody is told.
    pub(crate) unasked_instructions: u64,
}

/// # Errors
/// The program was not built.
pub(crate) fn size(file: &Path) -> io::Result<u64> {
    let told = |error| io::Error::other(format!("{}: {error}", file.display()));
    Ok(fs::metadata(file).map_err(told)?.len())
}

/// Starts a program [`STARTS`] times, once more to give it `payloads`, and once under `valgrind`. Returns what it did
/// with the payloads, too.
///
/// # Errors
/// It does not start, or does what it should not.
pub(crate) fn start(
    program: &Program<'_>,
    stage: &Stage,
    valgrind: Option<&str>,
    payloads: &[String],
) -> io::Result<(Start, Journal)> {
    let mut starts_ms = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let mut running = Running::start(program, stage, &[])?;
        starts_ms.push(running.idle()?.duration_since(running.since).as_secs_f64() * 1_000.0);
    }
    starts_ms.sort_by(f64::total_cmp);

    let mut running = Running::start(program, stage, &[])?;
    running.idle()?;
    sleep(TO_SLEEP);
    let first_poll_bytes = running.peak_bytes()?;
    let mut after_bytes = None;
    if !payloads.is_empty() {
        stage.feed(payloads);
        running.idle()?;
        after_bytes = Some(running.peak_bytes()?);
    }
    let journal = stage.journal();
    drop(running);

    let instructions = match valgrind {
        Some(valgrind) => Some(instructions(program, stage, valgrind, &[])?),
        None => None,
    };
    let (median_ms, least_ms) = (starts_ms[STARTS / 2], starts_ms[0]);
    Ok((Start { instructions, median_ms, least_ms, first_poll_bytes, after_bytes }, journal))
}

/// What one more event costs dispatch once it is warm.
///
/// # Errors
/// It does not start, or does what it should not.
pub(crate) fn work(
    program: &Program<'_>,
    stage: &Stage,
    valgrind: Option<&str>,
    samples: &Samples,
) -> io::Result<Work> {
    let count = samples.count();
    let rounds = INVOCATIONS.div_ceil(count);
    let warm = warm(program, stage, &samples.batches(rounds * count))?;
    let counted = match valgrind {
        Some(valgrind) => Some(Counted {
            event_instructions: difference(program, stage, valgrind, &samples.batches(2 * count), BATCH)?,
            unasked_instructions: difference(program, stage, valgrind, &Samples::unasked(2 * count), BATCH)?,
        }),
        None => None,
    };
    Ok(Work { counted, warm })
}

/// Gives a program the same batches twice, and measures the second time.
///
/// # Errors
/// It does not start, or does what it should not.
pub(crate) fn warm(program: &Program<'_>, stage: &Stage, payloads: &[String]) -> io::Result<Warm> {
    let mut running = Running::start(program, stage, &[])?;
    stage.feed(payloads);
    running.idle()?;
    let (earlier, cpu_earlier) = (stage.journal(), running.cpu_ns()?);
    stage.feed(payloads);
    running.idle()?;
    let (journal, cpu) = (stage.journal(), running.cpu_ns()?);
    drop(running);

    let events = payloads.len() * BATCH;
    let jobs = journal.jobs().saturating_sub(earlier.jobs());
    let job_bytes = journal.job_bytes().saturating_sub(earlier.job_bytes());
    let calls = journal.calls.iter().map(|(operation, count)| {
        let before = earlier.calls.get(operation).unwrap_or(&0);
        (operation.clone(), ratio(count.saturating_sub(*before), payloads.len()))
    });
    Ok(Warm {
        event_cpu_us: ratio(cpu.saturating_sub(cpu_earlier), events) / 1_000.0,
        jobs: ratio(jobs, events),
        job_bytes: ratio(job_bytes, usize::try_from(jobs).unwrap_or(1)),
        calls: calls.collect(),
    })
}

/// What a program called for each of so many messages.
pub(crate) fn calls(journal: &Journal, messages: usize) -> BTreeMap<String, f64> {
    journal.calls.iter().map(|(operation, count)| (operation.clone(), ratio(*count, messages))).collect()
}

/// What a message of the second half of these payloads costs, of which each has `messages`.
///
/// # Errors
/// It does not start, or does what it should not.
pub(crate) fn difference(
    program: &Program<'_>,
    stage: &Stage,
    valgrind: &str,
    payloads: &[String],
    messages: usize,
) -> io::Result<u64> {
    let half = payloads.len() / 2;
    let short = instructions(program, stage, valgrind, &payloads[..half])?;
    let long = instructions(program, stage, valgrind, payloads)?;
    let messages = u64::try_from((payloads.len() - half) * messages).unwrap_or(1);
    Ok(long.saturating_sub(short) / messages.max(1))
}

/// The instructions from exec until all payloads are handled and the next one is asked for.
fn instructions(
    program: &Program<'_>,
    stage: &Stage,
    valgrind: &str,
    payloads: &[String],
) -> io::Result<u64> {
    let out = program.folder.join("callgrind.out");
    let options = ["--tool=callgrind".to_owned(), format!("--callgrind-out-file={}", out.display())];
    let wrapper: Vec<String> = [valgrind.to_owned()].into_iter().chain(options).collect();
    let mut running = Running::start(program, stage, &wrapper)?;
    if !payloads.is_empty() {
        stage.feed(payloads);
    }
    running.idle()?;
    sleep(TO_SLEEP);
    running.end()?;
    let text = fs::read_to_string(&out)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok());
    total.ok_or_else(|| io::Error::other(format!("no totals in {}", out.display())))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(part: u64, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
