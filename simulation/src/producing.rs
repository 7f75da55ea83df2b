//! Producers: events in their own transactions, events put directly on the bus, and some malformed entries.

use std::rc::Rc;
use std::time::Duration;

use aws::Verdict;
use domain::event::Event;
use jiff::SignedDuration;
use publish::{Conflict, Entry, InOrder, Outbox, PublishCalls as _, Stream};
use serde_json::json;
use store::{Item, Place};

use crate::bus::Bus;
use crate::clock::{now, sleep_ms};
use crate::events::Without;
use crate::mix::Mix;
use crate::process::Process;
use crate::variant::Variant;
use crate::world::World;

/// Time within which producers create all events.
pub(crate) const SPAN_MS: u64 = 240_000;

/// The people whom an event with a large audience names.
const USERS: [&str; 7] = ["ann", "ben", "m1", "m2", "m3", "m4", "m5"];

/// Number of attempts of a producer that was killed or got no reply.
const PATIENCE: usize = 200;

/// Produces one event, from its creation until it is accepted.
pub(crate) async fn produce(world: Rc<World>, mix: Mix, number: u32) {
    let (at, kind, subject, by_outbox) = {
        let mut chance = world.chance.borrow_mut();
        let kind = mix.choose(&mut chance);
        // Half of the events occur at once with others. A cancellation may occur when the wait has ended.
        let at = if !chance.hits(5_000) {
            chance.below(SPAN_MS)
        } else if kind == "visit.cancelled" {
            chance.between(1, 3) * 50_000 + 180_000 + chance.below(2_000)
        } else {
            chance.between(1, 4) * 50_000 + chance.below(800)
        };
        (at, kind, chance.below(3), !chance.hits(2_500))
    };
    sleep_ms(at).await;
    let user = if subject % 2 == 0 { "ann" } else { "ben" };
    let text = json!({
        "specversion": "1.0", "id": format!("e-{number}"), "source": "/shop", "type": kind,
        "subject": format!("thing/{subject}"), "time": now().to_string(),
        "data": { "user": user, "visit": subject.to_string(), "users": USERS },
    });
    let event = Event::parse(&text.to_string()).expect("an event by the rules");
    for _ in 0..PATIENCE {
        let name = format!("producer-{}", world.new_id());
        let process = Process::new(&world, name.clone());
        let limit = Duration::from_secs(120);
        let told = match by_outbox {
            true => process.invoke(&name, limit, append(&process, &event, number)).await,
            false => process.invoke(&name, limit, put(&process, &event)).await,
        };
        if told == Some(true) {
            break;
        }
        sleep_ms(1_000).await;
    }
    world.producing.set(world.producing.get() - 1);
}

/// Offset in seconds of the clock that dates a producer's appends. Every third clock is wrong.
fn clock(number: u32) -> i64 {
    const OFF: [i64; 4] = [-90, -3_600, 45, 600];
    if number.is_multiple_of(3) { OFF[usize::try_from(number / 3).unwrap_or(0) % OFF.len()] } else { 0 }
}

/// Appends in the producer's own transaction. Returns whether the append is known to be committed.
async fn append(process: &Rc<Process>, event: &Event, number: u32) -> bool {
    let world = &process.world;
    let outbox = Outbox::new("events".to_owned());
    let stream = Stream::new(None, event.subject.as_deref().unwrap_or_default());
    // The token is the same in every attempt.
    let appended_at =
        event.time.saturating_add(SignedDuration::from_secs(clock(number))).unwrap_or(event.time);
    let without = Without { guard: world.is(Variant::NoGuard), version: world.is(Variant::NoVersion) };
    let Some(mut expected) = head(process, event).await else { return false };
    for _ in 0..20 {
        let mut transaction = Vec::new();
        let events = std::slice::from_ref(event);
        let appended = outbox
            .append(&mut transaction, &stream, expected, events, appended_at)
            .expect("one event of the stream");
        let lag = Duration::from_millis(world.chance.borrow_mut().below(2_000));
        let written = process.call("transact", || {
            let mut check = world.check.borrow_mut();
            world.events.borrow_mut().transact(&transaction, &appended.token, lag, without, &mut check)
        });
        match written.await {
            Ok(Ok(())) => return true,
            Ok(Err(reasons)) => match appended.conflict(&reasons) {
                Some(Conflict::AlreadyThere { .. }) => return true,
                Some(Conflict::WrongVersion { found, .. }) => expected = found,
                Some(Conflict::OtherBody { .. }) => {
                    world.check.borrow_mut().violated(format!("e-{number} stands with another body"));
                    return true;
                }
                None => return false,
            },
            Err(_) => {}
        }
        sleep_ms(500).await;
    }
    false
}

/// Current version of a stream.
async fn head(process: &Rc<Process>, event: &Event) -> Option<u64> {
    let world = &process.world;
    let place = Place { pk: Place::of(event).pk, sk: "head".to_owned() };
    let found = process
        .call("read the head", || {
            world.events.borrow().get(&place).and_then(|event| event.get_number("version"))
        })
        .await;
    found.ok().map(|item| item.and_then(|item| u64::try_from(item).ok()).unwrap_or(0))
}

/// Puts an event directly on the bus. Retries without a reply are safe because the event has an id.
async fn put(process: &Rc<Process>, event: &Event) -> bool {
    let entry = Entry::of(event);
    let entry = InOrder::new(None, entry);
    let answers = Bus(Rc::clone(process)).put_call(&[&entry]).await;
    answers.iter().all(|answer| match answer {
        Ok(_) => true,
        Err(error) => error.verdict == Verdict::Permanent,
    })
}

/// Malformed messages in a queue and in the outbox.
pub(crate) fn poison(world: &World) {
    let (kind, line) = {
        let mut chance = world.chance.borrow_mut();
        (chance.below(4), ["dispatch", "email", "push"][usize::try_from(chance.below(3)).unwrap_or(0)])
    };
    match kind {
        0 => world.line(line).push(world, "poison", None, Duration::ZERO),
        1 => {
            let row = Item::default()
                .text("pk", "stream#-#thing/9")
                .text("sk", "outbox#/shop#p")
                .text("pending", "0")
                .text("appended_at", now().to_string())
                .text("event", "poison");
            let mut check = world.check.borrow_mut();
            world.events.borrow_mut().put(row, Duration::ZERO, &mut check);
        }
        _ => {}
    }
}
