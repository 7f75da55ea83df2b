//! Generated rules, policies, people and tenants, in their file form.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

pub(super) fn rules() -> impl Strategy<Value = Value> {
    let category = select(vec!["c1", "c2"]);
    let outside = select(vec!["defer", "drop", "digest"]);
    let user = json!({ "user": { "path": "$.data.to" } });
    let topic = json!({ "topic": { "name": "thing", "of": { "path": "$.data.thing" } } });
    let room = json!({ "room": { "name": "thing", "of": { "path": "$.data.thing" } } });
    let address = json!({ "address": { "channel": "email", "of": { "literal": "lab@example.com" } } });
    let to = select(vec![json!([user]), json!([topic]), json!([user, topic]), json!([room, address])]);
    let cancel = option::weighted(
        0.3,
        Just(json!({ "key": ["$.data.thing"], "when": { "detail-type": ["undone"] } })),
    );
    let repeat =
        option::weighted(0.15, Just(json!({ "every": { "every": "daily", "at": "09:00" }, "times": 3 })));
    let expires = option::weighted(0.2, select(vec!["PT30M", "PT6H", "PT30H"]));
    let members = (cancel, repeat, expires, prop::bool::weighted(0.15), prop::bool::weighted(0.2));
    (steps(), category, outside, to, members).prop_map(|(steps, category, outside, to, members)| {
        let (cancel, repeat, expires, critical, commercial) = members;
        let mut rule = json!({
            "when": { "detail-type": ["done"] }, "category": category, "template": "t", "steps": steps, "to": to,
            "outside": outside, "commercial": commercial,
        });
        let expires = expires.map(Value::from);
        let priority = critical.then(|| json!("critical"));
        let optional =
            [("cancel", cancel), ("repeat", repeat), ("expires", expires), ("priority", priority)];
        for (name, value) in optional {
            if let Some(value) = value {
                rule[name] = value;
            }
        }
        rule
    })
}

/// Steps with at most one digest, because the parser refuses two in a row.
fn steps() -> impl Strategy<Value = Vec<Value>> {
    let send = || {
        let channels = subsequence(vec!["email", "push", "sms", "socket"], 1..=3);
        let unless = option::weighted(0.4, select(vec!["seen", "acknowledged"]));
        (channels, unless).prop_map(|(channels, unless)| match unless {
            Some(unless) => json!({ "send": { "channels": channels, "unless": unless } }),
            None => json!({ "send": { "channels": channels } }),
        })
    };
    let wait =
        || select(vec!["PT10M", "PT1H", "PT8H"]).prop_map(|select| json!({ "wait": { "for": select } }));
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

pub(super) fn policies() -> impl Strategy<Value = Value> {
    let cap = (
        1..4_u32,
        select(vec!["recipient", "tenant", "environment"]),
        option::of(select(vec!["email", "push"])),
        option::of(select(vec!["c1", "c2"])),
        any::<bool>(),
    );
    let caps = vec(cap, 0..3).prop_map(|caps| {
        let caps = caps.into_iter().enumerate().map(|(index, (most, per, channel, category, except))| {
            let limit =
                json!({ "name": format!("cap {index}"), "most": most, "period": { "rolling": "3h" } });
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
    let short =
        days.map(|day| json!({ "day": day, "type": "send", "from": "18:00:00", "until": "18:04:00" }));
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

pub(super) fn people() -> impl Strategy<Value = Value> {
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
        let people = ["a", "b", "c"].iter().zip(all).map(|(id, person)| {
            let (zone, devices, quiet, preferences, suppressed, in_north, follows) = person;
            let devices = devices.into_iter().enumerate().map(|(index, zone)| {
                json!({ "id": format!("d{index}"), "platform": "fcm", "endpoint": "arn", "zone": zone })
            });
            let suppressed = suppressed
                .map(|(channel, until)| json!({ "channel": channel, "why": "opted_out", "until": until }));
            let in_north = in_north.map(|(quiet, preferences, zone)| {
                json!({ "north": { "quiet": quiet, "preferences": preferences, "zone": zone } })
            });
            json!({
                "id": id, "email": "it@example.com", "phone": "+4915112345678", "zone": zone, "tenants": ["*"],
                "devices": Value::from_iter(devices), "quiet": quiet, "preferences": preferences,
                "suppressed": suppressed.into_iter().collect::<Vec<_>>(),
                "in_tenants": in_north.unwrap_or_else(|| json!({})),
                "topics": if follows { vec!["thing:x", "thing:y"] } else { vec![] },
            })
        });
        Value::from_iter(people)
    })
}

pub(super) fn tenants() -> Value {
    json!({
        "north": {
            "zone": "Asia/Kolkata",
            "preferences": { "categories": { "c2": { "channel_types": { "sms": false } } } },
        },
        "south": { "quiet": { "quiet": { "start": "13:00", "end": "15:00" } } },
    })
}
