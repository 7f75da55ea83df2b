//! Rules with `refuse`, and events that name their template.

use serde_json::{Value, json};

use super::engine::{people, world_with};
use super::{decided, decision_lines, known, now, paid, rule};
use crate::decide::Note;
use crate::decide::plan::Plan;

#[test]
fn refusing_rule_suppresses_every_channel_with_its_reason() {
    let refusing = rule(
        "texts",
        json!({ "channels": ["sms", "email"], "template": "", "refuse": "texts are for emergencies only" }),
    );
    let rules = [refusing];
    let lines = decision_lines(&paid("ann", json!({})), &rules, &people());
    assert_eq!(lines, ["texts → ann by sms: refused_by_rule", "texts → ann by email: refused_by_rule"]);
    let stranger = decision_lines(&paid("zoe", json!({})), &rules, &people());
    assert_eq!(stranger, ["texts → zoe by sms: refused_by_rule", "texts → zoe by email: refused_by_rule"]);
    let (catalog, recipients, event) = (super::catalog(&rules), known(&people()), paid("ann", json!({})));
    let plan = Plan::of(&event, &catalog);
    for decision in decided(&plan, &recipients, now()) {
        let why = "texts are for emergencies only".to_owned();
        assert_eq!(decision.notes, [Note::Refused { why }]);
    }
}

#[test]
fn critical_refusing_rule_sends_nothing() {
    let others = json!({ "channels": ["sms"], "template": "", "refuse": "not here", "priority": "critical" });
    let mut world = world_with(others, json!({}));
    world.order("1");
    assert!(world.sends().is_empty());
    assert_eq!(world.refusals(), ["12:00 sms refused_by_rule"]);
}

#[test]
fn unlisted_template_is_an_outcome() {
    check(json!({ "template": "receipt" }), "send to ann@example.com");
    check(json!({}), "send to ann@example.com");
    check(json!({ "template": "invoice" }), "unknown_template");
    check(json!({ "template": 7 }), "unknown_template");
    check(json!({ "context": { "a": 1 } }), "send to ann@example.com");
    check(json!({ "context": "a" }), "unreadable_context");
    check(json!({ "context": [1] }), "unreadable_context");
}

#[test]
fn note_on_an_unknown_template_does_not_quote_the_event() {
    let (catalog, recipients) = (super::catalog(&[choosing()]), known(&people()));
    let event = paid("ann", json!({ "data": { "user": "ann", "template": "secret-name" } }));
    let plan = Plan::of(&event, &catalog);
    let decisions = decided(&plan, &recipients, now());
    let notes: Vec<String> = decisions[0].notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "`$.data.template` of the event names a template that `among` does not list (receipt), so nothing is sent"
        ]
    );
}

#[test]
fn unusable_subject_is_noted_and_the_message_sent() {
    let event = paid("ann", json!({ "data": { "user": "ann", "subject": 7 } }));
    let rule = rule("direct", json!({ "subject": "$.data.subject", "channels": ["email", "sms"] }));
    let (catalog, recipients) = (super::catalog(&[rule]), known(&people()));
    let plan = Plan::of(&event, &catalog);
    let decisions = decided(&plan, &recipients, now());
    let notes: Vec<Vec<String>> =
        decisions.iter().map(|decision| decision.notes.iter().map(ToString::to_string).collect()).collect();
    let states = "`$.data.subject` of the event is no text, so the template's own subject is used".to_owned();
    assert_eq!(notes, [vec![states], Vec::new()]);
}

fn choosing() -> Value {
    let choice = json!({ "from": "$.data.template", "among": ["receipt"], "context": "$.data.context" });
    rule("direct", json!({ "template": "other", "template_choice": choice }))
}

/// Checks the decision about the e-mail of an event with this data.
#[track_caller]
fn check(data: Value, expected: &str) {
    let mut all = json!({ "user": "ann" });
    all.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
    let lines = decision_lines(&paid("ann", json!({ "data": all })), &[choosing()], &people());
    assert_eq!(lines, [format!("direct → ann by email: {expected}")], "{data}");
}
