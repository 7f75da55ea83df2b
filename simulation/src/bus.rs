//! The bus: accepts entries one by one, and delivers each to the audit's queue and to dispatch's.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use aws::{CallError, Verdict};
use domain::event::Event;
use outbox_relay::Quarantine;
use publish::{InOrder, PublishCalls};
use serde_json::Value;
use store::{Backlog, Pending, Place};
use sweep::OutboxView;

use crate::clock::{now, sleep_ms};
use crate::process::Process;
use crate::world::World;

/// Number of rounds in which `publish` retries throttled entries.
const ROUNDS: u32 = 3;

/// The bus as one process calls it.
#[derive(Clone)]
pub(crate) struct Bus(pub(crate) Rc<Process>);

/// The outbox as a publisher calls it.
#[derive(Clone)]
pub(crate) struct Outbox(pub(crate) Rc<Process>);

impl Quarantine for Outbox {
    async fn quarantine(&self, place: &Place, _: &str, _: domain::Timestamp) -> Result<(), CallError> {
        let world = &self.0.world;
        self.0.call("quarantine", || world.events.borrow_mut().quarantine(place)).await
    }
}

impl OutboxView for Outbox {
    async fn backlog(&self) -> Result<Backlog, CallError> {
        let world = &self.0.world;
        self.0.call("look at what is pending", || world.events.borrow().backlog()).await
    }

    async fn read(&self, places: &[Place]) -> Result<Vec<Pending>, CallError> {
        let world = &self.0.world;
        self.0.call("read what is pending", || world.events.borrow().read(places)).await
    }
}

impl PublishCalls for Bus {
    async fn put_call(&self, entries: &[&InOrder]) -> Vec<Result<String, CallError>> {
        let world = &self.0.world;
        let refused = |verdict| CallError { doing: "put on the bus", verdict, source: "not taken".into() };
        let answers: RefCell<Vec<Result<String, Verdict>>> =
            RefCell::new(entries.iter().map(|_| Err(Verdict::Unanswered)).collect());
        let mut open: Vec<usize> = (0..entries.len()).collect();
        for round in 0..ROUNDS {
            if round > 0 {
                sleep_ms(100 << (round - 1)).await;
            }
            let put = self.0.attempts(1, "put on the bus", || {
                let is_down = world.outages.borrow().has("bus");
                for &at in &open {
                    let fails = is_down || world.chance.borrow_mut().hits(world.faults().partial);
                    answers.borrow_mut()[at] =
                        if fails { Err(Verdict::Throttled) } else { Ok(take(&self.0, entries[at])) };
                }
            });
            if let Err(error) = put.await {
                open.iter().for_each(|at| answers.borrow_mut()[*at] = Err(error.verdict));
            }
            open.retain(|at| matches!(answers.borrow()[*at], Err(Verdict::Transient | Verdict::Throttled)));
            if open.is_empty() {
                break;
            }
        }
        answers.into_inner().into_iter().map(|item| item.map_err(refused)).collect()
    }
}

/// Accepts an entry on the bus.
fn take(process: &Process, InOrder { entry, .. }: &InOrder) -> String {
    let world = &process.world;
    let is_of_outbox = !entry.resources.is_empty();
    let id = format!("bus-{}", world.new_id());
    if let Ok(event) = Event::parse(&entry.detail) {
        let mut check = world.check.borrow_mut();
        match event.sequence.as_ref().and_then(domain::event::Sequence::version) {
            Some(version) if is_of_outbox => {
                let place = Place::of(&event);
                // The sweep may repair a stream's loss after later entries have reached the bus.
                let is_lost = check.out_of_order.contains(&place.pk) && !process.name.starts_with("sweep");
                let is_after_pending = world.events.borrow().pending_before(&place, version);
                check.published(&place.pk, version, is_lost, is_after_pending);
            }
            Some(_) | None => drop(check.events.insert(event.id.clone(), entry.detail.clone())),
        }
        world.tell(|| format!("the bus has {} of {}", event.id, event.subject.as_deref().unwrap_or("-")));
    }
    let text = |item: &str| Value::from(item).to_string();
    let body: Rc<str> = format!(
        r#"{{"version":"0","id":"{id}","detail-type":{},"source":{},"time":"{}","account":"123456789012","resources":{},"detail":{}}}"#,
        text(&entry.detail_type),
        text(&entry.source),
        now(),
        Value::from(entry.resources.clone()),
        entry.detail
    )
    .into();
    if is_of_outbox && world.chance.borrow_mut().hits(world.faults().dropped) {
        world.tell(|| format!("{id} is lost behind the bus"));
        return id;
    }
    for line in ["audit", "dispatch"] {
        world.transit.set(world.transit.get() + 1);
        tokio::task::spawn_local(bring(Rc::clone(world), line, Rc::clone(&body)));
    }
    id
}

async fn bring(world: Rc<World>, line: &'static str, body: Rc<str>) {
    let (late, twice) = {
        let mut chance = world.chance.borrow_mut();
        (chance.between(5, 1_500), chance.hits(world.faults().twice))
    };
    sleep_ms(late).await;
    for _ in 0..=usize::from(twice) {
        world.line(line).push(&world, &body, None, Duration::ZERO);
    }
    world.transit.set(world.transit.get() - 1);
}
