//! The expected outcomes of all accepted events, from a second decision without faults.

use std::collections::BTreeSet;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::decide::Verdict;
use domain::event::Event;
use domain::event::key::{Key, event_part};
use domain::recipient::Group;
use domain::webhook::endpoint::{Endpoint, EndpointId};
use engine::{Engine, Fixtures, run_ready};
use store::Item;

use crate::audience::{CHANGING, STAYING};
use crate::clock::NOON;
use crate::digests;
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
    check_ends(world);
    check_group(world);
    digests::check(world);
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

/// Checks that each queued job has a final outcome, and that a notification that was not sent has a reason.
fn check_ends(world: &World) {
    let ledger = world.ledger.borrow();
    let mut check = world.check.borrow_mut();
    let status = |key: &Key| ledger.get(key).and_then(|row| Status::from_name(row.get("status")?));
    let open = check.queued.iter().filter(|key| !status(key).is_some_and(Status::is_final));
    let open = open.map(|key| format!("G1: the job {} has no outcome", key.as_str()));
    let unsent = [Status::Suppressed.name(), Status::Failed.name()];
    let is_unsent = |row: &Item| row.get("status").is_some_and(|status| unsent.contains(&status));
    let silent = ledger.iter().filter(|(_, row)| is_unsent(row) && row.get("reason").is_none());
    let silent = silent.map(|(key, _)| format!("{} was not sent, without a reason", key.as_str()));
    let found: Vec<String> = open.chain(silent).collect();
    found.into_iter().for_each(|violation| check.violated(violation));
}

/// Checks that only members of the group are notified as members.
fn check_group(world: &World) {
    let ledger = world.ledger.borrow();
    let of_group = ledger.iter().filter(|(_, row)| row.get("rule") == Some("news"));
    for (key, row) in of_group {
        let recipient = row.get("recipient").unwrap_or_default();
        if !STAYING.iter().chain(&CHANGING).any(|member| *member == recipient) {
            let said = format!("{} is about {recipient}, who is no member", key.as_str());
            world.check.borrow_mut().violated(said);
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
    let members = |group: &Group| match group {
        Group::Endpoints { .. } => vec![setting.endpoint.id.id.clone()],
        Group::Role { .. } | Group::Topic { .. } => STAYING.map(str::to_owned).to_vec(),
    };
    let endpoint = |id: &EndpointId| Some(Endpoint { id: id.clone(), ..setting.endpoint.clone() });
    let facts =
        Fixtures { members: Some(&members), endpoint: Some(&endpoint), ..Fixtures::of(&setting.recipients) };
    let mut found = BTreeSet::new();
    let engine = Engine::unpaged(&setting.catalog, &setting.renderer, &facts);
    run_ready(engine.forecast(event, NOON, &mut |evaluation, _| {
        // The window of a digest depends on the order of arrival. `digests` checks its messages.
        if evaluation.planned.plan.digest.is_some() {
            return;
        }
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
