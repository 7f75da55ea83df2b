//! What a replay would do: counted, and told to a person or a machine.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde_json::{Value, json};

use super::choice::{Choice, Consumer, LeftOut, Mode};
use super::price::Work;
use super::reader::Seen;
use crate::terminal::{Ink, Terminal, plain};
use crate::times::utc;

/// What was counted of all chosen events.
#[derive(Default)]
pub(super) struct Survey {
    types: BTreeMap<String, Group>,
    left_out: BTreeMap<LeftOut, usize>,
    /// Whose own `expirytime` is over: dispatch tells nobody of them.
    expired: usize,
    work: Work,
}

/// Events of one type.
#[derive(Default)]
struct Group {
    count: usize,
    bytes: usize,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    known: usize,
    goes: usize,
}

impl Survey {
    pub(super) fn add(&mut self, it: &Seen, choice: &Choice, now: Timestamp) {
        let at = Some(it.place.recorded_at);
        let group = self.types.entry(it.event.kind.clone()).or_default();
        group.count += 1;
        group.bytes += it.bytes;
        group.first = group.first.min(at).or(at);
        group.last = group.last.max(at);
        group.known += usize::from(it.is_known);
        group.goes += usize::from(it.left_out.is_none());
        self.work.over_the_bus = choice.consumer == Consumer::Bus;
        self.work.read_bytes += it.bytes;
        self.work.looks += usize::from(choice.asks_the_ledger());
        match it.left_out {
            Some(why) => *self.left_out.entry(why).or_default() += 1,
            None => {
                self.work.sent += 1;
                self.work.chunks += Work::chunks_of(it.bytes);
                self.expired +=
                    usize::from(it.event.expiry_time.is_some_and(|expiry_time| expiry_time <= now));
            }
        }
    }

    /// How many events were chosen.
    pub(super) fn count(&self) -> usize {
        self.types.values().map(|it| it.count).sum()
    }

    fn sum(&self, of: impl Fn(&Group) -> usize) -> usize {
        self.types.values().map(of).sum()
    }

    fn seconds(&self, rate: u32) -> usize {
        self.work.sent.div_ceil(rate as usize)
    }

    pub(super) fn as_json(&self, choice: &Choice, rate: u32) -> Value {
        let types: Vec<Value> = self
            .types
            .iter()
            .map(|(name, it)| {
                json!({
                    "type": name, "events": it.count, "bytes": it.bytes, "first": it.first, "last": it.last,
                    "decided": it.known, "goes": it.goes,
                })
            })
            .collect();
        let left_out: BTreeMap<&str, usize> =
            self.left_out.iter().map(|(why, count)| (why.name(), *count)).collect();
        json!({
            "dryRun": true, "choice": choice, "types": types, "events": self.count(),
            "bytes": self.sum(|it| it.bytes), "decided": self.sum(|it| it.known), "leftOut": left_out,
            "expired": self.expired, "goes": self.work.sent, "seconds": self.seconds(rate),
            "usd": self.work.dollars(),
        })
    }

    /// One line a type, then what would be done, why not all of it, and what it costs.
    pub(super) fn show(&self, choice: &Choice, rate: u32, terminal: &Terminal) {
        for (name, it) in &self.types {
            let time = |timestamp: Option<Timestamp>| timestamp.map_or_else(String::new, utc);
            let known =
                if choice.asks_the_ledger() { format!("  {} decided", it.known) } else { String::new() };
            terminal.say(&format!(
                "{}  {:>7}  {:>9}  {}{known}",
                terminal.ink(Ink::Strong, &format!("{name:<32}")),
                it.count,
                weight(it.bytes),
                terminal.ink(Ink::Quiet, &format!("{} to {}", time(it.first), time(it.last))),
            ));
        }
        let bytes = weight(self.sum(|it| it.bytes));
        let (from, to) = (utc(choice.from), utc(choice.to));
        terminal.say(&format!("events: {}, {bytes}, recorded from {from} to {to}", self.count()));
        for (why, count) in &self.left_out {
            terminal.say(&format!("left out: {count}, because {}", why.meaning()));
        }
        let goes = self.work.sent;
        if goes == 0 {
            return terminal.say(&terminal.ink(Ink::Strong, "nothing would be sent"));
        }
        terminal.say(&terminal.ink(
            Ink::Strong,
            &format!("{goes} would go to {}, in about {} s", whither(&choice.consumer), self.seconds(rate)),
        ));
        terminal.say(&format!("cost: {}, without that of notifications", dollars(self.work.dollars())));
        if choice.consumer.leads_to_dispatch() {
            terminal.say(whom(choice.mode));
            if self.expired > 0 {
                terminal.say(&format!("past their own expirytime: {}; nobody is told of them", self.expired));
            }
            terminal.say("where a rule says `expires`, nobody is told of what is older");
        }
    }
}

fn whom(mode: Mode) -> &'static str {
    match mode {
        Mode::OnlyMissing => "who was not told is told, by the rules of now",
        Mode::All => "nobody is told twice: keys are those of the first telling",
        Mode::Force => "PEOPLE ARE TOLD AGAIN who were told already",
    }
}

pub(super) fn whither(consumer: &Consumer) -> String {
    match consumer {
        Consumer::Dispatch => "dispatch (its bulk lane)".to_owned(),
        Consumer::Audit => "the audit".to_owned(),
        Consumer::Bus => "the bus, to everybody who listens".to_owned(),
        Consumer::Queue(url) => plain(url),
    }
}

fn dollars(it: f64) -> String {
    if it < 0.01 { "less than 0.01 USD".to_owned() } else { format!("about {it:.2} USD") }
}

fn weight(bytes: usize) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KB", bytes.div_ceil(1_024)),
        more => format!("{} MB", more.div_ceil(1_048_576)),
    }
}
