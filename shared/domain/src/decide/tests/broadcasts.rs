//! Broadcast rules.

use serde_json::{Value, json};

use super::*;
use crate::base::channel::Channel;
use crate::catalog::rule::{MAX_EXCLUDED, Record};
use crate::decide::Live;

#[test]
fn broadcast_ignores_preferences_and_quiet_hours() {
    let people = json!([
        { "id": "ann", "tenants": ["clinic-7"], "preferences": { "channel_types": { "socket": false } } },
        { "id": "lee", "tenants": ["clinic-7"], "roles": [{ "in": "clinic-7", "role": "staff" }] },
    ]);
    let to = json!([room("clinic", "$.data.clinic"), user("$.data.user"), staff()]);
    check(
        &event(json!({ "user": "ann", "clinic": "clinic-7" }), json!({})),
        json!({ "to": to, "priority": "low" }),
        &people,
        &[
            "live → room:clinic:clinic-7 by socket: send to the room clinic:clinic-7, live, without []",
            "live → ann by socket: send to the sockets of ann, live",
            "live → lee by socket: send to the sockets of lee, live",
        ],
    );
}

#[test]
fn excluded_user_gets_no_broadcast_in_rooms_either() {
    let people = json!([{ "id": "ann", "tenants": ["clinic-7"] }, { "id": "ben", "tenants": ["clinic-7"] }]);
    let data = json!({ "user": ["ann", "ben"], "clinic": 7, "not": ["ann", null, ""] });
    let exclude = json!({ "exclude": [{ "path": "$.data.not" }] });
    check(
        &event(data.clone(), json!({})),
        json!({ "to": [room("clinic", "$.data.clinic"), user("$.data.user")], "broadcast": exclude }),
        &people,
        &[
            "live → room:clinic:7 by socket: send to the room clinic:7, live, without [\"ann\"]",
            "live → ann by socket: excluded",
            "live → ben by socket: send to the sockets of ben, live",
        ],
    );
    check(
        &event(data, json!({ "actor": "ben" })),
        json!({ "to": [room("clinic", "$.data.clinic")], "broadcast": exclude, "actor": "exclude" }),
        &people,
        &["live → room:clinic:7 by socket: send to the room clinic:7, live, without [\"ann\", \"ben\"]"],
    );
}

#[test]
fn broadcast_with_unreadable_exclusions_is_not_sent() {
    let many: Vec<String> = (0..=MAX_EXCLUDED).map(|number| format!("u-{number}")).collect();
    for not in [json!([{ "id": "ann" }]), json!({ "id": "ann" }), json!(true), json!([["ann"]]), json!(many)]
    {
        let data = json!({ "clinic": 7, "not": not });
        check(
            &event(data, json!({})),
            json!({ "to": [room("clinic", "$.data.clinic")], "broadcast": { "exclude": [{ "path": "$.data.not" }] } }),
            &json!([]),
            &["live → room:clinic:7 by socket: unreadable_exclude"],
        );
    }
}

#[test]
fn target_without_a_value_has_its_own_outcome() {
    let people = json!([{ "id": "ann", "tenants": ["clinic-7"] }]);
    let to = json!([room("clinic", "$.data.clinic"), room("family", "$.data.family"), user("$.data.user")]);
    check(
        &event(json!({ "user": "ann" }), json!({})),
        json!({ "to": to }),
        &people,
        &[
            "live → - by socket: no_recipient",
            "live → - by socket: no_recipient",
            "live → ann by socket: send to the sockets of ann, live",
        ],
    );
    let (known_user, catalog) =
        (event(json!({ "user": "ann" }), json!({})), catalog(&[live(json!({ "to": to }))]));
    let plan = Plan::of(&known_user, &catalog);
    let recipients = known(&people);
    let decisions = decided(&plan, &recipients, now());
    assert_ne!(decisions[0].key, decisions[1].key, "each target has its own key");
    let note = decisions[0].notes[0].to_string();
    assert_eq!(
        note,
        "`$.data.clinic` of the event names no value for the room `clinic`, so this target gets no message"
    );
    check(
        &event(json!({}), json!({})),
        json!({ "to": [user("$.data.user")] }),
        &people,
        &["live → - by -: no_recipient"],
    );
}

