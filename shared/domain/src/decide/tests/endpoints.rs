//! Webhook endpoints as recipients.

use serde_json::{Value, json};

use super::{catalog, decided, describe, now, paid, rule, send, user};
use crate::decide::plan::{Plan, endpoint_name, user_name};
use crate::decide::{Decision, Target, Verdict};
use crate::recipient::{Group, Recipients};
use crate::webhook::endpoint::{Endpoint, EndpointId};

#[test]
fn rule_addresses_endpoints_of_the_events_tenant_only() {
    for (others, tenant) in [(json!({ "tenant": "acme" }), Some("acme")), (json!({}), None)] {
        let (catalog, event) = (catalog(&[webhook(json!({}))]), paid("ann", others));
        let plan = Plan::of(&event, &catalog);
        assert_eq!(plan.matches[0].groups, [Group::Endpoints { tenant: tenant.map(str::to_owned) }]);
    }
}

#[test]
fn disabled_or_filtered_endpoint_is_suppressed() {
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
    let notes = play(json!({}), &[off], |decision| {
        decision.notes.iter().map(ToString::to_string).collect::<Vec<_>>()
    });
    assert_eq!(notes[0], ["the endpoint is disabled since 2026-11-20T12:00:00Z: it answered 410 Gone"]);
}

#[test]
fn deleted_endpoint_is_unknown() {
    let (catalog, event) = (catalog(&[webhook(json!({}))]), paid("ann", json!({})));
    let mut plan = Plan::of(&event, &catalog);
    plan.matches[0].add(&Group::Endpoints { tenant: None }, ["erp".to_owned()]);
    let lines: Vec<String> = decided(&plan, &Recipients::new(), now()).iter().map(describe).collect();
    assert_eq!(lines, ["hook → endpoint:-/erp by webhook: unknown_recipient"]);
}

#[test]
fn endpoint_gets_the_newest_version_it_supports() {
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
fn waits_and_digests_do_not_apply_to_endpoints() {
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
fn people_get_no_webhooks_and_endpoints_no_email() {
    let others = json!({ "channels": ["email", "webhook"], "to": [{ "endpoints": "tenant" }] });
    check(
        others,
        &[json!({ "id": "erp" })],
        &["hook → endpoint:-/erp by webhook: send to the endpoint -/erp"],
    );
}

#[test]
fn missing_endpoints_are_reported_only_without_other_rules() {
    check(json!({}), &[], &["hook → - by -: no_recipient"]);
    let rules = [webhook(json!({})), rule("mail", json!({ "to": [{ "user": { "literal": "ann" } }] }))];
    let (catalog, event) = (catalog(&rules), paid("ann", json!({})));
    let plan = Plan::of(&event, &catalog);
    let lines: Vec<String> = decided(&plan, &Recipients::new(), now()).iter().map(describe).collect();
    assert_eq!(lines, ["mail → ann by email: unknown_recipient"]);
}

#[test]
fn user_named_like_an_endpoint_is_not_an_endpoint() {
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
    let mut lines = play(others, endpoints, describe);
    lines.sort();
    assert_eq!(lines, expected);
}

fn play<T>(others: Value, endpoints: &[Value], describe: impl Fn(&Decision<'_>) -> T) -> Vec<T> {
    let (catalog, event) = (catalog(&[webhook(others)]), paid("ann", json!({})));
    let mut plan = Plan::of(&event, &catalog);
    for members in endpoints {
        let mut members = members.clone();
        members["url"] = "https://example.com/".into();
        let endpoint: Endpoint = serde_json::from_value(members).unwrap();
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
    decisions.iter().map(describe).collect()
}
