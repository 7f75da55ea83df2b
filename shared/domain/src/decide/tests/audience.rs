//! Audiences.

use serde_json::{Value, json};

use super::engine::{at, setting};
use super::world::World;

#[test]
fn rule_addresses_users_roles_topics_rooms_and_addresses() {
    check(json!([super::user("$.data.user")]), &["ann"]);
    check(json!([super::user("$.data.all")]), &["ben", "cem", "ann"]);
    check(json!([{ "user": { "literal": "cem" } }]), &["cem"]);
    check(json!([role("clerk", "$.data.shop")]), &["ann", "ben", "dora"]);
    check(json!([topic("order", "$.data.order")]), &["cem"]);
    check(json!([super::room("shop", "$.data.shop")]), &["room:shop:s1"]);
}

#[test]
fn follower_of_an_enclosing_topic_is_addressed() {
    // A follower of all orders is addressed for each order, and so is a follower of the enclosing topic.
    check(json!([topic("family", "$.data.order")]), &["dora", "ben", "cem"]);
}

#[test]
fn role_applies_within_its_scope() {
    check(json!([role("clerk", "$.data.other")]), &["cem"]);
    check(json!([role("boss", "$.data.shop")]), &[]);
}

#[test]
fn recipient_addressed_twice_gets_one_notification() {
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
fn address_needs_no_profile_and_gets_one_notification() {
    let world = world_after(
        &[json!({ "to": [
        { "address": { "channel": "email", "of": { "path": "$.data.email" } } },
        { "address": { "channel": "email", "of": { "literal": "LAB@example.com" } } },
    ], "channels": ["email", "socket", "sms"] })],
        &json!({}),
    );
    let to: Vec<&str> = world.sent().map(|sent| sent.text.as_str()).collect();
    assert_eq!(to, ["send to lab@example.com"]);
    assert!(
        !world.sent().any(|sent| sent.recipient.contains("lab")),
        "the recipient name must not contain the address"
    );
}

#[test]
fn actor_is_excluded_unless_named() {
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
fn large_audience_is_expanded_page_by_page() {
    let many: Vec<String> = (0..9).map(|number| format!("u{number}")).collect();
    let people: Vec<Value> =
        many.iter().map(|id| json!({ "id": id, "email": "it@example.com", "topics": ["news:x"] })).collect();
    let rule =
        super::rule("paid", json!({ "to": [super::user("$.data.all"), topic("news", "$.data.news")] }));
    let setting = setting(&[rule], &json!({ "topics": { "news": [] } }), &json!(people), &json!({}));
    let mut world = World::new(setting, at("12:00"));
    world.page = 2;
    world.deliver(&super::paid("u0", json!({ "data": { "all": many[..5], "news": "x" } })));
    world.minutes(1);
    let mut recipients: Vec<&str> = world.sent().map(|sent| sent.recipient.as_str()).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, many);
}

#[test]
fn refusal_of_the_whole_run_has_its_reason() {
    for (rule, event, expected) in [
        (json!({ "to": [super::user("$.data.nobody")] }), json!({}), "12:00 - no_recipient"),
        (json!({ "to": [{ "user": { "literal": "zoe" } }] }), json!({}), "12:00 email unknown_recipient"),
        (json!({}), json!({ "tenant": "south" }), "12:00 email other_tenant"),
        (json!({ "when": { "detail-type": ["order.sent"] } }), json!({}), "12:00 - no_rule"),
        (json!({ "channels": ["sms"] }), json!({}), "12:00 sms no_address"),
        (json!({}), json!({ "expirytime": "2026-11-20T11:00:00Z" }), "12:00 email expired"),
    ] {
        let world = world_after(std::slice::from_ref(&rule), &event);
        assert_eq!(world.refusals(), [expected], "{rule} {event}");
    }
}

fn world_after(rules: &[Value], event: &Value) -> World {
    let people = json!([
        { "id": "ann", "email": "ann@example.com", "roles": [handler("s1")], "tenants": ["north"] },
        { "id": "ben", "email": "ben@example.com", "roles": [handler("s1")], "topics": ["friends:o1"] },
        { "id": "cem", "email": "cem@example.com", "roles": [handler("s2")], "topics": ["order:o1", "friends:o1"] },
        { "id": "dora", "email": "dora@example.com", "roles": [handler("s1")], "topics": ["family:o1"] },
    ]);
    let topics = json!({ "family": ["friends"], "friends": ["family", "order"], "order": [] });
    let policy = json!({ "roles": ["clerk", "boss"], "topics": topics });
    let rules: Vec<Value> = rules.iter().map(|rule| super::rule("paid", rule.clone())).collect();
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

fn handler(scope: &str) -> Value {
    json!({ "role": "clerk", "in": scope })
}

fn role(role: &str, path: &str) -> Value {
    json!({ "role": { "role": role, "scope": { "path": path } } })
}

fn topic(name: &str, path: &str) -> Value {
    json!({ "topic": { "name": name, "of": { "path": path } } })
}

/// The recipients of an event about order o1 of shop s1.
#[track_caller]
fn check(to: Value, expected: &[&str]) {
    let world = world_after(&[json!({ "to": to, "channels": ["email", "socket"] })], &json!({}));
    let by_email = world
        .sent()
        .filter(|sent| sent.step == 0 && sent.channel != Some(crate::base::channel::Channel::Email));
    let names: Vec<&str> = by_email.map(|by_email| by_email.recipient.as_str()).collect();
    assert_eq!(names, expected, "{to}");
}

#[track_caller]
fn check_actor(rule: Value, event: &Value, expected: &[&str], refused: &[&str]) {
    let world = world_after(std::slice::from_ref(&rule), event);
    let names: Vec<&str> = world.sent().map(|sent| sent.recipient.as_str()).collect();
    assert_eq!(names, expected, "{rule}");
    let refused_actors = world.log.iter().filter(|entry| entry.text == "actor");
    let refused_actors: Vec<String> =
        refused_actors.map(|entry| format!("{} {}", entry.recipient, entry.text)).collect();
    assert_eq!(refused_actors, refused, "{rule}");
}
