use serde_json::{Value, json};

use super::{ask, set};
use crate::recipient::preference::{Layers, Preferences};

#[test]
fn recipient_overrides_environment_without_a_tenant() {
    let layers = json!({"environment": email(false), "recipient": email(true)});
    check(&layers, false, &["channel_types.email = true (recipient)"]);
    check(&json!({"environment": email(false)}), false, &["channel_types.email = false (environment)"]);
}

#[test]
fn general_set_is_ignored_with_a_tenant() {
    let layers = json!({"environment": email(true), "tenant": email(false), "recipient": email(true)});
    check(&layers, true, &["channel_types.email = false (tenant)"]);
    let layers =
        json!({"recipient": email(true), "recipient_in_tenant": email(false), "tenant": email(true)});
    check(&layers, true, &["channel_types.email = false (recipient in tenant)"]);
    check(&layers, false, &["channel_types.email = true (recipient)"]);
}

#[test]
fn general_set_applies_if_both_tenant_sets_are_missing() {
    let layers = json!({"environment": email(true), "recipient": email(false)});
    check(&layers, true, &["channel_types.email = false (recipient)"]);
    let layers = json!({"environment": email(true), "recipient": email(false), "recipient_in_tenant": {}});
    check(&layers, true, &["channel_types.email = true (environment)"]);
    let layers = json!({"environment": email(true), "recipient": email(false), "tenant": {}});
    check(&layers, true, &["channel_types.email = true (environment)"]);
}

#[test]
fn sets_are_merged_by_key_at_every_depth() {
    let layers = json!({
        "environment": {"categories": {"lab": {"channel_types": {"email": true, "sms": false}, "conditions": [{"a": [1]}]}}},
        "tenant": {"categories": {"lab": {"channel_types": {"sms": true}}, "news": false}},
        "recipient_in_tenant": {"categories": {"lab": {"conditions": []}}, "commercial_subscribed": false},
    });
    check(
        &layers,
        true,
        &[
            "categories.lab.channel_types.email = true (environment)",
            "categories.lab.channel_types.sms = true (tenant)",
            "categories.lab.conditions = [] (recipient in tenant)",
            "categories.news = false (tenant)",
            "commercial_subscribed = false (recipient in tenant)",
        ],
    );
}

#[test]
fn bool_and_object_replace_each_other() {
    let layers = json!({"environment": lab(json!({"channel_types": {"email": false}})), "recipient": lab(json!(true))});
    check(&layers, false, &["categories.lab = true (recipient)"]);
    let layers =
        json!({"environment": lab(json!(false)), "recipient": lab(json!({"channel_types": {"sms": true}}))});
    check(&layers, false, &["categories.lab.channel_types.sms = true (recipient)"]);
}

#[test]
fn lock_excludes_higher_sets_also_for_missing_keys() {
    let locked = json!({"channel_types": {"email": false, "__strategy__": "replace"}});
    let recipient = json!({"channel_types": {"email": true, "sms": false}, "channels": {"ses": false}});
    let layers = json!({"environment": locked, "recipient": recipient});
    let expected = ["channel_types.email = false (environment, locked)", "channels.ses = false (recipient)"];
    check(&layers, false, &expected);
    let layers = json!({"tenant": locked, "environment": email(true), "recipient_in_tenant": email(true)});
    check(&layers, true, &["channel_types.email = false (tenant, locked)"]);
}

#[test]
fn lock_keeps_the_values_of_lower_sets() {
    let layers = json!({
        "environment": {"channel_types": {"email": false, "sms": false}},
        "tenant": {"channel_types": {"email": true, "__strategy__": "replace"}},
        "recipient_in_tenant": {"channel_types": {"sms": true}},
    });
    let expected =
        ["channel_types.email = true (tenant, locked)", "channel_types.sms = false (environment, locked)"];
    check(&layers, true, &expected);
}

#[test]
fn lower_lock_wins() {
    let layers = json!({
        "environment": {"channel_types": {"email": false, "__strategy__": "replace"}},
        "tenant": {"__strategy__": "replace", "channel_types": {"email": true}},
    });
    check(&layers, true, &["channel_types.email = false (environment, locked)"]);
}

#[test]
fn whole_set_can_be_locked() {
    let layers = json!({"environment": {"__strategy__": "replace"}, "recipient": email(false)});
    check(&layers, false, &[]);
}

#[test]
fn bool_does_not_remove_a_nested_lock() {
    let locked =
        json!({"channel_types": {"email": false, "__strategy__": "replace"}, "channels": {"ses": false}});
    let layers = json!({"environment": lab(locked), "recipient": lab(json!(true))});
    check(
        &layers,
        false,
        &[
            "categories.lab = true (recipient)",
            "categories.lab.channel_types.email = false (environment, locked)",
        ],
    );
    let layers = json!({
        "environment": lab(json!({"channel_types": {"email": false, "__strategy__": "replace"}, "channels": {"ses": false}})),
        "tenant": lab(json!(true)),
        "recipient_in_tenant": lab(json!({"channel_types": {"email": true}, "channels": {"sns": true}})),
    });
    check(
        &layers,
        true,
        &[
            "categories.lab.channel_types.email = false (environment, locked)",
            "categories.lab.channels.sns = true (recipient in tenant)",
        ],
    );
}

#[test]
fn lock_in_a_recipients_set_has_no_effect() {
    let layers =
        json!({"environment": email(false), "recipient": {"channel_types": {"__strategy__": "replace"}}});
    check(&layers, false, &["channel_types.email = false (environment)"]);
}

#[test]
fn empty_lock_allows_permanently() {
    let environment = set(&json!({"workflows": {"paid": {"__strategy__": "replace"}}}));
    let recipient = set(&json!({"workflows": {"paid": false}}));
    let layers = Layers { environment: Some(&environment), recipient: Some(&recipient), ..Layers::default() };
    assert!(ask(&layers, &json!({})).allowed);
}

#[test]
fn removed_lock_restores_the_recipients_value() {
    let recipient = set(&email(false));
    let locked = set(&json!({"channel_types": {"email": true, "__strategy__": "replace"}}));
    let lifted = locked.merged_with(&set(&json!({"channel_types": {"__strategy__": "merge"}}))).unwrap();
    let allowed = |environment: &Preferences| {
        let layers =
            Layers { environment: Some(environment), recipient: Some(&recipient), ..Layers::default() };
        ask(&layers, &json!({})).allowed
    };
    assert!(allowed(&locked));
    assert!(!allowed(&lifted));
}

fn email(on: bool) -> Value {
    json!({"channel_types": {"email": on}})
}

#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn lab(entry: Value) -> Value {
    json!({"categories": {"lab": entry}})
}

/// Checks the effective values. `sets` has one set per layer.
#[track_caller]
fn check(sets: &Value, has_tenant: bool, expected: &[&str]) {
    let read = |name: &str| sets.get(name).map(set);
    let (environment, tenant) = (read("environment"), read("tenant"));
    let (recipient, recipient_in_tenant) = (read("recipient"), read("recipient_in_tenant"));
    let layers = Layers {
        environment: environment.as_ref(),
        tenant: tenant.as_ref(),
        recipient: recipient.as_ref(),
        recipient_in_tenant: recipient_in_tenant.as_ref(),
        unsubscribed: None,
    };
    let leaves: Vec<String> = layers
        .merged(has_tenant)
        .iter()
        .map(|leaf| {
            let lock = if leaf.locked { ", locked" } else { "" };
            format!("{} = {} ({}{lock})", leaf.path.join("."), leaf.value, leaf.layer.name())
        })
        .collect();
    assert_eq!(leaves, expected, "{sets}");
}
