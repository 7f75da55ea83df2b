//! Neighbours of a flooding socket: time that the gateway needs for their frames, with and without a flood.
//! One process of the gateway handles all frames in order, so the flood shares its CPU, memory and connections. API
//! Gateway would start more processes, which could only help the neighbours.

use std::fmt::Write as _;
use std::io;

use serde_json::{Value, json};

use crate::running::{Program, Running};
use crate::samples::Samples;
use crate::stage::Stage;

/// Frames of neighbours in a turn, each from a socket of its own.
const NEIGHBOURS: usize = 300;

/// Frames of flooding sockets before each frame of a neighbour.
const BETWEEN: usize = 10;

/// Frames of one flooding socket: 20 are handled and 99 are refused. The next one would close the socket.
const OF_ONE: usize = 119;

/// Number of turns with a flood and, alternating, without one.
const TURNS: usize = 5;

/// Largest allowed ratio of a neighbour's latency with a flood to that without.
const MAX_RATIO: f64 = 1.2;

/// Latency of the neighbours' frames in milliseconds, as medians over all turns.
pub(crate) struct Flood {
    alone: Times,
    flooded: Times,
    /// Latency of a refused frame of the flood.
    refused_ms: f64,
}

struct Times {
    p50: f64,
    p99: f64,
}

/// # Errors
/// The gateway does not start, or makes an unexpected call.
pub(crate) fn run(program: &Program<'_>, stage: &Stage, samples: &Samples) -> io::Result<Flood> {
    let (mut alone, mut flooded, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        alone.push(turn(program, stage, &frames(samples, 0))?.0);
        let (neighbours, of_flood) = turn(program, stage, &frames(samples, BETWEEN))?;
        flooded.push(neighbours);
        refused.push(of_flood);
    }
    let times = |turns: &[Vec<f64>]| Times { p50: middle(turns, 50), p99: middle(turns, 99) };
    Ok(Flood { alone: times(&alone), flooded: times(&flooded), refused_ms: middle(&refused, 50) })
}

/// Frames in order, each with the flag whether it belongs to a neighbour.
fn frames(samples: &Samples, between: usize) -> Vec<(bool, String)> {
    let neighbours = samples.requests(NEIGHBOURS);
    let floods = samples.requests_named("flood", NEIGHBOURS * between / OF_ONE + 1);
    let mut flood = floods.iter().flat_map(|frame| std::iter::repeat_n(frame, OF_ONE));
    let mut frames = Vec::with_capacity(NEIGHBOURS * (between + 1));
    for neighbour in neighbours {
        frames.extend(flood.by_ref().take(between).map(|frame| (false, frame.clone())));
        frames.push((true, neighbour));
    }
    frames
}

/// Latencies of the neighbours' frames and of the flood's, in milliseconds.
fn turn(program: &Program<'_>, stage: &Stage, frames: &[(bool, String)]) -> io::Result<(Vec<f64>, Vec<f64>)> {
    let mut running = Running::start(program, stage, &[])?;
    running.idle()?;
    let payloads: Vec<String> = frames.iter().map(|(_, frame)| frame.clone()).collect();
    stage.feed(&payloads);
    running.idle()?;
    let times = stage.journal().times;
    if times.len() != frames.len() {
        return Err(io::Error::other(format!("{} of {} frames were answered", times.len(), frames.len())));
    }
    let of = |wanted: bool| -> Vec<f64> {
        // The first frames open the connections.
        let pairs = frames.iter().zip(&times).skip(frames.len() / 10);
        pairs
            .filter(|((neighbour, _), _)| *neighbour == wanted)
            .map(|(_, time)| time.as_secs_f64() * 1e3)
            .collect()
    };
    let found = (of(true), of(false));
    running.end()?;
    Ok(found)
}

/// Median over the turns of a percentile.
fn middle(turns: &[Vec<f64>], percent: usize) -> f64 {
    let mut of_turns: Vec<f64> = turns.iter().map(|turn| percentile(turn, percent)).collect();
    of_turns.sort_by(f64::total_cmp);
    percentile(&of_turns, 50)
}

fn percentile(times: &[f64], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
}

impl Flood {
    pub(crate) fn json(&self) -> Value {
        let times = |times: &Times| json!({ "p50_ms": times.p50, "p99_ms": times.p99 });
        json!({
            "alone": times(&self.alone), "flooded": times(&self.flooded), "refused_p50_ms": self.refused_ms,
            "targets": { "ratio": MAX_RATIO },
        })
    }

    pub(crate) fn table(&self, text: &mut String) {
        let _ = writeln!(text, "\nneighbours of flooding sockets, a frame, ms     p50      p99");
        for (name, times) in
            [("alone", &self.alone), ("with 10 frames of a flood before each", &self.flooded)]
        {
            let _ = writeln!(text, "  {name:<40} {:>8.3} {:>8.3}", times.p50, times.p99);
        }
        let ratio = |flooded: f64, alone: f64| flooded / alone.max(f64::MIN_POSITIVE);
        let _ = writeln!(
            text,
            "  {:<40} {:>7.2}× {:>7.2}×   wanted: ≤ {MAX_RATIO:.1}×; a refused frame: {:.3} ms",
            "ratio",
            ratio(self.flooded.p50, self.alone.p50),
            ratio(self.flooded.p99, self.alone.p99),
            self.refused_ms
        );
    }
}
