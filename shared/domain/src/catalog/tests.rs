use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CATALOG_FORMAT, Catalog, CatalogError, CatalogFile, UnsupportedFormat};
use crate::event::Event;

#[test]
fn rule_matches_exact_types_and_type_patterns() {
    let catalog = catalog(&[
        json!({ "detail-type": ["order.paid", "order.sent"] }),
        json!({ "detail-type": [{ "wildcard": "order.*" }] }),
        json!({ "source": ["/shop"] }),
        json!({ "detail-type": [{ "prefix": "bill" }, "order.paid"] }),
        json!({ "detail-type": ["order.lost"] }),
    ]);
    check(&catalog, "order.paid", &["0", "1", "2", "3"]);
    check(&catalog, "order.sent", &["0", "1", "2"]);
    check(&catalog, "order.lost", &["1", "2", "4"]);
    check(&catalog, "bill.due", &["2", "3"]);
    check(&catalog, "", &["2"]);
}

#[test]
fn matching_rules_keep_the_catalog_order() {
    let catalog = catalog(&[
        json!({ "detail-type": [{ "suffix": "paid" }] }),
        json!({ "detail-type": ["order.paid"] }),
        json!({ "detail-type": [{ "exists": true }] }),
        json!({ "detail-type": ["order.paid"] }),
    ]);
    check(&catalog, "order.paid", &["0", "1", "2", "3"]);
}

#[test]
fn duplicate_type_in_a_rule_matches_once() {
    let either = json!({ "$or": [
        { "detail-type": ["order.paid"] },
        { "detail-type": ["order.paid", "order.paid"], "source": ["/shop"] },
    ] });
    check(&catalog(&[either]), "order.paid", &["0"]);
}

#[test]
fn rule_matches_other_fields_than_the_type() {
    let catalog = catalog(&[
        json!({ "detail-type": ["order.paid"], "source": ["/elsewhere"] }),
        json!({ "detail-type": ["order.paid"], "source": ["/shop"] }),
    ]);
    check(&catalog, "order.paid", &["1"]);
}

#[test]
fn catalog_of_another_format_is_refused() {
    for found in [0, CATALOG_FORMAT + 1] {
        let file = CatalogFile { format: found, ..file(&[]) };
        assert_eq!(Catalog::open(file).err(), Some(UnsupportedFormat { found }));
    }
}

#[test]
fn error_of_a_newer_format_names_the_remedy() {
    let text = |format: &str| format!(r#"{{"format":{format},"version":"1","rules":[],"templates":{{}}}}"#);
    assert!(CatalogFile::read(&text("2")).is_ok());
    let error = CatalogFile::read(&text("3")).err().unwrap();
    assert!(matches!(error, CatalogError::Newer(_)));
    assert!(error.to_string().starts_with("format 3 is newer than 2"), "{error}");
    assert!(error.to_string().contains("carillon check"), "{error}");
    for wrong in ["0", "1", "\"2\"", "null"] {
        assert!(matches!(CatalogFile::read(&text(wrong)), Err(CatalogError::Malformed(_))), "{wrong}");
    }
    assert!(matches!(CatalogFile::read("[]"), Err(CatalogError::Malformed(_))));
}

#[test]
fn rule_round_trips_through_json() {
    let rule = json!({
        "rule": "paid", "about": "Somebody paid.", "when": { "detail-type": [{ "prefix": "order" }] },
        "category": "orders", "priority": "high", "commercial": true,
        "steps": [
            { "throttle": { "most": 2, "per": "1h", "key": "$.data.shopId" } },
            { "digest": { "span": "10m", "key": "$.data.shopId", "policy": {
                "max_items": 5, "flush_first": false, "lookback": false, "keep": "first", "show": 10,
            } } },
            { "send": { "channels": ["socket", "email"] } },
            { "wait": { "for": "PT30M" } },
            { "wait": { "until": "2026-12-24T18:00:00Z" } },
            { "wait": { "event": { "path": "$.data.at", "shift": "-PT24H" } } },
            { "send": { "channels": ["sms"], "unless": "seen" } },
        ],
        "to": [
            { "user": { "path": "$.data.userId" } }, { "user": { "literal": "ann" } },
            { "room": { "name": "shop", "of": { "path": "$.data.shopId" } } },
            { "role": { "role": "clerk", "scope": { "path": "$.data.shopId" } } },
            { "topic": { "name": "shop", "of": { "path": "$.data.shopId" } } },
            { "address": { "channel": "email", "of": { "path": "$.data.email" } } },
        ],
        "actor": "include",
        "template": "paid", "expose": ["$.data.total"], "expires": "PT1H", "outside": "drop",
        "cancel": { "key": ["$.data.orderId"], "when": { "detail-type": ["order.lost"] } },
        "repeat": { "every": { "every": "daily", "at": "08:00" }, "times": 3, "until": "$.data.until" },
    });
    let read: super::Rule = serde_json::from_value(rule.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), rule);
}

proptest! {
    #[test]
    fn index_matches_equal_the_matches_of_each_rule(
        whens in prop::collection::vec(whens(), 0..8), kind in "[ab]{0,2}",
    ) {
        let catalog = catalog(&whens);
        let event = event(&kind);
        let asked = catalog.rules().iter().filter(|rule| rule.when.pattern().matches(&event.document()));
        let expected: Vec<&str> = asked.map(|asked| asked.name.as_str()).collect();
        let found: Vec<&str> = catalog.matching(&event).iter().map(|rule| rule.name.as_str()).collect();
        prop_assert_eq!(found, expected);
    }
}

fn whens() -> impl Strategy<Value = Value> {
    let operator = prop_oneof![
        3 => "[ab]{0,2}".prop_map(Value::from),
        1 => "[ab]".prop_map(|text| json!({ "prefix": text })),
        1 => "[ab]".prop_map(|text| json!({ "anything-but": text })),
        1 => Just(json!({ "exists": true })),
    ];
    let kinds = prop::collection::vec(operator, 1..4);
    (kinds.clone(), kinds, 0..4).prop_map(|(some, others, form)| match form {
        0 => json!({ "source": ["/shop"] }),
        1 => json!({ "$or": [{ "detail-type": some }, { "detail-type": others }] }),
        2 => json!({ "$or": [{ "detail-type": some }, { "source": others }] }),
        _ => json!({ "detail-type": some }),
    })
}

#[track_caller]
fn check(catalog: &Catalog, kind: &str, expected: &[&str]) {
    let rules = catalog.matching(&event(kind));
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, expected, "{kind}");
}

fn event(kind: &str) -> Event {
    let text = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "x", "time": "2026-11-20T12:00:00Z",
    });
    // The parser refuses a type without characters, but the index accepts it.
    Event { kind: kind.to_owned(), ..Event::parse(&text.to_string()).unwrap() }
}

/// Rules named by their index.
fn catalog(whens: &[Value]) -> Catalog {
    Catalog::open(file(whens)).unwrap()
}

fn file(whens: &[Value]) -> CatalogFile {
    let rule = |(index, when): (usize, &Value)| {
        json!({
            "rule": index.to_string(), "when": when, "category": "c", "steps": [], "to": [], "template": "t",
        })
    };
    let rules: Vec<Value> = whens.iter().enumerate().map(rule).collect();
    serde_json::from_value(
        json!({ "format": CATALOG_FORMAT, "version": "1", "rules": rules, "templates": {} }),
    )
    .unwrap()
}
