//! Extreme times, empty values and unknown ids do not panic.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::engine::{people, setting};
use super::{decided, rule};
use crate::base::channel::Channel;
use crate::decide::continuation::Start;
use crate::decide::plan::{Audience, Match, Plan};
use crate::event::Event;

proptest! {
    #[test]
    fn extreme_times_and_steps_do_not_panic(
        now in times(), due in prop::option::of(times()), step in steps(), occurrence in steps(),
        counted in steps(), only in any::<bool>(), critical in any::<bool>(), zone in zones(),
    ) {
        let send = json!({ "send": { "channels": ["email", "push", "socket"] } });
        let again = json!({ "send": { "channels": ["sms"], "unless": "seen" } });
        let all = json!([
            { "throttle": { "most": 1, "per": "31d" } },
            { "wait": { "for": "PT8783H" } }, { "wait": { "until": "9999-12-30T22:00:00Z" } },
            { "wait": { "event": { "path": "$.data.at", "shift": "-PT8760H" } } },
            { "digest": { "span": "31d", "policy": { "sliding": { "max": "PT744H" } } } }, send, again,
        ]);
        let monthly = json!({ "every": "monthly", "day_of_month": 31, "at": "02:30" });
        let collected = json!([{ "digest": { "span": monthly, "policy": {} } }, send]);
        for steps in [all, json!([send]), json!([]), collected] {
            let mut others = json!({
                "steps": steps, "outside": "defer", "expires": "PT87600H",
                "repeat": { "every": monthly },
            });
            if critical {
                others["priority"] = json!("critical");
            }
            let only = only.then_some(Channel::Email);
            run(&others, now, &zone, Start { step, only, occurrence, due, counted, ..Start::default() });
        }
    }
}

fn run(others: &Value, now: Timestamp, zone: &str, start: Start) {
    let policy = json!({
        "quiet": { "quiet": { "start": "00:30", "end": "23:30" } },
        "caps": [{ "limit": { "name": "a", "most": 1, "period": { "rolling": "31d" } }, "per": "environment" }],
    });
    let mut ann = people()[0].clone();
    ann["zone"] = json!(zone);
    let setting = setting(&[rule("paid", others.clone())], &policy, &json!([ann]), &json!({}));
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "time": "9999-12-30T00:00:00Z",
        "zone": zone, "data": { "user": "ann", "at": "-009999-01-02T00:00:00Z" },
    });
    let event = Event::parse(&event.to_string()).unwrap();
    decided(&Plan::of(&event, &setting.catalog), &setting.recipients, now);
    let rule = setting.catalog.rule("paid").unwrap();
    let audience =
        vec![Audience::User("ann".into()), Audience::Room("a:b".into()), Audience::User("zoe".into())];
    let matched = Match { rule, audience, groups: Vec::new(), start };
    decided(&Plan::resumed(&event, &setting.catalog, Some(matched), None), &setting.recipients, now);
}

fn times() -> impl Strategy<Value = Timestamp> {
    let second = jiff::SignedDuration::from_secs(1);
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        Just(Timestamp::UNIX_EPOCH),
        Just(Timestamp::MIN + second),
        Just(Timestamp::MAX - second),
        (Timestamp::MIN.as_second()..=Timestamp::MAX.as_second())
            .prop_map(|second| Timestamp::from_second(second).unwrap()),
    ]
}

fn steps() -> impl Strategy<Value = u32> {
    prop_oneof![0..9_u32, Just(u32::MAX), any::<u32>()]
}

fn zones() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["Atlantis", "Pacific/Apia", "America/Sao_Paulo", "+99:99", "Etc/UTC"])
        .prop_map(str::to_owned)
}
