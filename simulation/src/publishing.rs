//! Readers of the outbox: the relay reads the stream, the sweep reads the index, and the audit acknowledges entries.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use delivery::JobQueue as _;
use domain::base::stack_secret::StackSecret;
use domain::event::outbox_mark::MarkKey;
use domain::event::producers::Producers;
use outbox_relay::{Relay, RelayResult, Row};
use queue::Outgoing;
use runtime::{Batch, Deadline, Error, Report};
use store::{Item, Pending, Place};
use sweep::{MIN_AGE, OutboxView as _, StaleOutbox};

use crate::bus::{Bus, Outbox};
use crate::clock::{now, sleep_ms};
use crate::process::Process;
use crate::shared::Sender;
use crate::variant::Variant;
use crate::working::{TIMEOUT, deadline};
use crate::world::World;

/// Longest time that one invocation of the relay retries, as in the relay.
const PATIENCE: Duration = Duration::from_secs(15);

/// Number of attempts after which Lambda skips a stream batch, as in the template.
const MAX_ATTEMPTS: u32 = 10;

/// Interval of the sweep.
const EVERY: Duration = Duration::from_secs(120);

/// Poll interval of an empty stream.
const POLL_MS: u64 = 250;

/// Poll interval after all producers are done, when only repeated records can appear.
const IDLE_MS: u64 = 10_000;

fn relay(process: &Rc<Process>) -> Relay<Bus, Outbox> {
    Relay::new(Bus(Rc::clone(process)), Outbox(Rc::clone(process)))
}

/// The key that relay, sweep and audit share.
fn marks() -> MarkKey {
    const SECRET: &str = "the secret of a stack that is played";
    MarkKey::of(&StackSecret::read(SECRET).expect("it has more than 32 bytes"))
}

/// Reads one shard until the run ends.
pub(crate) async fn read_shard(world: Rc<World>, shard: usize) {
    let (mut process, mut attempts) = (None, 0);
    let published: RefCell<BTreeSet<Place>> = RefCell::default();
    loop {
        if world.is_over() {
            return;
        }
        lose_place(&world, shard);
        let records: Vec<Item> = {
            let events = world.events.borrow();
            let stream = &events.streams[shard];
            let most = usize::try_from(world.chance.borrow_mut().between(1, 20)).unwrap_or(1);
            stream.records[stream.read..].iter().take(most).cloned().collect()
        };
        if records.is_empty() {
            sleep_ms(if world.producing.get() > 0 { POLL_MS } else { IDLE_MS }).await;
            continue;
        }
        let name = format!("relay-{}", world.new_id());
        let running: &Rc<Process> = process.get_or_insert_with(|| {
            published.borrow_mut().clear();
            Process::new(&world, name.clone())
        });
        let done = running.invoke(&name, TIMEOUT, publish_all(running, &records, &published)).await;
        attempts += 1;
        let goes_on = world.is(Variant::RelayGoesOn) && done.is_some();
        if done == Some(0) || goes_on || attempts >= MAX_ATTEMPTS {
            if done != Some(0) && !goes_on {
                given_up(&world, &records);
            }
            world.events.borrow_mut().streams[shard].read += records.len();
            attempts = 0;
        } else {
            sleep_ms(200 << attempts.min(6)).await;
        }
        if done.is_none() {
            process = None;
        }
    }
}

/// Publishes records and returns how many must be retried.
async fn publish_all(process: &Rc<Process>, records: &[Item], published: &RefCell<BTreeSet<Place>>) -> usize {
    let world = &process.world;
    let pending = records.iter().filter_map(Pending::read);
    let mut rows: Vec<Row> = pending
        .filter(|pending| !published.borrow().contains(&pending.place))
        .map(|pending| Row::read(pending, &marks()))
        .collect();
    let critical: Vec<Outgoing> = rows
        .iter()
        .filter_map(|row| row.critical(&["alarm.raised".to_owned()], &Producers::default()))
        .map(|body| Outgoing { body: body.into(), tenant: None, delay: Duration::ZERO })
        .collect();
    if !critical.is_empty() {
        // The bus delivers the event too, so a failure here delays no delivery.
        drop(Sender(Rc::clone(process), world.line("dispatch-critical")).send(&critical).await);
    }
    let began = tokio::time::Instant::now();
    let may_go_on = || began.elapsed() < PATIENCE;
    let mut again = 0;
    if world.is(Variant::RelayWithoutOrder) {
        rows.reverse();
        for row in &rows {
            let relayed = relay(process).publish(std::slice::from_ref(row), now(), may_go_on).await;
            again += relayed.iter().filter(|item| matches!(item, RelayResult::Again(_))).count();
        }
        return again;
    }
    let relayed = relay(process).publish(&rows, now(), may_go_on).await;
    for (row, relayed) in rows.iter().zip(relayed) {
        match relayed {
            RelayResult::Again(_) => again += 1,
            RelayResult::Published if world.is(Variant::RelayAcknowledges) => {
                world.events.borrow_mut().acknowledge(row.place());
            }
            RelayResult::Published => drop(published.borrow_mut().insert(row.place().clone())),
            RelayResult::SetAside(_) => {}
        }
    }
    if again == 0 {
        published.borrow_mut().clear();
    }
    again
}

