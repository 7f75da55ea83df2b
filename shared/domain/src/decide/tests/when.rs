use jiff::Timestamp;
use serde_json::{Value, json};

use super::{catalog, decided, decision_lines, known, now, paid, rule, verdict};
use crate::decide::Verdict;
use crate::decide::plan::Plan;
use crate::event::Priority;

#[test]
fn notification_is_sent_until_its_expiry() {
    // The event happened one hour ago.
    check_expiry(json!({ "expires": "PT1H" }), json!({}), Some("2026-11-20T13:00:00Z"));
    check_expiry(json!({ "expires": "PT59M59.999999999S" }), json!({}), None);
    check_expiry(json!({}), json!({ "expirytime": "2026-11-20T13:00:00Z" }), Some("2026-11-20T13:00:00Z"));
    check_expiry(json!({}), json!({ "expirytime": "2026-11-20T12:59:59.999999999Z" }), None);
}

#[test]
fn earlier_of_two_expiries_counts() {
    let soon = json!({ "expirytime": "2026-11-20T13:30:00Z" });
    check_expiry(json!({ "expires": "PT2H" }), soon.clone(), Some("2026-11-20T13:30:00Z"));
    check_expiry(json!({ "expires": "PT1H15M" }), soon.clone(), Some("2026-11-20T13:15:00Z"));
    check_expiry(json!({ "expires": "PT30M" }), soon, None);
    check_expiry(json!({ "expires": "PT2H" }), json!({ "expirytime": "2026-11-20T12:30:00Z" }), None);
}

#[test]
fn notification_without_an_expiry_never_expires() {
    let (event, catalog) = (paid("ann", json!({})), catalog(&[rule("paid", json!({}))]));
    let plan = Plan::of(&event, &catalog);
    let recipients = known(&json!([{ "id": "ann", "email": "ann@example.com" }]));
    let decisions = decided(&plan, &recipients, Timestamp::MAX);
    let Verdict::Send(order) = &decisions[0].verdict else { panic!("the notification was suppressed") };
    assert_eq!(order.expires_at, None);
}

#[test]
fn expiry_beyond_the_calendar_is_none() {
    let last = json!({ "time": "9999-12-30T00:00:00Z" });
    let lines =
        decision_lines(&paid("zoe", last), &[rule("paid", json!({ "expires": "PT87600H" }))], &json!([]));
    assert_eq!(lines, ["paid → zoe by email: unknown_recipient"]);
}

#[test]
fn room_message_expires() {
    let queue =
        json!({ "channels": ["socket"], "to": [super::room("queue", "$.data.user")], "expires": "PT2M" });
    let lines = decision_lines(&paid("triage", json!({})), &[rule("moved", queue)], &json!([]));
    assert_eq!(lines, ["moved → room:queue:triage by socket: expired"]);
}

#[test]
fn rule_priority_precedes_event_priority() {
    check_priority(json!({ "priority": "low" }), json!({ "priority": "critical" }), Priority::Low);
    check_priority(json!({ "priority": "critical" }), json!({}), Priority::Critical);
    check_priority(json!({}), json!({ "priority": "high" }), Priority::High);
    check_priority(json!({}), json!({}), Priority::Normal);
}

/// `expires_at` is `None` if the notification is suppressed.
#[track_caller]
fn check_expiry(rule_has: Value, event_has: Value, expires_at: Option<&str>) {
    let (event, catalog) = (paid("ann", event_has), catalog(&[rule("paid", rule_has)]));
    let plan = Plan::of(&event, &catalog);
    let recipients = known(&json!([{ "id": "ann", "email": "ann@example.com" }]));
    let decisions = decided(&plan, &recipients, now());
    let found = match &decisions[0].verdict {
        Verdict::Send(order) => order.expires_at.map(|expires_at| expires_at.to_string()),
        Verdict::Suppress(_) | Verdict::Later(_) | Verdict::Merge(_) | Verdict::Cancel(_) => {
            assert_eq!(verdict(&decisions[0].verdict), "expired");
            None
        }
    };
    assert_eq!(found.as_deref(), expires_at);
}

#[track_caller]
fn check_priority(rule_has: Value, event_has: Value, expected: Priority) {
    let (event, catalog) = (paid("ann", event_has), catalog(&[rule("paid", rule_has)]));
    let plan = Plan::of(&event, &catalog);
    let recipients = known(&json!([{ "id": "ann", "email": "ann@example.com" }]));
    let decisions = decided(&plan, &recipients, now());
    let Verdict::Send(order) = &decisions[0].verdict else { panic!("the notification was suppressed") };
    assert_eq!(order.priority, expected);
}
