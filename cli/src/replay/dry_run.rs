//! The dry run of a replay: counts, reasons and cost.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde_json::{Value, json};

use super::cost::Work;
use super::reader::Selected;
use super::selection::{Consumer, LeftOut, Mode, Selection};
use crate::terminal::{Cell, Ink, Table, Terminal, number, plain, word};
use crate::times::utc;

/// The counts of all selected events.
#[derive(Default)]
pub(super) struct DryRun {
    types: BTreeMap<String, Group>,
    left_out: BTreeMap<LeftOut, usize>,
    /// Events after their `expirytime`, for which dispatch sends no notification.
    expired: usize,
    work: Work,
}

/// The events of a type.
#[derive(Default)]
struct Group {
    count: usize,
    bytes: usize,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    known: usize,
    goes: usize,
}

impl DryRun {
    pub(super) fn add(&mut self, selected: &Selected, selection: &Selection, now: Timestamp) {
        let recorded_at = Some(selected.position.recorded_at);
        let group = self.types.entry(selected.event.kind.clone()).or_default();
        group.count += 1;
        group.bytes += selected.bytes;
        group.first = group.first.min(recorded_at).or(recorded_at);
        group.last = group.last.max(recorded_at);
        group.known += usize::from(selected.is_known);
        group.goes += usize::from(selected.left_out.is_none());
        self.work.over_the_bus = selection.consumer == Consumer::Bus;
        self.work.read_bytes += selected.bytes;
        self.work.ledger_reads += usize::from(selection.needs_ledger());
        match selected.left_out {
            Some(why) => *self.left_out.entry(why).or_default() += 1,
            None => {
                self.work.sent += 1;
                self.work.chunks += Work::chunks_of(selected.bytes);
                self.expired +=
                    usize::from(selected.event.expiry_time.is_some_and(|expiry_time| expiry_time <= now));
            }
        }
    }

    /// The number of selected events.
    pub(super) fn count(&self) -> usize {
        self.types.values().map(|group| group.count).sum()
    }

    fn sum(&self, of: impl Fn(&Group) -> usize) -> usize {
        self.types.values().map(of).sum()
    }

    fn seconds(&self, rate: u32) -> usize {
        self.work.sent.div_ceil(rate as usize)
    }

    pub(super) fn as_json(&self, selection: &Selection, rate: u32) -> Value {
        let types: Vec<Value> = self
            .types
            .iter()
            .map(|(name, group)| {
                json!({
                    "type": name, "events": group.count, "bytes": group.bytes, "first": group.first, "last": group.last,
                    "decided": group.known, "goes": group.goes,
                })
            })
            .collect();
        let left_out: BTreeMap<&str, usize> =
            self.left_out.iter().map(|(why, count)| (why.name(), *count)).collect();
        json!({
            "dryRun": true, "choice": selection, "types": types, "events": self.count(),
            "bytes": self.sum(|group| group.bytes), "decided": self.sum(|group| group.known), "leftOut": left_out,
            "expired": self.expired, "goes": self.work.sent, "seconds": self.seconds(rate),
            "usd": self.work.dollars(),
        })
    }

    /// Prints a line for each type, then the totals, the reasons for leaving events out, and the cost.
    pub(super) fn show(&self, selection: &Selection, rate: u32, terminal: &Terminal) {
        let mut table = Table::new([
            word("TYPE"),
            number("EVENTS"),
            number("SIZE"),
            word("FIRST"),
            word("LAST"),
            number("DECIDED"),
        ]);
        for (name, group) in &self.types {
            let time = |timestamp: Option<Timestamp>| timestamp.map_or_else(String::new, utc);
            let known = if selection.needs_ledger() { group.known.to_string() } else { "-".to_owned() };
            table.row([
                Cell::ink(Ink::Strong, name),
                group.count.to_string().into(),
                size(group.bytes).into(),
                Cell::ink(Ink::Quiet, time(group.first)),
                Cell::ink(Ink::Quiet, time(group.last)),
                known.into(),
            ]);
        }
        terminal.table(&table);
        let bytes = size(self.sum(|group| group.bytes));
        let (from, to) = (utc(selection.from), utc(selection.to));
        terminal.say(&format!("events: {}, {bytes}, recorded from {from} to {to}", self.count()));
        for (why, count) in &self.left_out {
            terminal.say(&format!("left out: {count}, because {}", why.meaning()));
        }
        let goes = self.work.sent;
        if goes == 0 {
            return terminal.say(&terminal.ink(Ink::Strong, "no event would be sent"));
        }
        terminal.say(&terminal.ink(
            Ink::Strong,
            &format!(
                "{goes} would go to {}, in about {} s",
                receiver_name(&selection.consumer),
                self.seconds(rate)
            ),
        ));
        terminal.say(&format!("cost: {}, without that of notifications", dollars(self.work.dollars())));
        if selection.consumer.leads_to_dispatch() {
            terminal.say(effect(selection.mode));
            if self.expired > 0 {
                terminal.say(&format!(
                    "past their own expirytime: {}; no notification is sent for them",
                    self.expired
                ));
            }
            terminal.say("rules with `expires` send no notification for older events");
        }
    }
}

fn effect(mode: Mode) -> &'static str {
    match mode {
        Mode::OnlyMissing => "missing notifications are sent, by the current rules",
        Mode::All => "no notification is sent twice: the keys are the original ones",
        Mode::Force => "NOTIFIED RECIPIENTS ARE NOTIFIED AGAIN",
    }
}

pub(super) fn receiver_name(consumer: &Consumer) -> String {
    match consumer {
        Consumer::Dispatch => "dispatch (its bulk lane)".to_owned(),
        Consumer::Audit => "the audit".to_owned(),
        Consumer::Bus => "the bus, with all its receivers".to_owned(),
        Consumer::Queue(url) => plain(url),
    }
}

fn dollars(amount: f64) -> String {
    if amount < 0.01 { "less than 0.01 USD".to_owned() } else { format!("about {amount:.2} USD") }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KB", bytes.div_ceil(1_024)),
        more => format!("{} MB", more.div_ceil(1_048_576)),
    }
}
