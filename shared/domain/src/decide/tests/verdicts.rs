use serde_json::{Value, json};

use super::{paid, room, rule, story, user};
use crate::event::Event;

#[test]
fn a_known_person_is_told_on_every_channel_of_the_rule() {
    check(
        "ann",
        json!({ "channels": ["socket", "email"] }),
        &["paid → ann by socket: send to the sockets of ann", "paid → ann by email: send to ann@example.com"],
    );
}

#[test]
fn somebody_unknown_is_told_nothing_on_any_channel() {
    check(
        "zoe",
        json!({ "channels": ["socket", "email"] }),
        &["paid → zoe by socket: unknown_recipient", "paid → zoe by email: unknown_recipient"],
    );
}

#[test]
fn a_person_without_an_address_is_still_reached_by_socket() {
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
fn an_event_of_a_tenant_reaches_only_its_own_people_and_those_of_all() {
    let north = paid("ann", json!({ "tenant": "north" }));
    let south = paid("ann", json!({ "tenant": "south" }));
    let nobodys = paid("ann", json!({}));
    let ann = |tenants: Value| json!([{ "id": "ann", "email": "ann@example.com", "tenants": tenants }]);
    let refused = ["paid → ann by email: other_tenant"];
    let sent = ["paid → ann by email: send to ann@example.com"];
    let paid = [rule("paid", json!({}))];
    assert_eq!(story(&north, &paid, &ann(json!(["north"]))), sent);
    assert_eq!(story(&south, &paid, &ann(json!(["north"]))), refused);
    assert_eq!(story(&south, &paid, &ann(json!(["north", "south"]))), sent);
    assert_eq!(story(&south, &paid, &ann(json!(["*"]))), sent);
    assert_eq!(story(&south, &paid, &ann(json!([]))), refused);
    assert_eq!(story(&nobodys, &paid, &ann(json!([]))), sent);
    assert_eq!(story(&nobodys, &paid, &ann(json!(["north"]))), sent);
}

#[test]
fn device_that_another_tenant_registered_gets_no_note() {
    let device = |id: &str, tenant: Value| json!({ "id": id, "platform": "fcm", "endpoint": format!("arn:{id}"), "tenant": tenant });
    let devices =
        [device("own", Value::Null), device("north", json!("north")), device("south", json!("south"))];
    let ann = json!([{ "id": "ann", "tenants": ["north", "south"], "devices": devices }]);
    let paid_in = |tenant: &str| paid("ann", json!({ "tenant": tenant }));
    let rules = [rule("paid", json!({ "channels": ["push"] }))];
    assert_eq!(story(&paid_in("north"), &rules, &ann).len(), 2);
    let planted = json!([{ "id": "ann", "tenants": ["*"], "devices": [device("south", json!("south"))] }]);
    assert_eq!(story(&paid_in("north"), &rules, &planted), ["paid → ann by push: no_address"]);
}

#[test]
fn a_room_is_reached_by_socket_only_and_belongs_to_nobody() {
    check(
        "till-1",
        json!({ "channels": ["email", "socket"], "to": [room("shop", "$.data.user")] }),
        &["paid → room:shop:till-1 by socket: send to the room shop:till-1"],
    );
}

#[test]
fn our_own_news_of_a_communication_leaves_no_trace_where_no_rule_matches() {
    let from = |source: &str| Event {
        kind: "communication.sent".to_owned(),
        source: source.to_owned(),
        ..paid("ann", json!({}))
    };
    assert_eq!(story(&from("carillon/relay"), &[], &people()), [""; 0]);
    assert_eq!(story(&from("/tenants/north"), &[], &people()), ["- → - by -: no_rule"], "another's event");
    let rule = rule("told", json!({ "when": { "detail-type": ["communication.sent"] } }));
    assert_ne!(story(&from("carillon/relay"), &[rule], &people()), [""; 0], "a rule may match it");
}

#[test]
fn an_event_without_a_rule_and_a_rule_without_a_recipient_leave_a_trace() {
    let event = paid("ann", json!({}));
    assert_eq!(story(&event, &[], &people()), ["- → - by -: no_rule"]);
    let elsewhere = rule("sent", json!({ "when": { "detail-type": ["order.sent"] } }));
    assert_eq!(story(&event, &[elsewhere], &people()), ["- → - by -: no_rule"]);
    let nobody = rule("paid", json!({ "to": [user("$.data.nobody")] }));
    let somebody = rule("also", json!({}));
    assert_eq!(
        story(&event, &[nobody, somebody], &people()),
        ["paid → - by -: no_recipient", "also → ann by email: send to ann@example.com"],
    );
}

#[test]
fn the_first_no_stands() {
    let late_and_unknown = paid("zoe", json!({ "expirytime": "2026-11-20T12:30:00Z" }));
    assert_eq!(
        story(&late_and_unknown, &[rule("paid", json!({}))], &people()),
        ["paid → zoe by email: expired"]
    );
    let other_tenant_and_no_address = paid("dora", json!({ "tenant": "south" }));
    assert_eq!(
        story(&other_tenant_and_no_address, &[rule("paid", json!({}))], &people()),
        ["paid → dora by email: other_tenant"],
    );
}

#[track_caller]
fn check(user: &str, others: Value, expected: &[&str]) {
    assert_eq!(story(&paid(user, json!({})), &[rule("paid", others)], &people()), expected);
}

fn people() -> Value {
    json!([
        { "id": "ann", "email": "ann@example.com", "tenants": ["*"] },
        { "id": "ben" },
        { "id": "cem", "email": "no-at-sign" },
        { "id": "dora", "tenants": ["north"] },
    ])
}
