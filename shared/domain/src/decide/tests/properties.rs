//! Randomised worlds, and the invariants that hold in all of them.

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::engine::{at, setting};
use super::generated::{people, policies, rules, tenants};
use super::oracle::Oracle;
use super::world::World;
use crate::catalog::rule::Unless;
use crate::event::Event;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 250, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold_in_every_world(
        rules in vec(rules(), 1..4), policy in policies(), people in people(), steps in vec(steps(), 1..30),
    ) {
        let rules: Vec<Value> = rules.into_iter().enumerate().map(|(index, mut rule)| {
            rule["rule"] = json!(format!("rule {index}"));
            rule
        }).collect();
        let setting = setting(&rules, &policy, &people, &tenants());
        let mut world = World::new(setting, at("12:00"));
        let mut events: Vec<Event> = Vec::new();
        for step in steps {
            apply(&mut world, &mut events, step);
        }
        // Long enough for every window, wait, quiet hour and repetition.
        world.pass(SignedDuration::from_hours(24 * 40));
        Oracle { world: &world }.check();
    }
}

/// The next step of the simulation.
#[derive(Debug, Clone)]
enum Step {
    /// An event for these people, about this subject, of this tenant. `undo` makes it a cancelling event.
    Event {
        to: Vec<&'static str>,
        thing: &'static str,
        tenant: Option<&'static str>,
        actor: Option<&'static str>,
        undo: bool,
    },
    /// One of the events is redelivered.
    Again(usize),
    /// One of the due continuations is delivered; `again` keeps it for a redelivery.
    Continuation {
        which: usize,
        again: bool,
    },
    Wait(i64),
    /// One of the messages is seen or acknowledged.
    Notice {
        which: usize,
        how: Unless,
    },
}

fn apply(world: &mut World, events: &mut Vec<Event>, step: Step) {
    match step {
        Step::Event { to, thing, tenant, actor, undo } => {
            let mut event = json!({
                "specversion": "1.0", "id": events.len().to_string(), "source": "/shop", "time": world.now.to_string(),
                "type": if undo { "undone" } else { "done" }, "data": { "to": to, "thing": thing },
            });
            if let Some(tenant) = tenant {
                event["tenant"] = json!(tenant);
            }
            if let Some(actor) = actor {
                event["actor"] = json!(actor);
            }
            let event = Event::parse(&event.to_string()).unwrap();
            world.deliver(&event);
            events.push(event);
        }
        Step::Again(which) => {
            if let Some(index) = which.checked_rem(events.len()) {
                world.deliver(&events[index]);
            }
        }
        Step::Continuation { which, again } => {
            let now = world.now;
            let due: Vec<usize> =
                (0..world.continuations.len()).filter(|index| world.continuations[*index].0 <= now).collect();
            if let Some(index) = which.checked_rem(due.len()) {
                let (_, text) = if again {
                    world.continuations[due[index]].clone()
                } else {
                    world.continuations.remove(due[index])
                };
                world.continuation(&text);
            }
        }
        // Due continuations are delivered late: by a `Continuation` step, or at the end.
        Step::Wait(minutes) => world.now += SignedDuration::from_mins(minutes),
        Step::Notice { which, how } => {
            let sent: Vec<_> = world.sent().map(|sent| sent.key.clone()).collect();
            if let Some(index) = which.checked_rem(sent.len()) {
                world.notice(&sent[index], how);
                world.now += SignedDuration::from_secs(1);
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let to = subsequence(vec!["a", "b", "c", "nobody"], 1..=3);
    let event = (
        to,
        select(vec!["x", "y"]),
        option::weighted(0.3, select(vec!["north", "south"])),
        option::weighted(0.2, select(vec!["a", "b"])),
        prop::bool::weighted(0.1),
    );
    let continuation = (any::<usize>(), prop::bool::weighted(0.3));
    let notice = (any::<usize>(), select(vec![Unless::Seen, Unless::Acknowledged]));
    prop_oneof![
        6 => event.prop_map(|(to, thing, tenant, actor, undo)| Step::Event { to, thing, tenant, actor, undo }),
        2 => any::<usize>().prop_map(Step::Again),
        4 => continuation.prop_map(|(which, again)| Step::Continuation { which, again }),
        3 => select(vec![1_i64, 10, 35, 120, 500]).prop_map(Step::Wait),
        2 => notice.prop_map(|(which, how)| Step::Notice { which, how }),
    ]
}
