//! Worlds in which anything may happen, and what holds in all of them.

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::engine::{at, setting};
use super::oracle::Oracle;
use super::world::World;
use crate::event::Event;
use crate::rule::Unless;

const CASES: u32 = 250;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 250, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nobody_is_told_twice_against_their_will_at_night_or_too_often(
        rules in vec(rules(), 1..4), policy in policies(), people in people(), steps in vec(happenings(), 1..40),
    ) {
        let rules: Vec<Value> = rules.into_iter().enumerate().map(|(at, mut it)| {
            it["rule"] = json!(format!("rule {at}"));
            it
        }).collect();
        let setting = setting(&rules, &policy, &people, &tenants());
        let mut world = World::new(setting, at("12:00"));
        let mut events: Vec<Event> = Vec::new();
        for it in steps {
            happen(&mut world, &mut events, it);
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
            let sent: Vec<_> = world.sent().map(|it| it.key.clone()).collect();
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
    prop_oneof![
        6 => event.prop_map(|(to, thing, tenant, actor, undo)| Happening::Event { to, thing, tenant, actor, undo }),
        2 => any::<usize>().prop_map(Happening::Again),
        4 => (any::<usize>(), prop::bool::weighted(0.3)).prop_map(|(which, again)| Happening::Wake { which, again }),
        3 => select(vec![1_i64, 10, 35, 120, 500]).prop_map(Happening::Wait),
        2 => (any::<usize>(), select(vec![Unless::Seen, Unless::Acknowledged])).prop_map(|(which, how)| Happening::Notice { which, how }),
    ]
}

fn rules() -> impl Strategy<Value = Value> {
    let category = select(vec!["c1", "c2"]);
    let outside = select(vec!["defer", "drop", "digest"]);
    let to = select(vec![
        json!([{ "user": { "path": "$.data.to" } }]),
        json!([{ "topic": { "name": "thing", "of": { "path": "$.data.thing" } } }]),
        json!([{ "user": { "path": "$.data.to" } }, { "topic": { "name": "thing", "of": { "path": "$.data.thing" } } }]),
        json!([{ "room": { "name": "thing", "of": { "path": "$.data.thing" } } }, { "address": { "channel": "email", "of": { "literal": "lab@example.com" } } }]),
    ]);
    let cancel = option::weighted(
        0.3,
        Just(json!({ "key": ["$.data.thing"], "when": { "detail-type": ["undone"] } })),
    );
    let repeat =
        option::weighted(0.15, Just(json!({ "every": { "every": "daily", "at": "09:00" }, "times": 3 })));
    let expires = option::weighted(0.2, select(vec!["PT30M", "PT6H", "PT30H"]));
    let members = (cancel, repeat, expires, prop::bool::weighted(0.15), prop::bool::weighted(0.2));
    (steps(), category, outside, to, members).prop_map(|(steps, category, outside, to, (cancel, repeat, expires, critical, commercial))| {
        let mut rule = json!({
            "when": { "detail-type": ["done"] }, "category": category, "template": "t", "steps": steps, "to": to,
            "outside": outside, "commercial": commercial,
        });
        let optional = [("cancel", cancel), ("repeat", repeat), ("expires", expires.map(Value::from)), ("priority", critical.then(|| json!("critical")))];
        for (name, value) in optional {
            if let Some(value) = value {
                rule[name] = value;
            }
        }
        rule
    })
}

/// At most one digest: two in a row are refused before they come here.
fn steps() -> impl Strategy<Value = Vec<Value>> {
    let send = || {
        let channels = subsequence(vec!["email", "push", "sms", "socket"], 1..=3);
        let unless = option::weighted(0.4, select(vec!["seen", "acknowledged"]));
        (channels, unless).prop_map(|(channels, unless)| match unless {
            Some(unless) => json!({ "send": { "channels": channels, "unless": unless } }),
            None => json!({ "send": { "channels": channels } }),
        })
    };
    let wait = || select(vec!["PT10M", "PT1H", "PT8H"]).prop_map(|it| json!({ "wait": { "for": it } }));
    let throttle = || {
        (1..3_u32, select(vec!["30m", "10h"]), any::<bool>()).prop_map(|(most, per, keyed)| match keyed {
            true => json!({ "throttle": { "most": most, "per": per, "key": "$.data.thing" } }),
            false => json!({ "throttle": { "most": most, "per": per } }),
        })
    };
    let step = prop_oneof![3 => send(), 2 => wait(), 2 => throttle()];
    let policy = select(vec![
        json!({}),
        json!({ "flush_first": true }),
        json!({ "lookback": true }),
        json!({ "max_items": 2 }),
        json!({ "sliding": { "max": "PT30M" } }),
    ]);
    let digest = option::weighted(0.4, (select(vec!["10m", "5h"]), policy, any::<usize>()));
    (vec(step, 0..5), send(), digest).prop_map(|(mut steps, last, digest)| {
        if let Some((span, policy, place)) = digest {
            let digest = json!({ "digest": { "span": span, "policy": policy, "key": "$.data.thing" } });
            steps.insert(place.checked_rem(steps.len()).unwrap_or(0), digest);
        }
        steps.push(last);
        steps
    })
}

fn policies() -> impl Strategy<Value = Value> {
    let cap = (
        1..4_u32,
        select(vec!["recipient", "tenant", "environment"]),
        option::of(select(vec!["email", "push"])),
        option::of(select(vec!["c1", "c2"])),
        any::<bool>(),
    );
    let caps = vec(cap, 0..3).prop_map(|caps| {
        let caps = caps.into_iter().enumerate().map(|(at, (most, per, channel, category, except))| {
            let limit = json!({ "name": format!("cap {at}"), "most": most, "period": { "rolling": "3h" } });
            let mut cap =
                json!({ "limit": limit, "per": per, "except": if except { vec!["c2"] } else { vec![] } });
            if let Some(channel) = channel {
                cap["channel"] = json!(channel);
            }
            if let Some(category) = category {
                cap["category"] = json!(category);
            }
            cap
        });
        Value::from_iter(caps)
    });
    (caps, option::of(nights()), option::weighted(0.3, preferences())).prop_map(|(caps, quiet, preferences)| {
        json!({ "caps": caps, "quiet": quiet, "preferences": preferences, "topics": { "thing": [] } })
    })
}

fn nights() -> impl Strategy<Value = Value> {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let short = days.map(|it| json!({ "day": it, "type": "send", "from": "18:00:00", "until": "18:04:00" }));
    select(vec![
        json!({ "quiet": { "start": "22:00", "end": "07:00" } }),
        json!({ "quiet": { "start": "12:30", "end": "14:00" } }),
        json!([{ "day": "fri", "type": "do_not_send" }]),
        json!(short),
        json!([]),
    ])
}

fn preferences() -> impl Strategy<Value = Value> {
    let when = json!({ "detail": { "data": { "thing": ["x"] } } });
    select(vec![
        json!({ "channel_types": { "email": false } }),
        json!({ "categories": { "c1": false } }),
        json!({ "workflows": { "rule 0": { "channel_types": { "push": false, "sms": true } } } }),
        json!({ "commercial_subscribed": false }),
        json!({ "categories": { "c2": { "conditions": [when] } } }),
        json!({ "categories": { "c1": { "__strategy__": "replace", "channel_types": { "sms": false } } } }),
    ])
}

fn people() -> impl Strategy<Value = Value> {
    let zone = || option::of(select(vec!["Asia/Tokyo", "America/New_York", "Atlantis"]));
    let suppressed = option::weighted(
        0.3,
        (select(vec!["email", "push", "sms", "socket"]), option::of(Just("2026-11-20T20:00:00Z"))),
    );
    let in_north = option::weighted(0.3, (option::of(nights()), option::of(preferences()), zone()));
    let person = (
        zone(),
        vec(zone(), 0..3),
        option::weighted(0.4, nights()),
        option::weighted(0.4, preferences()),
        suppressed,
        in_north,
        prop::bool::weighted(0.5),
    );
    vec(person, 3).prop_map(|all| {
        let people = ["a", "b", "c"].iter().zip(all).map(|(id, (zone, devices, quiet, preferences, suppressed, in_north, follows))| {
            let devices = devices.into_iter().enumerate().map(|(at, zone)| json!({ "id": format!("d{at}"), "platform": "fcm", "endpoint": "arn", "zone": zone }));
            let suppressed = suppressed.map(|(channel, until)| json!({ "channel": channel, "why": "opted_out", "until": until }));
            let in_tenants = in_north.map(|(quiet, preferences, zone)| json!({ "north": { "quiet": quiet, "preferences": preferences, "zone": zone } }));
            json!({
                "id": id, "email": "it@example.com", "phone": "+4915112345678", "zone": zone, "devices": Value::from_iter(devices),
                "quiet": quiet, "preferences": preferences, "suppressed": suppressed.into_iter().collect::<Vec<_>>(),
                "in_tenants": in_tenants.unwrap_or_else(|| json!({})), "topics": if follows { vec!["thing:x", "thing:y"] } else { vec![] },
            })
        });
        Value::from_iter(people)
    })
}

fn tenants() -> Value {
    json!({
        "north": { "zone": "Asia/Kolkata", "preferences": { "categories": { "c2": { "channel_types": { "sms": false } } } } },
        "south": { "quiet": { "quiet": { "start": "13:00", "end": "15:00" } } },
    })
}
