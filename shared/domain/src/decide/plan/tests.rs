use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Audience, Plan, user_name};
use crate::catalog::{CATALOG_FORMAT, Catalog};
use crate::event::Event;
use crate::recipient::keyed_hash::KeyedHashes;

#[test]
fn audience_keeps_the_rules_order() {
    let to = [path("$.data.owner"), literal("lead"), room("shop", "$.data.shop"), path("$.data.watchers")];
    let data = json!({ "owner": "zoe", "shop": 7, "watchers": ["ben", "ann"] });
    check(&to, &data, &["zoe", "lead", "room:shop:7", "ben", "ann"]);
}

#[test]
fn audience_has_no_duplicates() {
    let to = [path("$.data.owner"), path("$.data.watchers"), literal("ann"), room("shop", "$.data.shops")];
    let data = json!({ "owner": "ann", "watchers": ["ben", "ann", "ben"], "shops": ["1", 1] });
    check(&to, &data, &["ann", "ben", "room:shop:1"]);
}

#[test]
fn spellings_of_an_address_are_one_recipient() {
    let hashes = KeyedHashes::development();
    for (selector, data, expected) in [
        (
            "sms",
            json!([
                "+447700900124",
                "+44 7700 900124",
                "+44 (0)7700-900124",
                " +44\u{2011}7700\u{202f}900124 "
            ]),
            vec!["+447700900124"],
        ),
        ("whatsapp", json!(["\u{ff0b}44 7700 900124", "tel:+44-7700-900124;ext=5"]), vec!["+447700900124"]),
        (
            "email",
            json!([
                " ann@example.org",
                "Ann@Example.org",
                "Ann Lee <ann@example.org>",
                "\u{feff}ann@example.org"
            ]),
            vec!["ann@example.org"],
        ),
        ("email", json!(["ann@exämple.org", "ann@xn--exmple-cua.org"]), vec!["ann@exämple.org"]),
        ("sms", json!([null, "", "  "]), vec![]),
        // Values of other types stay in the audience, although they are not valid addresses.
        ("sms", json!([447_700_900_124_u64, true]), vec!["447700900124", "true"]),
        ("email", json!([{ "address": "a@b.example" }]), vec![r#"{"address":"a@b.example"}"#]),
    ] {
        let to = [json!({ "address": { "channel": selector, "of": { "path": "$.data.to" } } })];
        let channel = crate::base::channel::Channel::from_name(selector).unwrap();
        let name = |address: &str| format!("address:{selector}:{}", hashes.address(channel, address));
        let expected: Vec<String> = expected.into_iter().map(name).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(&to, &json!({ "to": data }), &expected);
    }
}

#[test]
fn values_that_are_not_ids_yield_no_recipient() {
    check(&[path("$.data.missing")], &json!({}), &[]);
    let all = json!({ "all": [null, true, "", "  ", 1.5, {}, [], "x".repeat(257)] });
    check(&[path("$.data.all"), room("shop", "$.data.all")], &all, &[]);
    check(&[path("$.data.all")], &json!({ "all": "x".repeat(256) }), &["x".repeat(256).as_str()]);
}

#[test]
fn document_is_not_built_if_no_rule_matches() {
    let asked = event(&json!({}));
    let unasked = Event { kind: "nobody.asks".to_owned(), ..asked.clone() };
    let rule = Value::Object({
        let mut rule = rule("one", &[literal("ann")]).as_object().cloned().unwrap();
        rule.insert("when".to_owned(), json!({ "detail-type": [asked.kind] }));
        rule
    });
    let catalog = catalog(&[rule]);
    assert!(Plan::of(&asked, &catalog).document.is_object());
    assert!(Plan::of(&unasked, &catalog).document.is_null());
}

#[test]
fn plan_names_all_of_a_large_audience() {
    let all: Vec<String> = (0..5_000).map(|n| format!("u-{n}")).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    check(&[path("$.data.all")], &json!({ "all": all }), &names);
}

#[test]
fn users_and_rooms_have_different_names() {
    let room = Audience::Room("shop:1".to_owned()).name(&KeyedHashes::development());
    let like_a_room = user_name("room:shop:1");
    let like_that_one = user_name(&like_a_room);
    let like_that_again = user_name(&like_that_one);
    let names = BTreeSet::from([room, like_a_room, like_that_one, like_that_again]);
    assert_eq!(names.len(), 4);
    assert_eq!(user_name("user:7"), "user:7");
}

#[test]
fn each_user_is_looked_up_once() {
    let one = rule("one", &[path("$.data.owner"), room("shop", "$.data.owner")]);
    let two = rule("two", &[literal("ben"), path("$.data.owner")]);
    let (event, catalog) = (event(&json!({ "owner": "ann" })), catalog(&[one, two]));
    assert_eq!(Plan::of(&event, &catalog).people(), BTreeSet::from(["ann", "ben"]));
}

#[test]
fn user_id_with_a_rooms_prefix_stays_a_user() {
    let to = [path("$.data.owner")];
    let (event, catalog) = (event(&json!({ "owner": "room:shop:1" })), catalog(&[rule("one", &to)]));
    let plan = Plan::of(&event, &catalog);
    assert_eq!(plan.matches[0].audience, [Audience::User("room:shop:1".to_owned())]);
}

#[track_caller]
fn check(to: &[Value], data: &Value, expected: &[&str]) {
    let (event, catalog) = (event(data), catalog(&[rule("one", to)]));
    let plan = Plan::of(&event, &catalog);
    let names: Vec<String> =
        plan.matches[0].audience.iter().map(|recipient| recipient.name(catalog.hashes())).collect();
    assert_eq!(names, expected);
}

fn path(path: &str) -> Value {
    json!({ "user": { "path": path } })
}

fn literal(id: &str) -> Value {
    json!({ "user": { "literal": id } })
}

fn room(name: &str, path: &str) -> Value {
    json!({ "room": { "name": name, "of": { "path": path } } })
}

fn rule(name: &str, to: &[Value]) -> Value {
    json!({
        "rule": name, "when": { "detail-type": ["t"] }, "category": "c", "steps": [{ "send": { "channels": ["email"] } }], "to": to, "template": "t",
    })
}

fn catalog(rules: &[Value]) -> Catalog {
    let file = json!({ "format": CATALOG_FORMAT, "version": "1", "rules": rules, "templates": {} });
    Catalog::open(serde_json::from_value(file).unwrap()).unwrap()
}

fn event(data: &Value) -> Event {
    let text = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "t", "time": "2026-11-20T12:00:00Z", "data": data,
    });
    Event::parse(&text.to_string()).unwrap()
}
