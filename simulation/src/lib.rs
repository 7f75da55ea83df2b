//! Deterministic simulation of the whole flow in one process. One seed decides all faults.
//! Producers ([`producing`]) → the events table and its stream ([`events`]) → relay, sweep and audit ([`publishing`]) →
//! the bus ([`bus`]) → queues ([`queue`]) → dispatch ([`dispatching`]) → channels ([`delivering`]) → the ledger
//! ([`cloud`]). Any call may fail, take effect without a reply, be throttled, take too long, or be the last of its
//! process ([`process`]). After every step [`check`] verifies the invariants.
//! The product's code is real. docs/contract/simulation.md lists which parts are real and which are models.

mod audience;
mod bus;
mod chance;
mod check;
mod clock;
mod cloud;
mod collecting;
mod delivering;
mod digests;
mod dispatching;
mod events;
mod expected;
mod facts;
mod hooks;
mod many;
mod mix;
mod outages;
mod process;
mod producing;
mod publishing;
mod queue;
mod setting;
mod shared;
mod variant;
mod working;
mod world;

use std::rc::Rc;
use std::time::Duration;

use domain::base::outcome::Status;
use tokio::task::{LocalSet, spawn_local};

use crate::delivering::Channel;
use crate::dispatching::Dispatch;
use crate::mix::Mix;
use crate::process::Faults;
use crate::publishing::Audit;
use crate::setting::Setting;
use crate::working::serve;
use crate::world::World;

pub use chance::Chance;
pub use many::{Tally, run_all};
pub use variant::Variant;

/// Property that a run checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Faults never stop, and no invariant is violated.
    Safety,
    /// Faults stop, and all work completes.
    Liveness,
}

impl Mode {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Safety => "safety",
            Mode::Liveness => "liveness",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Mode> {
        [Mode::Safety, Mode::Liveness].into_iter().find(|mode| mode.name() == name)
    }
}

/// Default number of events in a run.
pub const EVENTS: u32 = 5;

/// Parameters that determine a run.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub seed: u64,
    pub mode: Mode,
    /// Number of events.
    pub events: u32,
    /// The broken behaviour, if any.
    pub variant: Option<Variant>,
    /// Whether a journal is kept.
    pub is_notified: bool,
}

impl Setup {
    /// A run of the unmodified system.
    #[must_use]
    pub fn new(seed: u64, mode: Mode, events: u32) -> Setup {
        Setup { seed, mode, events, variant: None, is_notified: false }
    }

    /// Command that repeats the run.
    #[must_use]
    pub fn command(&self) -> String {
        let variant =
            self.variant.map(|variant| format!(" --variant {}", variant.name())).unwrap_or_default();
        let (seed, mode, events) = (self.seed, self.mode.name(), self.events);
        format!(
            "cargo run -p carillon-simulation --profile local -- --seed {seed} --mode {mode} --events {events}{variant} -v"
        )
    }
}

/// Result of a run.
#[derive(Debug)]
pub struct Run {
    /// Violated invariants, as sentences.
    pub violations: Vec<String>,
    /// Journal lines, if a journal was requested.
    pub journal: Vec<String>,
    /// Number of calls.
    pub calls: u64,
    /// Number of sends that providers accepted.
    pub sends: u64,
    /// Number of accepted events.
    pub events: usize,
    /// Simulated duration.
    pub lasted: Duration,
}

/// Time after which faults stop in a liveness run.
const STORM: Duration = Duration::from_secs(300);

/// Duration of a safety run.
const SAFETY_RUN: Duration = Duration::from_secs(1_200);

/// Time from the last fault until all work must be complete: four hours of attempts for critical messages, and one more
/// hour.
const BOUND: Duration = Duration::from_secs(5 * 3_600);

/// Interval of the checks for completion.
const LOOK: Duration = Duration::from_secs(20);

/// Executes the run, from the first event to the last check.
///
/// # Panics
/// The model received a request that it does not support.
#[must_use]
pub fn run(setup: &Setup) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads needs nothing of the system");
    LocalSet::new().block_on(&runtime, async {
        clock::begin();
        let faults = faults(setup);
        let world = World::new(Setting::shared(), setup.seed, faults, setup.variant, setup.is_notified);
        start(&world, setup);
        match setup.mode {
            Mode::Safety => tokio::time::sleep(SAFETY_RUN).await,
            Mode::Liveness => come_to_an_end(&world).await,
        }
        world.end();
        for (key, row) in world.ledger.borrow().iter() {
            if let Some(status) = row.get("status").and_then(Status::from_name) {
                world.check.borrow_mut().stands(key, status);
            }
        }
        let mut check = world.check.borrow_mut();
        Run {
            violations: std::mem::take(&mut check.violations),
            journal: world.journal(),
            calls: world.calls.get(),
            sends: check.accepted.values().map(|item| u64::from(*item)).sum(),
            events: check.events.len(),
            lasted: clock::elapsed(),
        }
    })
}

/// Stops faults and waits until all work is complete.
async fn come_to_an_end(world: &Rc<World>) {
    tokio::time::sleep(STORM).await;
    world.calm_down();
    let mut open = world.unfinished();
    while !open.is_empty() && clock::elapsed() < STORM + BOUND {
        tokio::time::sleep(LOOK).await;
        open = world.unfinished();
    }
    for item in open {
        world.check.borrow_mut().violated(format!("it did not come to an end: {item}"));
    }
    expected::check(world);
}

/// Starts all tasks.
fn start(world: &Rc<World>, setup: &Setup) {
    world.producing.set(setup.events);
    let mix = Mix::of(setup.seed);
    for number in 0..setup.events {
        spawn_local(producing::produce(Rc::clone(world), mix, number));
    }
    if matches!(mix, Mix::Audiences) {
        spawn_local(audience::change(Rc::clone(world)));
    }
    producing::poison(world);
    outages::begin(world);
    for shard in 0..events::SHARDS {
        spawn_local(publishing::read_shard(Rc::clone(world), shard));
    }
    spawn_local(publishing::sweep(Rc::clone(world)));
    spawn_local(serve(
        Rc::clone(world),
        world.line("audit"),
        false,
        |process| Audit(Rc::clone(process)),
        Audit::keep,
    ));
    for line in ["dispatch", "dispatch", "dispatch-bulk", "dispatch-critical"] {
        let acks_first = world.is(Variant::AckBeforeQueueing);
        let start = |process: &Rc<process::Process>| Dispatch(Rc::clone(process));
        spawn_local(serve(Rc::clone(world), world.line(line), acks_first, start, Dispatch::handle));
    }
    for name in ["email", "push", "sms", "socket", "webhook"] {
        for line in [name.to_owned(), name.to_owned(), format!("{name}-critical")] {
            let acks_first = world.is(Variant::AckBeforeSend);
            let start = move |process: &Rc<process::Process>| Channel::start(process, name);
            spawn_local(serve(Rc::clone(world), world.line(&line), acks_first, start, Channel::deliver));
        }
    }
}

/// Fault probabilities, chosen by the seed: some runs have few faults of one kind and many of another.
fn faults(setup: &Setup) -> Faults {
    let mut chance = Chance::new(setup.seed ^ 0xfa17);
    let mut some = |most: u64| u32::try_from(chance.below(3) * chance.below(most + 1)).unwrap_or(0);
    Faults {
        fails: some(400),
        throttled: some(300),
        answer_lost: some(300),
        slow: some(100),
        killed: some(150),
        twice: some(1_000),
        partial: some(500),
        dropped: some(1_000),
        stream: some(100),
        unanswered: some(700),
        refused: some(1_500),
    }
}
