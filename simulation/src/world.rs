//! Global state of a run: tables, queues, observations, and the random generator.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use domain::Timestamp;
use domain::base::outcome::Status;
use domain::delivery::breaker::Breaker;
use domain::event::key::Key;
use domain::limits::cancel::{CancelKey, Cancellation};
use store::{Item, Message};

use crate::audience;
use crate::chance::Chance;
use crate::check::Check;
use crate::clock::now;
use crate::collecting::Windows;
use crate::events::EventTable;
use crate::outages::Outages;
use crate::process::Faults;
use crate::queue::{Due, Line};
use crate::setting::Setting;
use crate::variant::Variant;

/// All queues: dispatch's, the audit's, and two for each channel.
const LINES: [&str; 14] = [
    "dispatch",
    "dispatch-bulk",
    "dispatch-critical",
    "audit",
    "email",
    "email-critical",
    "push",
    "push-critical",
    "sms",
    "sms-critical",
    "socket",
    "socket-critical",
    "webhook",
    "webhook-critical",
];

pub(crate) struct World {
    pub(crate) setting: Rc<Setting>,
    pub(crate) variant: Option<Variant>,
    pub(crate) chance: RefCell<Chance>,
    faults: Cell<Faults>,
    pub(crate) calls: Cell<u64>,
    ids: Cell<u64>,
    journal: Option<RefCell<Vec<String>>>,
    pub(crate) check: RefCell<Check>,
    pub(crate) events: RefCell<EventTable>,
    pub(crate) ledger: RefCell<BTreeMap<Key, Item>>,
    /// Cancellations with the time at which each was written.
    pub(crate) cancelled: RefCell<BTreeMap<CancelKey, (Cancellation, Timestamp)>>,
    pub(crate) breakers: RefCell<BTreeMap<String, (i64, Breaker)>>,
    /// The windows of digests.
    pub(crate) windows: RefCell<Windows>,
    /// The members of the group.
    pub(crate) members: RefCell<BTreeSet<&'static str>>,
    /// The handled pages of large audiences.
    pub(crate) pages: RefCell<BTreeSet<String>>,
    /// Webhook messages that did not arrive at the first attempt.
    pub(crate) hooks: RefCell<BTreeMap<Key, Message>>,
    pub(crate) outages: RefCell<Outages>,
    lines: BTreeMap<&'static str, Rc<Line>>,
    pub(crate) schedules: RefCell<BTreeMap<String, Due>>,
    /// Number of messages between the bus and the queues.
    pub(crate) transit: Cell<usize>,
    /// Number of events that are still to be produced.
    pub(crate) producing: Cell<u32>,
    over: Cell<bool>,
}

impl World {
    pub(crate) fn new(
        setting: Rc<Setting>,
        seed: u64,
        faults: Faults,
        variant: Option<Variant>,
        is_notified: bool,
    ) -> Rc<World> {
        let mut chance = Chance::new(seed);
        let outages = RefCell::new(Outages::of(&mut chance));
        Rc::new(World {
            setting,
            variant,
            chance: RefCell::new(chance),
            faults: Cell::new(faults),
            calls: Cell::new(0),
            ids: Cell::new(0),
            journal: is_notified.then(RefCell::default),
            check: RefCell::default(),
            events: RefCell::default(),
            ledger: RefCell::default(),
            cancelled: RefCell::default(),
            breakers: RefCell::default(),
            windows: RefCell::default(),
            members: RefCell::new(audience::members()),
            pages: RefCell::default(),
            hooks: RefCell::default(),
            outages,
            lines: LINES.into_iter().map(|line| (line, Line::new(line))).collect(),
            schedules: RefCell::default(),
            transit: Cell::new(0),
            producing: Cell::new(0),
            over: Cell::new(false),
        })
    }

    pub(crate) fn faults(&self) -> Faults {
        self.faults.get()
    }

    /// Stops all faults.
    pub(crate) fn calm_down(&self) {
        self.faults.set(Faults::default());
        *self.outages.borrow_mut() = Outages::none();
        self.tell(|| "nothing goes wrong any more".to_owned());
    }

    pub(crate) fn is(&self, variant: Variant) -> bool {
        self.variant == Some(variant)
    }

    /// Whether polling tasks may stop.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    pub(crate) fn end(&self) {
        self.over.set(true);
    }

    pub(crate) fn new_id(&self) -> u64 {
        self.ids.set(self.ids.get() + 1);
        self.ids.get()
    }

    pub(crate) fn line(&self, name: &str) -> Rc<Line> {
        Rc::clone(&self.lines[name])
    }

    /// Adds a line to the journal if one is kept.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if let Some(journal) = &self.journal {
            let seconds = now().duration_since(crate::clock::NOON).as_secs_f64();
            journal.borrow_mut().push(format!("{seconds:>10.3}  {}", what()));
        }
    }

    pub(crate) fn journal(&self) -> Vec<String> {
        self.journal.as_ref().map(|journal| journal.take()).unwrap_or_default()
    }

    /// Unfinished work, as sentences.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let mut open = Vec::new();
        if self.producing.get() > 0 {
            open.push(format!("{} events are not produced", self.producing.get()));
        }
        if self.transit.get() > 0 {
            open.push(format!("{} messages are on their way", self.transit.get()));
        }
        for line in self.lines.values().filter(|line| !line.is_empty()) {
            open.push(format!("{}: {} messages wait", line.name, line.messages.borrow().len()));
        }
        if !self.schedules.borrow().is_empty() {
            open.push(format!("{} schedules wait", self.schedules.borrow().len()));
        }
        open.extend(self.windows.borrow().open().map(|window| format!("G6: digest {window} is open")));
        let events = self.events.borrow();
        if events.pending() > 0 {
            open.push(format!("G6: {} events are pending in the outbox", events.pending()));
        }
        if events.unread() > 0 {
            open.push(format!("{} records of streams are not read", events.unread()));
        }
        for (key, row) in self.ledger.borrow().iter() {
            let status = row.get("status").and_then(Status::from_name);
            if status.is_none_or(|status| !status.is_final()) {
                let status = row.get("status").unwrap_or("-");
                open.push(format!("G6: {} is still {status}", key.as_str()));
            }
        }
        open
    }

    /// All dead-lettered messages, with their queue.
    pub(crate) fn dead_letters(&self) -> Vec<(&'static str, Rc<str>)> {
        self.lines
            .values()
            .flat_map(|line| {
                line.dead.borrow().iter().map(|body| (line.name, Rc::clone(body))).collect::<Vec<_>>()
            })
            .collect()
    }
}
