//! The expected outcomes of all accepted events, from a second decision without faults.

use std::collections::BTreeSet;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::decide::Verdict;
use domain::event::Event;
use domain::event::key::{Key, event_part};
use domain::recipient::Group;
use domain::webhook::endpoint::{Endpoint, EndpointId};
use engine::{Fixtures, run_ready};

use crate::clock::NOON;
use crate::world::World;

/// Checks that each key of every accepted event has exactly one final outcome, and that only poison messages are dead
/// letters.
pub(crate) fn check(world: &World) {
    let events: Vec<(String, String)> =
        world.check.borrow().events.iter().map(|(id, text)| (id.clone(), text.clone())).collect();
    for (id, text) in events {
        let Ok(event) = Event::parse(&text) else { continue };
        for (key, what) in keys(world, &event) {
            let status = world.ledger.borrow().get(&key).and_then(|it| Status::from_name(it.get("status")?));
            if status.is_none() && was_cancelled(world, &event) {
                continue;
            }
            if status.is_none_or(|status| !status.is_final()) {
                let status = status.map_or("not on record", Status::name);
                let said = format!("G1: {what} of {id} is {status} ({})", key.as_str());
                world.check.borrow_mut().violated(said);
            }
        }
    }
    let failed = |key: &Key| {
        let ledger = world.ledger.borrow();
        ledger.get(key).and_then(|it| it.get("status")) == Some(Status::Failed.name())
    };
    let orders: Vec<(Key, Channel)> = {
        let check = world.check.borrow();
        check.orders.iter().filter_map(|(key, it)| Some((key.clone(), it.failover?))).collect()
    };
    for (key, to) in orders.into_iter().filter(|(key, _)| failed(key)) {
        let ledger = world.ledger.borrow();
        let mut of_event = ledger.iter().filter(|(it, _)| it.parts().0 == key.parts().0);
        if !of_event.any(|(_, row)| row.get("channel") == Some(to.name())) {
            let said = format!("{} failed, and {} does not take its place", key.as_str(), to.name());
            world.check.borrow_mut().violated(said);
        }
    }
    for (line, body) in world.dead_letters() {
        if !body.contains("poison") {
            world.check.borrow_mut().violated(format!("a dead letter in {line} that is no poison: {body}"));
        }
    }
}

/// Reports whether the ledger records a cancellation of the event. The event can be cancelled before its message is
/// delivered a second time. Then no deferral has the key of the first delivery.
fn was_cancelled(world: &World, event: &Event) -> bool {
    let of_event = event_part(&event.source, &event.id);
    let ledger = world.ledger.borrow();
    let mut rows = ledger.iter().filter(|(key, _)| key.parts().0 == of_event);
    rows.any(|(_, row)| row.get("reason") == Some(Reason::Cancelled.name()))
}

/// Returns the keys that an event leads to, each with its rule, recipient and channel.
fn keys(world: &World, event: &Event) -> BTreeSet<(Key, String)> {
    let setting = &world.setting;
    let members = |_: &Group| vec![setting.endpoint.id.id.clone()];
    let endpoint = |id: &EndpointId| Some(Endpoint { id: id.clone(), ..setting.endpoint.clone() });
    let facts =
        Fixtures { members: Some(&members), endpoint: Some(&endpoint), ..Fixtures::of(&setting.recipients) };
    let mut found = BTreeSet::new();
    run_ready(setting.engine(&facts).forecast(event, NOON, &mut |evaluation, _| {
        for decision in &evaluation.decisions {
            let rule = decision.rule.map_or("-", |rule| rule.name.as_str());
            let channel = decision.channel.map_or("-", Channel::name);
            let wants = !world.is(crate::Variant::KeyWithoutChannel);
            if wants || !matches!(decision.verdict, Verdict::Send(_)) {
                let of = format!("{rule} to {} by {channel}", decision.recipient);
                found.insert((decision.key.clone(), of));
            }
        }
    }));
    found
}
