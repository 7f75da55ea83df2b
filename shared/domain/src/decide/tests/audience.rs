//! Who is told.

use serde_json::{Value, json};

use super::engine::{at, setting};
use super::world::World;

#[test]
fn a_rule_tells_users_roles_topics_rooms_and_addresses() {
    check(json!([super::user("$.data.user")]), &["ann"]);
    check(json!([super::user("$.data.all")]), &["ben", "cem", "ann"]);
    check(json!([{ "user": { "literal": "cem" } }]), &["cem"]);
    check(json!([role("clerk", "$.data.shop")]), &["ann", "ben", "dora"]);
    check(json!([topic("order", "$.data.order")]), &["cem"]);
    check(json!([super::room("shop", "$.data.shop")]), &["room:shop:s1"]);
}

#[test]
fn a_topic_is_followed_through_the_topics_that_include_it() {
    // Who follows all orders hears of each, and who follows those who hear of all of them does too.
    check(json!([topic("family", "$.data.order")]), &["dora", "ben", "cem"]);
}

#[test]
fn a_role_is_one_within_its_scope() {
    check(json!([role("clerk", "$.data.other")]), &["cem"]);
    check(json!([role("boss", "$.data.shop")]), &[]);
}

#[test]
fn everybody_is_told_once_by_a_rule_however_they_are_addressed() {
    let all = json!([
        super::user("$.data.all"),
        super::user("$.data.user"),
        role("clerk", "$.data.shop"),
        topic("order", "$.data.order"),
        topic("family", "$.data.order"),
    ]);
    check(all, &["ben", "cem", "ann", "dora"]);
}

#[test]
fn an_address_needs_nobody_who_is_known_and_is_told_once() {
    let world = told(
        &[json!({ "to": [
        { "address": { "channel": "email", "of": { "path": "$.data.email" } } },
        { "address": { "channel": "email", "of": { "literal": "LAB@example.com" } } },
    ], "channels": ["email", "socket", "sms"] })],
        &json!({}),
    );
    let to: Vec<&str> = world.sent().map(|sent| sent.text.as_str()).collect();
    assert_eq!(to, ["send to lab@example.com"]);
    assert!(!world.sent().any(|it| it.recipient.contains("lab")), "an address is no name");
}

#[test]
fn who_did_it_is_left_out_unless_named_or_asked_for() {
    let by_ann = json!({ "actor": "ann" });
    let clerks = json!([role("clerk", "$.data.shop")]);
    let named = json!([super::user("$.data.user")]);
    check_actor(json!({ "to": clerks }), &by_ann, &["ben", "dora"], &["ann actor"]);
    check_actor(json!({ "to": clerks, "actor": "include" }), &by_ann, &["ann", "ben", "dora"], &[]);
    check_actor(json!({ "to": named }), &by_ann, &["ann"], &[]);
    check_actor(json!({ "to": named, "actor": "exclude" }), &by_ann, &[], &["ann actor"]);
    check_actor(
        json!({ "to": [super::user("$.data.user"), role("clerk", "$.data.shop")] }),
        &by_ann,
        &["ann", "ben", "dora"],
        &[],
    );
}

#[test]
fn large_audiences_are_told_page_by_page_and_completely() {
    let many: Vec<String> = (0..9).map(|it| format!("u{it}")).collect();
    let people: Vec<Value> =
        many.iter().map(|id| json!({ "id": id, "email": "it@example.com", "topics": ["news:x"] })).collect();
    let rule =
        super::rule("paid", json!({ "to": [super::user("$.data.all"), topic("news", "$.data.news")] }));
    let setting = setting(&[rule], &json!({ "topics": { "news": [] } }), &json!(people), &json!({}));
    let mut world = World::new(setting, at("12:00"));
    world.page = 2;
    world.deliver(&super::paid("u0", json!({ "data": { "all": many[..5], "news": "x" } })));
    world.minutes(1);
    let mut told: Vec<&str> = world.sent().map(|sent| sent.recipient.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, many);
}

#[test]
fn a_no_that_is_not_about_the_recipient_has_its_reason() {
    for (rule, event, expected) in [
        (json!({ "to": [super::user("$.data.nobody")] }), json!({}), "12:00 - no_recipient"),
        (json!({ "to": [{ "user": { "literal": "zoe" } }] }), json!({}), "12:00 email unknown_recipient"),
        (json!({}), json!({ "tenant": "south" }), "12:00 email other_tenant"),
        (json!({ "when": { "detail-type": ["order.sent"] } }), json!({}), "12:00 - no_rule"),
        (json!({ "channels": ["sms"] }), json!({}), "12:00 sms no_address"),
        (json!({}), json!({ "expirytime": "2026-11-20T11:00:00Z" }), "12:00 email expired"),
    ] {
        let world = told(std::slice::from_ref(&rule), &event);
        assert_eq!(world.refusals(), [expected], "{rule} {event}");
    }
}

fn told(rules: &[Value], event: &Value) -> World {
    let people = json!([
        { "id": "ann", "email": "ann@example.com", "roles": [clerk("s1")], "tenants": ["north"] },
        { "id": "ben", "email": "ben@example.com", "roles": [clerk("s1")], "topics": ["friends:o1"] },
        { "id": "cem", "email": "cem@example.com", "roles": [clerk("s2")], "topics": ["order:o1", "friends:o1"] },
        { "id": "dora", "email": "dora@example.com", "roles": [clerk("s1")], "topics": ["family:o1"] },
    ]);
    let topics = json!({ "family": ["friends"], "friends": ["family", "order"], "order": [] });
    let policy = json!({ "roles": ["clerk", "boss"], "topics": topics });
    let rules: Vec<Value> = rules.iter().map(|it| super::rule("paid", it.clone())).collect();
    let mut world = World::new(setting(&rules, &policy, &people, &json!({})), at("12:00"));
    world.page = 100;
    let data = json!({
        "user": "ann", "all": ["ben", "cem", "ann", "ben"], "shop": "s1", "other": "s2", "order": "o1",
        "email": "lab@example.com",
    });
    let mut envelope = json!({ "data": data });
    envelope.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
    world.deliver(&super::paid("ann", envelope));
    world
}

fn clerk(scope: &str) -> Value {
    json!({ "role": "clerk", "in": scope })
}

fn role(role: &str, path: &str) -> Value {
    json!({ "role": { "role": role, "scope": { "path": path } } })
}

fn topic(name: &str, path: &str) -> Value {
    json!({ "topic": { "name": name, "of": { "path": path } } })
}

/// Whom an event about order o1 of shop s1 is told.
#[track_caller]
fn check(to: Value, expected: &[&str]) {
    let world = told(&[json!({ "to": to, "channels": ["email", "socket"] })], &json!({}));
    let by_email =
        world.sent().filter(|sent| sent.step == 0 && sent.channel != Some(crate::channel::Channel::Email));
    let names: Vec<&str> = by_email.map(|by_email| by_email.recipient.as_str()).collect();
    assert_eq!(names, expected, "{to}");
}

#[track_caller]
fn check_actor(rule: Value, event: &Value, expected: &[&str], refused: &[&str]) {
    let world = told(std::slice::from_ref(&rule), event);
    let names: Vec<&str> = world.sent().map(|sent| sent.recipient.as_str()).collect();
    assert_eq!(names, expected, "{rule}");
    let no = world.log.iter().filter(|it| it.text == "actor");
    let no: Vec<String> = no.map(|no| format!("{} {}", no.recipient, no.text)).collect();
    assert_eq!(no, refused, "{rule}");
}