#[test]
fn user_of_another_tenant_and_unknown_user_are_suppressed() {
    let people = json!([{ "id": "ann", "tenants": ["clinic-8"] }]);
    check(
        &event(json!({ "user": ["ann", "zoe"] }), json!({})),
        json!({ "to": [user("$.data.user")] }),
        &people,
        &["live → ann by socket: other_tenant", "live → zoe by socket: unknown_recipient"],
    );
}

#[test]
fn broadcast_skips_the_actor_and_expires() {
    let people =
        json!([{ "id": "lee", "tenants": ["clinic-7"], "roles": [{ "in": "clinic-7", "role": "staff" }] }]);
    check(
        &event(json!({ "clinic": "clinic-7" }), json!({ "actor": "lee" })),
        json!({ "to": [staff()] }),
        &people,
        &["live → lee by socket: actor"],
    );
    check(
        &event(json!({ "clinic": 7 }), json!({})),
        json!({ "to": [room("clinic", "$.data.clinic")], "expires": "PT10M" }),
        &people,
        &["live → room:clinic:7 by socket: expired"],
    );
}

#[test]
fn replay_does_not_repeat_an_unrecorded_broadcast() {
    let rule =
        |record: &str| json!({ "to": [room("clinic", "$.data.clinic")], "broadcast": { "record": record } });
    let sent = ["live → room:clinic:7 by socket: send to the room clinic:7, live, without []"];
    for (record, marks, expected) in [
        ("none", json!({}), &sent),
        ("none", json!({ "replayid": "r-1" }), &["live → room:clinic:7 by socket: replayed"]),
        ("none", json!({ "replayid": "r-1", "renotify": true }), &sent),
        ("targets", json!({ "replayid": "r-1" }), &sent),
    ] {
        check(&event(json!({ "clinic": 7 }), marks), rule(record), &json!([]), expected);
    }
}

#[test]
fn rule_overrides_the_recording_of_the_policy() {
    for (policy, rule, expected) in [
        (json!({}), json!({}), Record::Targets),
        (json!({ "broadcast": { "record": "none" } }), json!({}), Record::None),
        (json!({ "broadcast": { "record": "none" } }), json!({ "record": "targets" }), Record::Targets),
        (json!({}), json!({ "record": "none" }), Record::None),
    ] {
        let rule = live(json!({ "to": [room("clinic", "$.data.clinic")], "broadcast": rule }));
        let file = json!({
            "format": CATALOG_FORMAT, "version": "1", "rules": [rule], "templates": {}, "policy": policy,
        });
        let catalog = Catalog::open(serde_json::from_value(file).unwrap()).unwrap();
        let event = event(json!({ "clinic": 7 }), json!({}));
        let plan = Plan::of(&event, &catalog);
        let recipients = Recipients::new();
        let decisions = decided(&plan, &recipients, now());
        let Verdict::Send(Order { target: Target::Broadcast(Live { record, .. }), .. }) =
            &decisions[0].verdict
        else {
            panic!("a broadcast was expected")
        };
        assert_eq!((*record, decisions[0].channel), (expected, Some(Channel::Socket)), "{policy}");
    }
}

/// A broadcast rule for every paid order, with other members set.
fn live(others: Value) -> Value {
    let mut whole = json!({ "template": "", "steps": [send(json!(["socket"]))], "broadcast": {} });
    for (member, value) in others.as_object().unwrap() {
        whole[member] = value.clone();
    }
    rule("live", whole)
}

fn staff() -> Value {
    json!({ "role": { "role": "staff", "scope": { "path": "$.data.clinic" } } })
}

fn event(data: Value, others: Value) -> Event {
    let mut whole = json!({ "tenant": "clinic-7", "data": data });
    for (member, value) in others.as_object().unwrap() {
        whole[member] = value.clone();
    }
    paid("", whole)
}

#[track_caller]
fn check(event: &Event, rule: Value, people: &Value, expected: &[&str]) {
    let (catalog, recipients) = (catalog(&[live(rule)]), known(people));
    let mut plan = Plan::of(event, &catalog);
    for matched in &mut plan.matches {
        for group in matched.groups.clone() {
            matched.add(&group, crate::recipient::members(&group, &recipients));
        }
    }
    let lines: Vec<String> = decided(&plan, &recipients, now()).iter().map(describe).collect();
    assert_eq!(lines, expected, "{}", event.to_json());
}
