//! Worlds in which anything may happen, and what holds in all of them.

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
use crate::event::Event;
use crate::rule::Unless;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 250, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nobody_is_told_twice_against_their_will_at_night_or_too_often(
        rules in vec(rules(), 1..4), policy in policies(), people in people(), steps in vec(happenings(), 1..30),
    ) {
        let rules: Vec<Value> = rules.into_iter().enumerate().map(|(at, mut it)| {
            it["rule"] = json!(format!("rule {at}"));
            it
        }).collect();
        let setting = setting(&rules, &policy, &people, &tenants());
        let mut world = World::new(setting, at("12:00"));
        let mut events: Vec<Event> = Vec::new();
        for step in steps {
            happen(&mut world, &mut events, step);
        }
        // Long enough for every window, wait, night and repetition.
        world.pass(SignedDuration::from_hours(24 * 40));
        Oracle { world: &world }.check();
    }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Happening {
    /// An event, to these people, about this thing, of this tenant; or one that takes back.
    Event {
        to: Vec<&'static str>,
        thing: &'static str,
        tenant: Option<&'static str>,
        actor: Option<&'static str>,
        undo: bool,
    },
    /// One of the events comes again.
    Again(usize),
    /// One of the wakes that are due comes back, and perhaps again later.
    Wake {
        which: usize,
        again: bool,
    },
    Wait(i64),
    /// One of the messages is noticed.
    Notice {
        which: usize,
        how: Unless,
    },
}

fn happen(world: &mut World, events: &mut Vec<Event>, it: Happening) {
    match it {
        Happening::Event { to, thing, tenant, actor, undo } => {
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
        Happening::Again(which) => {
            if let Some(at) = which.checked_rem(events.len()) {
                world.deliver(&events[at]);
            }
        }
        Happening::Wake { which, again } => {
            let now = world.now;
            let due: Vec<usize> = (0..world.wakes.len()).filter(|it| world.wakes[*it].0 <= now).collect();
            if let Some(at) = which.checked_rem(due.len()) {
                let (_, text) =
                    if again { world.wakes[due[at]].clone() } else { world.wakes.remove(due[at]) };
                world.wake(&text);
            }
        }
        // What is due comes late: it waits until somebody wakes it, or until all of it is over.
        Happening::Wait(minutes) => world.now += SignedDuration::from_mins(minutes),
        Happening::Notice { which, how } => {
            let sent: Vec<_> = world.sent().map(|sent| sent.key.clone()).collect();
            if let Some(at) = which.checked_rem(sent.len()) {
                world.notice(&sent[at], how);
                world.now += SignedDuration::from_secs(1);
            }
        }
    }
}

fn happenings() -> impl Strategy<Value = Happening> {
    let to = subsequence(vec!["a", "b", "c", "nobody"], 1..=3);
    let event = (
        to,
        select(vec!["x", "y"]),
        option::weighted(0.3, select(vec!["north", "south"])),
        option::weighted(0.2, select(vec!["a", "b"])),
        prop::bool::weighted(0.1),
    );
    let wake = (any::<usize>(), prop::bool::weighted(0.3));
    let notice = (any::<usize>(), select(vec![Unless::Seen, Unless::Acknowledged]));
    prop_oneof![
        6 => event.prop_map(|(to, thing, tenant, actor, undo)| Happening::Event { to, thing, tenant, actor, undo }),
        2 => any::<usize>().prop_map(Happening::Again),
        4 => wake.prop_map(|(which, again)| Happening::Wake { which, again }),
        3 => select(vec![1_i64, 10, 35, 120, 500]).prop_map(Happening::Wait),
        2 => notice.prop_map(|(which, how)| Happening::Notice { which, how }),
    ]
}
