//! The figures as a table for people and as JSON for machines, each beside its target.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::contest::Contest;
use crate::flood::Flood;
use crate::measure::{Figures, INVOCATIONS, STARTS, Work};
use crate::relaying::Relaying;
use crate::samples::{BATCH, RECORDS};

/// Largest size of a function in bytes.
pub(crate) const MAX_SIZE_BYTES: u64 = 5_500_000;

/// Instructions from exec to the first poll of the Runtime API.
/// Source: docs/contract/performance.md, P1.
const MAX_INIT_INSTRUCTIONS: u64 = 2_000_000;

/// Instructions per event, in batches of ten.
/// Source: docs/contract/performance.md, P4.
pub(crate) const MAX_EVENT_INSTRUCTIONS: u64 = 60_000;

/// Cost of an event in dispatch: ours, and the peer's.
pub(crate) type Works = Vec<(&'static str, Work)>;

/// All results of one run.
pub(crate) struct Report {
    /// Names and versions of the machine and the tools.
    pub(crate) circumstances: Vec<(&'static str, String)>,
    pub(crate) ours: Vec<Figures>,
    /// Figures of the same functions on the SDK's default client.
    pub(crate) peers: Vec<Figures>,
    pub(crate) works: Works,
    /// dispatch's plain job beside Powertools for Python.
    pub(crate) contest: Option<Contest>,
    /// Delay of the outbox beside that of a poller.
    pub(crate) relaying: Option<Relaying>,
    /// Latency of a flooding socket's neighbours in the gateway.
    pub(crate) flood: Option<Flood>,
    /// Notes printed with the figures.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// Functions that exceed the size limit.
    pub(crate) fn oversized(&self) -> impl Iterator<Item = &Figures> {
        self.ours.iter().filter(|our| our.size_bytes > MAX_SIZE_BYTES)
    }

    /// JSON for machines: plain units, rounded to milliseconds only.
    pub(crate) fn json(&self) -> Value {
        let figures = |all: &[Figures]| -> Value {
            all.iter().map(|item| (item.name.clone(), figures_json(item))).collect()
        };
        let works = self.works.iter().map(|(whose, item)| ((*whose).to_owned(), work_json(item)));
        json!({
            "circumstances": self.circumstances.iter().map(|(name, item)| ((*name).to_owned(), json!(item))).collect::<Value>(),
            "targets": {
                "size_bytes": MAX_SIZE_BYTES,
                "init_instructions": MAX_INIT_INSTRUCTIONS,
                "event_instructions": MAX_EVENT_INSTRUCTIONS,
            },
            "functions": figures(&self.ours),
            "default_client": figures(&self.peers),
            "dispatch": works.collect::<Value>(),
            "outbox": self.relaying.as_ref().map(Relaying::json),
            "flood": self.flood.as_ref().map(Flood::json),
            "plain_job": self.contest.as_ref().map(Contest::json),
            "notes": self.notes,
        })
    }

    /// Table for people. `!` marks a figure over its target.
    pub(crate) fn table(&self) -> String {
        let circumstances: Vec<String> =
            self.circumstances.iter().map(|(name, item)| format!("{name} {item}")).collect();
        let mut text = format!("{}\n\n", circumstances.join(" · "));
        let whole = self.ours.iter().any(|our| our.start.is_some());
        line(
            &mut text,
            [
                "",
                "size, MB",
                "init, M instr.",
                "init, ms",
                "(least)",
                "memory, MB",
                "later, MB",
                "message, k",
                "AWS calls",
            ],
            whole,
        );
        for our in &self.ours {
            figures_line(&mut text, our, None, whole);
        }
        let target = |item: u64, unit: f64| format!("≤ {:.2}", scaled(item, unit));
        let (size, init) = (target(MAX_SIZE_BYTES, 1e6), target(MAX_INIT_INSTRUCTIONS, 1e6));
        line(&mut text, ["target", &size, &init, "", "", "", "", "", ""], whole);
        if !self.peers.is_empty() {
            text.push_str("\nthe same on the SDK's default client, and how many times ours that is\n");
        }
        for peer in &self.peers {
            figures_line(&mut text, peer, self.ours.iter().find(|ours| ours.name == peer.name), whole);
        }
        if whole {
            let _ = write!(
                text,
                "\ninit: from exec to the first poll of the Runtime API; ms: median of {STARTS} starts on this machine\n\
                 memory: the most that was resident at the first poll, and after {INVOCATIONS} invocations\n\
                 message: thousand instructions for one more message, warm, in batches of {BATCH} (relay {RECORDS}); for one more\n\
                 request (api, gateway), for one more run (seal: a minute with 80 records; sweep: nothing to do)\n"
            );
            self.calls_table(&mut text);
        }
        self.works_table(&mut text);
        if let Some(relaying) = &self.relaying {
            relaying.table(&mut text);
        }
        if let Some(flood) = &self.flood {
            flood.table(&mut text);
        }
        if let Some(contest) = &self.contest {
            text.push_str(&contest.table());
        }
        for note in &self.notes {
            let _ = write!(text, "\nnote: {note}\n");
        }
        text
    }

    fn calls_table(&self, text: &mut String) {
        text.push_str("\nAWS calls for each of these\n");
        for our in self.ours.iter().filter(|our| !our.message_calls.is_empty()) {
            let each: Vec<String> =
                our.message_calls.iter().map(|(name, count)| format!("{name} {count:.2}")).collect();
            let _ = writeln!(text, "  {:<12}{:>6.2}  {}", our.name, calls(our), each.join(", "));
        }
    }

    fn works_table(&self, text: &mut String) {
        if self.works.is_empty() {
            return;
        }
        let _ =
            writeln!(text, "\ndispatch, warm, in batches of {BATCH}, every sample equally often; per event");
        for (whose, work) in &self.works {
            if let Some(item) = &work.counted {
                let mark = over(item.event_instructions, MAX_EVENT_INSTRUCTIONS);
                let k = [item.event_instructions, item.unasked_instructions].map(|item| scaled(item, 1e3));
                let _ = writeln!(
                    text,
                    "  {whose:<16}{:>8.1} k instr.{mark}, {:.1} k when no rule asks for it",
                    k[0], k[1]
                );
            }
            let _ = writeln!(text, "  {whose:<16}{:>8.1} µs on the processor", work.warm.event_cpu_us);
        }
        let _ = writeln!(text, "  {:<16}≤ {:>6.1} k instr.", "target", scaled(MAX_EVENT_INSTRUCTIONS, 1e3));
        if let Some((_, work)) = self.works.first() {
            let calls: f64 = work.warm.calls.values().sum();
            let each: Vec<String> =
                work.warm.calls.iter().map(|(name, item)| format!("{name} {item:.1}")).collect();
            let (jobs, kb) = (work.warm.jobs, work.warm.job_bytes / 1e3);
            let _ = writeln!(
                text,
                "  {:<16}{jobs:>8.1} jobs of {kb:.1} kB; {calls:.1} AWS calls per batch: {}",
                "ours",
                each.join(", ")
            );
        }
    }
}

fn figures_line(text: &mut String, figures: &Figures, ours: Option<&Figures>, whole: bool) {
    let times = |figure: Option<f64>, ours: Option<f64>| match (figure, ours) {
        (Some(figure), Some(ours)) if ours > 0.0 => format!(" {:.1}×", figure / ours),
        _ => String::new(),
    };
    let size_of = |figures: &Figures| scaled(figures.size_bytes, 1e6);
    let init_of = |figures: &Figures| {
        figures.start.as_ref().and_then(|start| start.instructions).map(|number| scaled(number, 1e6))
    };
    let is_peer = ours.is_some();
    let mark = |figure: u64, target: u64| if is_peer { "" } else { over(figure, target) };
    let size = format!(
        "{:.2}{}{}",
        size_of(figures),
        mark(figures.size_bytes, MAX_SIZE_BYTES),
        times(Some(size_of(figures)), ours.map(size_of))
    );
    let instructions = figures.start.as_ref().and_then(|start| start.instructions).unwrap_or(0);
    let init = match init_of(figures) {
        Some(m) => {
            format!(
                "{m:.2}{}{}",
                mark(instructions, MAX_INIT_INSTRUCTIONS),
                times(Some(m), ours.and_then(init_of))
            )
        }
        None => "-".to_owned(),
    };
    let ms = |pick: fn(&crate::measure::Start) -> f64| {
        figures.start.as_ref().map_or("-".into(), |start| format!("{:.2}", pick(start)))
    };
    let mb = |bytes: Option<u64>| bytes.map_or("-".into(), |bytes| format!("{:.1}", scaled(bytes, 1e6)));
    let (median, least) = (ms(|start| start.median_ms), ms(|start| start.least_ms));
    let first = mb(figures.start.as_ref().map(|start| start.first_poll_bytes));
    let later = mb(figures.start.as_ref().and_then(|start| start.after_bytes));
    let message =
        figures.message_instructions.map_or("-".into(), |count| format!("{:.0}", scaled(count, 1e3)));
    let called = if figures.message_calls.is_empty() { "-".into() } else { format!("{:.2}", calls(figures)) };
    line(text, [&figures.name, &size, &init, &median, &least, &first, &later, &message, &called], whole);
}

fn calls(item: &Figures) -> f64 {
    item.message_calls.values().sum()
}

/// One line of the table; only its first two columns when the function was not started.
fn line(text: &mut String, columns: [&str; 9], whole: bool) {
    let [name, size, init, median, least, first, later, message, calls] = columns;
    let _ = write!(text, "  {name:<12}{size:>13}");
    if whole {
        let _ =
            write!(text, "{init:>17}{median:>10}{least:>9}{first:>12}{later:>11}{message:>12}{calls:>11}");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}

fn figures_json(figures: &Figures) -> Value {
    let mut json = json!({ "size_bytes": figures.size_bytes });
    if let Some(start) = &figures.start {
        json["init_instructions"] = json!(start.instructions);
        json["init_median_ms"] = json!(rounded(start.median_ms));
        json["init_least_ms"] = json!(rounded(start.least_ms));
        json["memory_first_poll_bytes"] = json!(start.first_poll_bytes);
        json["memory_later_bytes"] = json!(start.after_bytes);
        json["message_instructions"] = json!(figures.message_instructions);
        json["message_calls"] = json!(figures.message_calls);
    }
    json
}

fn work_json(work: &Work) -> Value {
    json!({
        "event_instructions": work.counted.as_ref().map(|counted| counted.event_instructions),
        "unasked_event_instructions": work.counted.as_ref().map(|counted| counted.unasked_instructions),
        "event_cpu_us": rounded(work.warm.event_cpu_us),
        "jobs_per_event": work.warm.jobs,
        "job_bytes": rounded(work.warm.job_bytes),
        "calls_per_batch": work.warm.calls,
    })
}

pub(crate) fn over(figure: u64, target: u64) -> &'static str {
    if figure > target { "!" } else { "" }
}

pub(crate) fn rounded(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "figures with three or four digits")]
pub(crate) fn scaled(figure: u64, unit: f64) -> f64 {
    figure as f64 / unit
}
