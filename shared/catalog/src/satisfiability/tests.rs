use super::*;
use crate::problem::Diagnostics;
use crate::yaml::items;
use domain::event::Event;
use domain::pattern::Pattern;
use proptest::prelude::*;

#[test]
fn guaranteed_attributes_match_every_event() {
    for all in [
        "{ source: [{ prefix: '' }] }",
        "{ detail-type: [a.b, { wildcard: '*' }], detail: { specversion: [{ exists: true }] } }",
        "{ $or: [{ source: [a] }, { detail: { id: [{ suffix: '' }] } }] }",
    ] {
        assert!(is_everything(&node(all)), "{all}");
    }
    for some in [
        "{ source: [a] }",
        "{ source: [{ prefix: '' }], detail-type: [a.b] }",
        "{ detail: { data: { x: [{ exists: true }] } } }",
        "{ source: [{ exists: false }] }",
        "{ $or: [{ source: [a] }, { source: [b] }] }",
    ] {
        assert!(!is_everything(&node(some)), "{some}");
    }
}

#[test]
fn guaranteed_text_is_not_a_number_and_not_absent() {
    never("{ source: [7, null, true] }", "source");
    never("{ detail-type: [''] }", "detail-type");
    never("{ detail: { type: [{ exists: false }] } }", "detail.type");
    never("{ id: [{ numeric: ['>', 5] }] }", "id");
    never("{ source: [{ anything-but: { wildcard: '*' } }] }", "source");
    check("{ source: [7, a] }", None);
    check("{ source: [{ anything-but: [a] }] }", None);
    check("{ detail: { data: { n: [7] }, tenant: [{ exists: false }] } }", None);
}

#[test]
fn paths_of_one_attribute_have_one_value() {
    check(
        "{ detail-type: [a.b], detail: { type: [a.c, a.d] } }",
        Some("`detail.type` and `detail-type` are the same, and no value is in both lists"),
    );
    check("{ detail-type: [a.b], detail: { type: [a.c, a.b] } }", None);
    check("{ source: [a], detail: { type: [b] } }", None);
}

#[test]
fn object_matches_no_list_of_values() {
    check("{ detail: [a] }", Some("`detail` is always an object, and no value in a list matches one"));
    check("{ detail: [{ exists: false }] }", None);
}

#[test]
fn one_satisfiable_alternative_is_enough() {
    check("{ $or: [{ source: [7] }, { source: [a] }] }", None);
    check("{ detail-type: [a], $or: [{ detail: { type: [b] } }, { detail: { type: [a] } }] }", None);
    check(
        "{ detail-type: [a], $or: [{ detail: { type: [b] } }, { source: [7] }] }",
        Some("`detail.type` and `detail-type` are the same, and no value is in both lists"),
    );
}

proptest! {
    /// Every proof holds for an event with only the guaranteed attributes.
    #[test]
    fn proofs_hold(
        values in prop::collection::vec(
            prop::sample::select(vec![
                "a.b", "/s", "7", "''", "{ exists: true }", "{ exists: false }", "{ prefix: '' }", "{ prefix: a }",
                "{ wildcard: '*' }", "{ anything-but: [a.b] }", "{ numeric: ['=', 7] }", "null",
            ]), 4),
        fields in prop::sample::subsequence(vec!["source", "detail-type", "id", "time"], 1..=4),
        kind in prop::sample::select(vec!["a.b", "c"]),
    ) {
        let list: Vec<String> = fields.iter().zip(&values).map(|(field, value)| format!("{field}: [{value}]")).collect();
        let node = node(&format!("{{ {}, detail: {{ type: [{}] }} }}", list.join(", "), values[3]));
        let event = serde_json::json!({
            "specversion": "1.0", "id": "1", "source": "/s", "type": kind, "time": "2026-11-20T12:00:00Z",
        });
        let event = Event::parse(&event.to_string()).unwrap();
        if let Ok(pattern) = Pattern::compile(&node.to_json()) {
            let matches = pattern.matches(&event.document());
            prop_assert!(!matches || nothing(&node).is_none());
            prop_assert!(matches || !is_everything(&node));
        }
    }
}

#[track_caller]
fn never(pattern: &str, path: &str) {
    let message =
        format!("`{path}` is always a text that is not empty, and none of these values matches one");
    check(pattern, Some(&message));
}

#[track_caller]
fn check(pattern: &str, expected: Option<&str>) {
    let node = node(pattern);
    assert!(Pattern::compile(&node.to_json()).is_ok(), "{pattern}");
    assert_eq!(nothing(&node).map(|(_, text)| text).as_deref(), expected, "{pattern}");
}

fn node(pattern: &str) -> Node {
    let mut problems = Vec::new();
    items(&format!("- {pattern}"), &mut Diagnostics { file: "r", rule: None, problems: &mut problems })
        .remove(0)
}
