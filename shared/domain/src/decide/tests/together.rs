//! Several rules, recipients and channels in one decision.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{catalog, decided, decision_lines, describe, known, now, paid, room, rule, user};
use crate::base::channel::Channel;
use crate::decide::plan::Plan;
use crate::event::Event;
use crate::event::key::Key;

#[test]
fn decisions_are_ordered_by_rule_recipient_and_channel() {
    let rules = [
        rule("zebra", json!({ "channels": ["socket", "email"], "to": [user("$.data.all")] })),
        rule("any", json!({ "when": { "detail-type": [{ "wildcard": "order.*" }] } })),
        rule(
            "ape",
            json!({ "to": [room("shop", "$.data.shop"), user("$.data.user")], "channels": ["socket"] }),
        ),
    ];
    let event = paid("ann", json!({ "data": { "user": "ann", "shop": 1, "all": ["cem", "ann"] } }));
    assert_eq!(
        decision_lines(&event, &rules, &people()),
        [
            "zebra → cem by socket: send to the sockets of cem",
            "zebra → cem by email: send to cem@example.com",
            "zebra → ann by socket: send to the sockets of ann",
            "zebra → ann by email: send to ann@example.com",
            "any → ann by email: send to ann@example.com",
            "ape → room:shop:1 by socket: send to the room shop:1",
            "ape → ann by socket: send to the sockets of ann",
        ],
    );
}

#[test]
fn recipient_gets_one_notification_per_rule() {
    let twice = json!({ "to": [user("$.data.user"), user("$.data.all")] });
    let event = paid("ann", json!({ "data": { "user": "ann", "all": ["ann", "cem", "ann"] } }));
    assert_eq!(
        decision_lines(&event, &[rule("one", twice), rule("two", json!({}))], &people()),
        [
            "one → ann by email: send to ann@example.com",
            "one → cem by email: send to cem@example.com",
            "two → ann by email: send to ann@example.com",
        ],
    );
}

#[test]
fn key_differs_by_event_rule_recipient_and_channel() {
    let rules = ["one", "two"].map(|name| {
        rule(name, json!({ "channels": ["socket", "email"], "to": [user("$.data.all"), room("shop", "$.data.shop")] }))
    });
    let mut seen = BTreeSet::new();
    for id in ["1", "2"] {
        for source in ["/shop", "/till"] {
            let data = json!({ "all": ["ann", "cem", "zoe"], "shop": 1 });
            let event = paid("ann", json!({ "id": id, "source": source, "data": data }));
            seen.extend(keys(&event, &rules));
        }
    }
    // Two ids, two sources, two rules; three people on two channels and a room on one.
    assert_eq!(seen.len(), 2 * 2 * 2 * 7);
}

#[test]
fn key_format_is_stable() {
    let event = paid("ann", json!({}));
    let expected = Key::of(&event, "paid", "ann", Some(Channel::Email), 0, "");
    assert_eq!(keys(&event, &[rule("paid", json!({}))]), [expected]);
    assert_eq!(keys(&event, &[]), [Key::of(&event, "-", "-", None, 0, "")]);
    let nobody = rule("paid", json!({ "to": [] }));
    assert_eq!(keys(&event, &[nobody]), [Key::of(&event, "paid", "-", None, 0, "")]);
}

#[test]
fn key_does_not_depend_on_event_data_or_time() {
    let rules = [rule("paid", json!({}))];
    let first = paid("ann", json!({}));
    let again = paid(
        "ann",
        json!({
            "time": "2026-11-20T12:30:00Z", "priority": "high", "data": { "user": "ann", "total": 7 },
        }),
    );
    assert_eq!(keys(&first, &rules), keys(&again, &rules));
}

#[test]
fn decision_is_deterministic() {
    let rules = [rule("one", json!({ "to": [user("$.data.all")] })), rule("two", json!({}))];
    let event = paid("ann", json!({ "data": { "user": "zoe", "all": ["cem", "zoe", "ann"] } }));
    let (first, again) =
        (decision_lines(&event, &rules, &people()), decision_lines(&event, &rules, &people()));
    assert_eq!(first, again);
    let (catalog, recipients) = (catalog(&rules), known(&people()));
    let plan = Plan::of(&event, &catalog);
    let once: Vec<String> = decided(&plan, &recipients, now()).iter().map(describe).collect();
    assert_eq!(once, decided(&plan, &recipients, now()).iter().map(describe).collect::<Vec<String>>());
}

fn keys(event: &Event, rules: &[Value]) -> Vec<Key> {
    let (catalog, recipients) = (catalog(rules), known(&people()));
    let plan = Plan::of(event, &catalog);
    decided(&plan, &recipients, now()).into_iter().map(|decision| decision.key).collect()
}

fn people() -> Value {
    json!([{ "id": "ann", "email": "ann@example.com" }, { "id": "cem", "email": "cem@example.com" }])
}
