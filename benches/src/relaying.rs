//! P9: delay from a producer's commit to the bus. A stub of the table's stream is polled four times a second, as Lambda
//! polls the real one. In the same run a poller looks for committed entries every five seconds.
//! Both pass their entries to the real relay, so they differ only in polling.

use std::fmt::Write as _;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::running::{Program, Running};
use crate::samples;
use crate::stage::Stage;

/// Interval of Lambda's stream polls, and of the poller.
/// Source: docs/contract/performance.md, P9.
const STREAM: Duration = Duration::from_millis(250);
const POLLER: Duration = Duration::from_secs(5);

/// Duration of the commits, and their number.
const COMMITS_FOR: Duration = Duration::from_secs(20);
const COMMITS: u32 = 400;

/// Targets: the 99th percentile with polls of 250 ms, and the relay's own share of it.
const MAX_P99_MS: f64 = 300.0;
const MAX_SHARE_MS: f64 = 5.0;

/// Delays from commit to bus, and the calls during an idle time.
pub(crate) struct Relaying {
    stream: Delays,
    poller: Delays,
    /// AWS calls per second without commits.
    idle_calls: u64,
}

/// Percentiles in milliseconds.
struct Delays {
    p50: f64,
    p99: f64,
    /// Time from the invocation to the bus: the relay's own share.
    share_p99: f64,
}

/// # Errors
/// The relay does not start, or loses an event.
pub(crate) fn run(program: &Program<'_>, stage: &Stage) -> io::Result<Relaying> {
    let mut running = Running::start(program, stage, &[])?;
    running.idle()?;
    // Warm-up: the first call opens the connection.
    stage.feed(&[samples::records(&["warm".to_owned()])]);
    running.idle()?;
    let stream = commit_to_bus(stage, &mut running, STREAM, "s")?;
    let before = stage.journal().calls.values().sum::<u64>();
    sleep(Duration::from_secs(1));
    let idle_calls = stage.journal().calls.values().sum::<u64>() - before;
    let poller = commit_to_bus(stage, &mut running, POLLER, "p")?;
    Ok(Relaying { stream, poller, idle_calls })
}

#[expect(clippy::disallowed_methods, reason = "the time that is measured")]
fn commit_to_bus(stage: &Stage, running: &mut Running<'_>, look: Duration, mark: &str) -> io::Result<Delays> {
    let began = Instant::now();
    // Commits are spread unevenly, and equally for both.
    let commits: Vec<(Instant, String)> = (0..COMMITS)
        .map(|n| {
            let uneven = COMMITS_FOR.as_micros() as u64 * u64::from(n) / u64::from(COMMITS)
                + u64::from(n * 7_919 % 40_000);
            (began + Duration::from_micros(uneven), format!("{mark}-{n}"))
        })
        .collect();
    let mut handed: Vec<(Instant, Instant, String)> = Vec::with_capacity(commits.len());
    let mut open = commits.as_slice();
    let mut next_look = began + look;
    while !open.is_empty() {
        sleep(next_look.saturating_duration_since(Instant::now()));
        next_look += look;
        let now = Instant::now();
        let new = open.iter().take_while(|(at, _)| *at <= now).count();
        let (found, rest) = open.split_at(new);
        open = rest;
        for some in found.chunks(100) {
            let ids: Vec<String> = some.iter().map(|(_, id)| id.clone()).collect();
            handed.extend(some.iter().map(|(at, id)| (*at, now, id.clone())));
            stage.feed(&[samples::records(&ids)]);
        }
    }
    running.idle()?;
    let arrivals = stage.journal().arrivals;
    let mut delays = Vec::with_capacity(handed.len());
    let mut shares = Vec::with_capacity(handed.len());
    for (committed, handed_at, id) in handed {
        let lost = || io::Error::other(format!("the relay lost {id}"));
        let arrived = arrivals.get(&id).ok_or_else(lost)?;
        delays.push(arrived.duration_since(committed).as_secs_f64() * 1_000.0);
        shares.push(arrived.duration_since(handed_at).as_secs_f64() * 1_000.0);
    }
    delays.sort_by(f64::total_cmp);
    shares.sort_by(f64::total_cmp);
    Ok(Delays { p50: at(&delays, 50), p99: at(&delays, 99), share_p99: at(&shares, 99) })
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

impl Relaying {
    pub(crate) fn json(&self) -> Value {
        let delays = |delays: &Delays| json!({ "p50_ms": delays.p50, "p99_ms": delays.p99, "relay_p99_ms": delays.share_p99 });
        json!({
            "stream_250_ms": delays(&self.stream), "poller_5_s": delays(&self.poller), "idle_calls": self.idle_calls,
            "targets": { "p99_ms": MAX_P99_MS, "relay_p99_ms": MAX_SHARE_MS },
        })
    }

    pub(crate) fn table(&self, text: &mut String) {
        let _ = writeln!(text, "\nfrom commit to bus, ms        p50      p99   relay's own p99");
        for (name, item) in
            [("stream, asked every 250 ms", &self.stream), ("poller, every 5 s", &self.poller)]
        {
            let _ = writeln!(text, "{name:<26} {:>6.1} {:>8.1} {:>17.1}", item.p50, item.p99, item.share_p99);
        }
        let ratio = self.poller.p99 / self.stream.p99.max(f64::MIN_POSITIVE);
        let _ = writeln!(
            text,
            "p99 wanted: {MAX_P99_MS:.0} ms, {MAX_SHARE_MS:.0} of them the relay's; the poller's is {ratio:.1} times that; calls in an idle second: {}",
            self.idle_calls
        );
    }
}
