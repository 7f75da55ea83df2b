use domain::Timestamp;
use domain::catalog::{CATALOG_FORMAT, Catalog};
use domain::decide::continuation::Start;
use domain::decide::plan::{Audience, Match};
use domain::decide::{Ask, decide_with};
use domain::event::Event;
use domain::recipient::Recipients;
use serde_json::{Value, json};

use super::*;

#[test]
fn event_whose_notifications_are_all_suppressed_has_one_set_of_them() {
    let set = suppressed(&rule(&json!({ "refuse": "no" })), "ann", false).unwrap();
    assert!(Set::is_suppressed(&set.id));
    assert_eq!((set.of, set.category.as_deref()), (2, Some("news")), "one for each channel");
    let nobody = suppressed(&rule(&json!({})), "", false).unwrap();
    assert_eq!((Set::is_suppressed(&nobody.id), nobody.of), (true, 1), "the rule's path finds nobody");
}

#[test]
fn event_of_which_something_is_sent_has_no_set_of_suppressed_notifications() {
    // Ann has an e-mail address and no phone.
    assert_eq!(suppressed(&rule(&json!({})), "ann", false), None);
}

#[test]
fn event_that_no_rule_matches_counts_no_notification() {
    let mut other = rule(&json!({}));
    other["when"] = json!({ "detail-type": ["other"] });
    let set = suppressed(&other, "ann", false).unwrap();
    assert_eq!(set.of, 0, "and no row has the set");
    let (catalog, event) = (catalog(&other), event("ann"));
    let plan = Plan::of(&event, &catalog);
    let people = Recipients::new();
    let decisions = decide_with(&plan, &people, None, Timestamp::UNIX_EPOCH, Ask::default_answer);
    assert!(decisions.iter().all(|decision| !counts(decision)));
}

#[test]
fn set_is_not_complete_while_a_notification_waits() {
    let wait = json!([{ "wait": { "for": "PT1H" } }, { "send": { "channels": ["email"] } }]);
    let mut waiting = rule(&json!({}));
    waiting["steps"] = wait;
    assert_eq!(suppressed(&waiting, "ann", false).map(|set| set.of), Some(u32::MAX));
}

#[test]
fn page_of_a_large_audience_has_a_set_of_its_own() {
    let set = suppressed(&rule(&json!({ "refuse": "no" })), "ann", true).unwrap();
    assert_eq!((set.id.as_str(), set.of), ("event", 2));
    let (catalog, event) = (catalog(&rule(&json!({ "refuse": "no" }))), event("ann"));
    let matched = Match {
        rule: &catalog.rules()[0],
        audience: vec![Audience::User("ann".to_owned())],
        groups: Vec::new(),
        start: Start::default(),
    };
    let plan = Plan::resumed(&event, &catalog, Some(matched), None);
    let people = people();
    let decisions = decide_with(&plan, &people, None, now(), Ask::default_answer);
    let (own, page) = sets(&plan, &decisions, true);
    assert_eq!(page.map(|page| page.id), Some(own.id));
}

#[test]
fn category_of_the_event_comes_before_that_of_the_rule() {
    let catalog = catalog(&rule(&json!({ "refuse": "no" })));
    let text = r#"{"specversion":"1.0","id":"1","source":"/a","type":"order.paid","time":"2026-11-20T12:00:00Z","category":"EHR_RECORD","data":{"user":"ann"}}"#;
    let event = Event::parse(text).unwrap();
    let (plan, people) = (Plan::of(&event, &catalog), people());
    let decisions = decide_with(&plan, &people, None, now(), Ask::default_answer);
    assert_eq!(sets(&plan, &decisions, false).0.category.as_deref(), Some("EHR_RECORD"));
}

/// Returns the set of suppressed notifications of an event for `user`.
fn suppressed(rule: &Value, user: &str, is_page: bool) -> Option<Set> {
    let (catalog, event, people) = (catalog(rule), event(user), people());
    let plan = Plan::of(&event, &catalog);
    let decisions = decide_with(&plan, &people, None, now(), Ask::default_answer);
    sets(&plan, &decisions, is_page).1
}

fn rule(others: &Value) -> Value {
    let mut rule = json!({
        "rule": "paid", "when": { "detail-type": ["order.paid"] }, "category": "news", "template": "t",
        "steps": [{ "send": { "channels": ["email", "sms"] } }], "to": [{ "user": { "path": "$.data.user" } }],
    });
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    rule
}

fn catalog(rule: &Value) -> Catalog {
    let file = json!({ "format": CATALOG_FORMAT, "version": "1", "rules": [rule], "templates": {} });
    Catalog::open(serde_json::from_value(file).unwrap()).unwrap()
}

fn people() -> Recipients {
    let ann = serde_json::from_value(json!({ "id": "ann", "email": "ann@example.com" })).unwrap();
    Recipients::from([("ann".to_owned(), ann)])
}

fn event(user: &str) -> Event {
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "time": "2026-11-20T12:00:00Z",
        "data": { "user": user },
    });
    Event::parse(&event.to_string()).unwrap()
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}