/// Sometimes resets the relay to an earlier position, or drops records as after an outage longer than the stream's
/// retention.
fn lose_place(world: &World, shard: usize) {
    let faults = world.faults();
    let (back, lost, by) = {
        let mut chance = world.chance.borrow_mut();
        (chance.hits(faults.stream), chance.hits(faults.stream / 4), chance.between(1, 6))
    };
    let by = usize::try_from(by).unwrap_or(1);
    let mut events = world.events.borrow_mut();
    let stream = &mut events.streams[shard];
    if back {
        stream.read = stream.read.saturating_sub(by);
        world.tell(|| format!("shard {shard} is read again from {}", stream.read));
    } else if lost {
        let to = (stream.read + by).min(stream.records.len());
        let records: Vec<Item> = stream.records[stream.read..to].to_vec();
        stream.read = to;
        drop(events);
        given_up(world, &records);
    }
}

/// The relay gave these entries up. The sweep publishes them without regard to the order of later ones.
fn given_up(world: &World, records: &[Item]) {
    for record in records {
        let pk = record.get("pk").unwrap_or_default().to_owned();
        world.tell(|| format!("the stream loses a record of {pk}"));
        world.check.borrow_mut().out_of_order.insert(pk);
    }
}

/// Runs the sweep, which looks for pending entries every two minutes.
pub(crate) async fn sweep(world: Rc<World>) {
    if world.is(Variant::NoSweep) {
        return;
    }
    // The time of its last run is not stored.
    let first = world.chance.borrow_mut().below(120_000);
    sleep_ms(first).await;
    loop {
        tokio::time::sleep(EVERY).await;
        if world.is_over() {
            return;
        }
        let name = format!("sweep-{}", world.new_id());
        let process = Process::new(&world, name.clone());
        process.invoke(&name, TIMEOUT, sweep_once(&process, deadline())).await;
    }
}

async fn sweep_once(process: &Rc<Process>, deadline: Deadline) {
    if process.world.is(Variant::SweepByClock) {
        return sweep_by_clock(process).await;
    }
    let outbox = StaleOutbox::new(Outbox(Rc::clone(process)), relay(process), marks(), MIN_AGE);
    if let Err(refused) = outbox.publish(now(), || !deadline.left(now()).is_zero()).await {
        process.world.tell(|| format!("{} fails: {refused}", process.name));
    }
}

/// Sweep variant that ignores wrong clocks.
async fn sweep_by_clock(process: &Rc<Process>) {
    let outbox = Outbox(Rc::clone(process));
    let Ok(backlog) = outbox.backlog().await else { return };
    for (place, _) in backlog.pending.iter().filter(|(_, at)| now().duration_since(*at).as_secs() >= 60) {
        let Ok(pending) = outbox.read(std::slice::from_ref(place)).await else { return };
        let rows: Vec<Row> = pending.into_iter().map(|item| Row::read(item, &marks())).collect();
        relay(process).publish(&rows, now(), || true).await;
    }
}

/// The audit: stores events from the bus and acknowledges outbox entries.
pub(crate) struct Audit(pub(crate) Rc<Process>);

impl Audit {
    pub(crate) async fn keep(&self, batch: Batch) -> Result<Report, Error> {
        let world = &self.0.world;
        let at = now();
        let records: Vec<_> = batch
            .messages
            .iter()
            .filter_map(|message| {
                audit::record(message.body.expose(), &Producers::default(), &marks(), at).ok()
            })
            .collect();
        let append = || records.iter().for_each(|record| world.events.borrow_mut().append(record));
        self.0.call("append to the audit", append).await?;
        Ok(Report::default())
    }
}
