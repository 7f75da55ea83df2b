use serde_json::{Value, json};

use super::{decision_lines, paid, room, rule, user};
use crate::event::Event;

#[test]
fn known_person_gets_every_channel_of_the_rule() {
    check(
        "ann",
        json!({ "channels": ["socket", "email"] }),
        &["paid → ann by socket: send to the sockets of ann", "paid → ann by email: send to ann@example.com"],
    );
}

#[test]
fn unknown_person_is_suppressed_on_every_channel() {
    check(
        "zoe",
        json!({ "channels": ["socket", "email"] }),
        &["paid → zoe by socket: unknown_recipient", "paid → zoe by email: unknown_recipient"],
    );
}

#[test]
fn person_without_an_address_is_reached_by_socket() {
    let both = json!({ "channels": ["email", "socket"] });
    check(
        "ben",
        both.clone(),
        &["paid → ben by email: no_address", "paid → ben by socket: send to the sockets of ben"],
    );
    check(
        "cem",
        both,
        &["paid → cem by email: invalid_address", "paid → cem by socket: send to the sockets of cem"],
    );
}

#[test]
fn tenant_event_reaches_people_of_that_tenant_and_of_all_tenants() {
    let north = paid("ann", json!({ "tenant": "north" }));
    let south = paid("ann", json!({ "tenant": "south" }));
    let nobodys = paid("ann", json!({}));
    let ann = |tenants: Value| json!([{ "id": "ann", "email": "ann@example.com", "tenants": tenants }]);
    let refused = ["paid → ann by email: other_tenant"];
    let sent = ["paid → ann by email: send to ann@example.com"];
    let paid = [rule("paid", json!({}))];
    assert_eq!(decision_lines(&north, &paid, &ann(json!(["north"]))), sent);
    assert_eq!(decision_lines(&south, &paid, &ann(json!(["north"]))), refused);
    assert_eq!(decision_lines(&south, &paid, &ann(json!(["north", "south"]))), sent);
    assert_eq!(decision_lines(&south, &paid, &ann(json!(["*"]))), sent);
    assert_eq!(decision_lines(&south, &paid, &ann(json!([]))), refused);
    assert_eq!(decision_lines(&nobodys, &paid, &ann(json!([]))), sent);
    assert_eq!(decision_lines(&nobodys, &paid, &ann(json!(["north"]))), sent);
}

#[test]
fn device_of_another_tenant_gets_no_push() {
    let device = |id: &str, tenant: Value| json!({ "id": id, "platform": "fcm", "endpoint": format!("arn:{id}"), "tenant": tenant });
    let devices =
        [device("own", Value::Null), device("north", json!("north")), device("south", json!("south"))];
    let ann = json!([{ "id": "ann", "tenants": ["north", "south"], "devices": devices }]);
    let paid_in = |tenant: &str| paid("ann", json!({ "tenant": tenant }));
    let rules = [rule("paid", json!({ "channels": ["push"] }))];
    assert_eq!(decision_lines(&paid_in("north"), &rules, &ann).len(), 2);
    let planted = json!([{ "id": "ann", "tenants": ["*"], "devices": [device("south", json!("south"))] }]);
    assert_eq!(decision_lines(&paid_in("north"), &rules, &planted), ["paid → ann by push: no_address"]);
}

#[test]
fn room_is_reached_by_socket_only() {
    check(
        "till-1",
        json!({ "channels": ["email", "socket"], "to": [room("shop", "$.data.user")] }),
        &["paid → room:shop:till-1 by socket: send to the room shop:till-1"],
    );
}

#[test]
fn unmatched_communication_event_has_no_outcome() {
    let from = |source: &str| Event {
        kind: "communication.sent".to_owned(),
        source: source.to_owned(),
        ..paid("ann", json!({}))
    };
    assert_eq!(decision_lines(&from("carillon/relay"), &[], &people()), [""; 0]);
    assert_eq!(
        decision_lines(&from("/tenants/north"), &[], &people()),
        ["- → - by -: no_rule"],
        "an event of another source"
    );
    let rule = rule("told", json!({ "when": { "detail-type": ["communication.sent"] } }));
    assert_ne!(
        decision_lines(&from("carillon/relay"), &[rule], &people()),
        [""; 0],
        "a matching rule must decide it"
    );
}

#[test]
fn missing_rule_and_missing_recipient_have_outcomes() {
    let event = paid("ann", json!({}));
    assert_eq!(decision_lines(&event, &[], &people()), ["- → - by -: no_rule"]);
    let elsewhere = rule("sent", json!({ "when": { "detail-type": ["order.sent"] } }));
    assert_eq!(decision_lines(&event, &[elsewhere], &people()), ["- → - by -: no_rule"]);
    let nobody = rule("paid", json!({ "to": [user("$.data.nobody")] }));
    let somebody = rule("also", json!({}));
    assert_eq!(
        decision_lines(&event, &[nobody, somebody], &people()),
        ["paid → - by -: no_recipient", "also → ann by email: send to ann@example.com"],
    );
}

#[test]
fn first_refusal_counts() {
    let late_and_unknown = paid("zoe", json!({ "expirytime": "2026-11-20T12:30:00Z" }));
    assert_eq!(
        decision_lines(&late_and_unknown, &[rule("paid", json!({}))], &people()),
        ["paid → zoe by email: expired"]
    );
    let other_tenant_and_no_address = paid("dora", json!({ "tenant": "south" }));
    assert_eq!(
        decision_lines(&other_tenant_and_no_address, &[rule("paid", json!({}))], &people()),
        ["paid → dora by email: other_tenant"],
    );
}

#[track_caller]
fn check(user: &str, others: Value, expected: &[&str]) {
    assert_eq!(decision_lines(&paid(user, json!({})), &[rule("paid", others)], &people()), expected);
}

fn people() -> Value {
    json!([
        { "id": "ann", "email": "ann@example.com", "tenants": ["*"] },
        { "id": "ben" },
        { "id": "cem", "email": "no-at-sign" },
        { "id": "dora", "tenants": ["north"] },
    ])
}
