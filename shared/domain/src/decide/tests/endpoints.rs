//! Webhook endpoints: who among them hears of an event, and why the others do not.

use serde_json::{Value, json};

use super::{catalog, decided, now, paid, rule, send, tell, user};
use crate::decide::{Decision, Target, Verdict};
use crate::endpoint::{Endpoint, EndpointId};
use crate::plan::{Plan, endpoint_name, user_name};
use crate::recipient::{Group, Recipients};

#[test]
fn a_rule_names_the_endpoints_of_the_events_tenant_and_of_no_other() {
    for (others, tenant) in [(json!({ "tenant": "acme" }), Some("acme")), (json!({}), None)] {
        let (catalog, event) = (catalog(&[webhook(json!({}))]), paid("ann", others));
        let plan = Plan::of(&event, &catalog);
        assert_eq!(plan.matches[0].groups, [Group::Endpoints { tenant: tenant.map(str::to_owned) }]);
    }
}

#[test]
fn an_endpoint_is_told_unless_it_is_off_or_does_not_want_it() {
    check(
        json!({}),
        &[json!({ "id": "erp" })],
        &["hook → endpoint:-/erp by webhook: send to the endpoint -/erp"],
    );
    check(
        json!({}),
        &[json!({ "id": "erp", "when": { "detail-type": ["order.sent"] } })],
        &["hook → endpoint:-/erp by webhook: endpoint_pattern"],
    );
    let off = json!({ "id": "erp", "disabled": { "why": "gone", "at": "2026-11-20T12:00:00Z" } });
    check(json!({}), std::slice::from_ref(&off), &["hook → endpoint:-/erp by webhook: endpoint_disabled"]);
    let notes = play(json!({}), &[off], |it| it.notes.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(notes[0], ["the endpoint is switched off since 2026-11-20T12:00:00Z: it answered 410 Gone"]);
}

#[test]
fn an_endpoint_that_is_gone_when_it_is_looked_up_is_not_known() {
    let (catalog, event) = (catalog(&[webhook(json!({}))]), paid("ann", json!({})));
    let mut plan = Plan::of(&event, &catalog);
    plan.matches[0].add(&Group::Endpoints { tenant: None }, ["erp".to_owned()]);
    let told: Vec<String> = decided(&plan, &Recipients::new(), now()).iter().map(tell).collect();
    assert_eq!(told, ["hook → endpoint:-/erp by webhook: unknown_recipient"]);
}

#[test]
fn an_endpoint_gets_the_youngest_form_that_it_can_know() {
    let versions = json!({ "versions": { "2026-05": ["$.data.a"], "2026-09": ["$.data.b"] } });
    for (wants, expected) in [
        ("2026-04", "endpoint_version"),
        ("2026-05", "send to the endpoint -/erp"),
        ("2026-12", "send to the endpoint -/erp"),
    ] {
        let line = format!("hook → endpoint:-/erp by webhook: {expected}");
        check(versions.clone(), &[json!({ "id": "erp", "version": wants })], &[&line]);
    }
    let catalog = catalog(&[webhook(versions)]);
    let last = |version: Option<&str>| {
        catalog.rules()[0].exposed_in(version).map(|exposed_in| exposed_in[0].last().to_owned())
    };
    assert_eq!(last(Some("2026-08")).as_deref(), Some("a"));
    assert_eq!(last(Some("2026-09")).as_deref(), Some("b"));
    assert_eq!(last(None).as_deref(), Some("c"), "the current one");
    assert_eq!(last(Some("2025")), None);
}

#[test]
fn an_endpoint_is_told_at_once_and_each_event_alone() {
    let steps = json!([
        { "digest": { "span": "10m", "policy": {} } },
        send(json!(["socket", "webhook"])),
        { "wait": { "for": "PT1H" } },
        send(json!(["email"])),
    ]);
    let others = json!({ "steps": steps, "to": [{ "endpoints": "tenant" }, user("$.data.user")] });
    check(
        others,
        &[json!({ "id": "erp" })],
        &[
            "hook → ann by socket: unknown_recipient",
            "hook → endpoint:-/erp by webhook: send to the endpoint -/erp",
        ],
    );
}

#[test]
fn people_have_no_endpoints_and_endpoints_no_mailbox() {
    let others = json!({ "channels": ["email", "webhook"], "to": [{ "endpoints": "tenant" }] });
    check(
        others,
        &[json!({ "id": "erp" })],
        &["hook → endpoint:-/erp by webhook: send to the endpoint -/erp"],
    );
}

#[test]
fn that_there_is_no_endpoint_is_a_row_only_where_nothing_else_is() {
    check(json!({}), &[], &["hook → - by -: no_recipient"]);
    let rules = [webhook(json!({})), rule("mail", json!({ "to": [{ "user": { "literal": "ann" } }] }))];
    let (catalog, event) = (catalog(&rules), paid("ann", json!({})));
    let plan = Plan::of(&event, &catalog);
    let told: Vec<String> = decided(&plan, &Recipients::new(), now()).iter().map(tell).collect();
    assert_eq!(told, ["mail → ann by email: unknown_recipient"]);
}

#[test]
fn a_user_called_like_an_endpoint_does_not_pass_for_one() {
    let endpoint = endpoint_name(&EndpointId { tenant: None, id: "erp".into() });
    assert_ne!(user_name(&endpoint), endpoint);
}

fn webhook(others: Value) -> Value {
    let mut own = json!({
        "channels": ["webhook"], "to": [{ "endpoints": "tenant" }], "expose": ["$.data.c"],
    });
    own.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    rule("hook", own)
}

#[track_caller]
fn check(others: Value, endpoints: &[Value], expected: &[&str]) {
    let mut told = play(others, endpoints, tell);
    told.sort();
    assert_eq!(told, expected);
}

fn play<T>(others: Value, endpoints: &[Value], tell: impl Fn(&Decision<'_>) -> T) -> Vec<T> {
    let (catalog, event) = (catalog(&[webhook(others)]), paid("ann", json!({})));
    let mut plan = Plan::of(&event, &catalog);
    for it in endpoints {
        let mut it = it.clone();
        it["url"] = "https://example.com/".into();
        let endpoint: Endpoint = serde_json::from_value(it).unwrap();
        plan.matches[0].add(&Group::Endpoints { tenant: None }, [endpoint.id.id.clone()]);
        plan.endpoints.insert(endpoint_name(&endpoint.id), endpoint);
    }
    let nobody = Recipients::new();
    let decisions = decided(&plan, &nobody, now());
    for decision in &decisions {
        if let Verdict::Send(order) = &decision.verdict {
            assert!(matches!(order.target, Target::Webhook { .. }));
        }
    }
    decisions.iter().map(tell).collect()
}
