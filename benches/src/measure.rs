//! Measurements of docs/contract/performance.md: P1 (init), P3 (size, memory), P4 (dispatch, per event), and the cost of a message in
//! the other functions.
//! Callgrind counts instructions. The cost of one more event is the difference of two runs of different length.
//! Milliseconds are specific to this machine and are meant as ratios.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;
use std::{fs, io};

use crate::running::{Program, Running};
use crate::samples::{BATCH, Samples};
use crate::stage::{Journal, Stage};

/// Number of starts for the median.
pub(crate) const STARTS: usize = 21;

/// Number of invocations before memory is read a second time.
pub(crate) const INVOCATIONS: usize = 200;

/// Time for a process that has asked for work to become idle.
const TO_SLEEP: Duration = Duration::from_millis(200);

/// Figures of one program.
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    pub(crate) start: Option<Start>,
    /// Warm instructions per additional message, request or run. `None` without Valgrind, for dispatch, which has its
    /// own table, and for a peer.
    pub(crate) message_instructions: Option<u64>,
    /// AWS calls by operation. Empty for dispatch and for a peer.
    pub(crate) message_calls: BTreeMap<String, f64>,
}

/// Figures of a start, from exec to the first poll of the Runtime API, and memory then and later.
pub(crate) struct Start {
    /// `None` without Valgrind.
    pub(crate) instructions: Option<u64>,
    pub(crate) median_ms: f64,
    pub(crate) least_ms: f64,
    pub(crate) first_poll_bytes: u64,
    /// `None` when there was no payload.
    pub(crate) after_bytes: Option<u64>,
}

/// Cost of an event in dispatch, warm, in batches of ten.
pub(crate) struct Work {
    pub(crate) counted: Option<Counted>,
    pub(crate) warm: Warm,
}

/// Figures of the second of two equal loads.
pub(crate) struct Warm {
    /// CPU time per event, including the kernel's share.
    pub(crate) event_cpu_us: f64,
    /// Jobs per event, and their length.
    pub(crate) jobs: f64,
    pub(crate) job_bytes: f64,
    /// Calls of each operation per batch.
    pub(crate) calls: BTreeMap<String, f64>,
}

/// Instruction counts of Valgrind.
pub(crate) struct Counted {
    pub(crate) event_instructions: u64,
    /// Instructions for an event that matches no rule: reading it and recording that it has no recipients.
    pub(crate) unasked_instructions: u64,
}

/// # Errors
/// The program was not built.
pub(crate) fn size(file: &Path) -> io::Result<u64> {
    let told = |error| io::Error::other(format!("{}: {error}", file.display()));
    Ok(fs::metadata(file).map_err(told)?.len())
}

/// Starts a program [`STARTS`] times, once more to give it `payloads`, and once under `valgrind`. Also returns the
/// record of its calls for the payloads.
///
/// # Errors
/// The program does not start, or makes an unexpected call.
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

/// Cost of one more event in dispatch once it is warm.
///
/// # Errors
/// The program does not start, or makes an unexpected call.
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

/// Gives a program the same batches twice and measures the second time.
///
/// # Errors
/// The program does not start, or makes an unexpected call.
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

/// Calls of a program per message.
pub(crate) fn calls(journal: &Journal, messages: usize) -> BTreeMap<String, f64> {
    journal.calls.iter().map(|(operation, count)| (operation.clone(), ratio(*count, messages))).collect()
}

/// Instructions per message in the second half of these payloads, each of which has `messages`.
///
/// # Errors
/// The program does not start, or makes an unexpected call.
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

/// Instructions from exec until all payloads are handled and the program asks for the next one.
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
