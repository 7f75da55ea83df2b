use serde_json::{Value, json};

use super::{ask, set};
use crate::preference::{Layers, Preferences};

#[test]
fn without_a_tenant_the_recipient_stands_above_the_environment() {
    let said = json!({"environment": email(false), "recipient": email(true)});
    check(&said, false, &["channel_types.email = true (recipient)"]);
    check(&json!({"environment": email(false)}), false, &["channel_types.email = false (environment)"]);
}

#[test]
fn with_a_tenant_the_recipients_general_set_has_no_say() {
    let said = json!({"environment": email(true), "tenant": email(false), "recipient": email(true)});
    check(&said, true, &["channel_types.email = false (tenant)"]);
    let said = json!({"recipient": email(true), "recipient_in_tenant": email(false), "tenant": email(true)});
    check(&said, true, &["channel_types.email = false (recipient in tenant)"]);
    check(&said, false, &["channel_types.email = true (recipient)"]);
}

#[test]
fn only_without_both_tenant_sets_the_general_set_counts_for_a_tenants_event() {
    let said = json!({"environment": email(true), "recipient": email(false)});
    check(&said, true, &["channel_types.email = false (recipient)"]);
    let said = json!({"environment": email(true), "recipient": email(false), "recipient_in_tenant": {}});
    check(&said, true, &["channel_types.email = true (environment)"]);
    let said = json!({"environment": email(true), "recipient": email(false), "tenant": {}});
    check(&said, true, &["channel_types.email = true (environment)"]);
}

#[test]
fn sets_are_merged_by_key_at_every_depth() {
    let said = json!({
        "environment": {"categories": {"lab": {"channel_types": {"email": true, "sms": false}, "conditions": [{"a": [1]}]}}},
        "tenant": {"categories": {"lab": {"channel_types": {"sms": true}}, "news": false}},
        "recipient_in_tenant": {"categories": {"lab": {"conditions": []}}, "commercial_subscribed": false},
    });
    check(
        &said,
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
fn a_bool_and_an_object_take_each_others_place() {
    let said = json!({"environment": lab(json!({"channel_types": {"email": false}})), "recipient": lab(json!(true))});
    check(&said, false, &["categories.lab = true (recipient)"]);
    let said =
        json!({"environment": lab(json!(false)), "recipient": lab(json!({"channel_types": {"sms": true}}))});
    check(&said, false, &["categories.lab.channel_types.sms = true (recipient)"]);
}

#[test]
fn a_locked_object_shuts_out_every_higher_set_and_the_keys_it_does_not_name() {
    let locked = json!({"channel_types": {"email": false, "__strategy__": "replace"}});
    let recipient = json!({"channel_types": {"email": true, "sms": false}, "channels": {"ses": false}});
    let said = json!({"environment": locked, "recipient": recipient});
    let expected = ["channel_types.email = false (environment, locked)", "channels.ses = false (recipient)"];
    check(&said, false, &expected);
    let said = json!({"tenant": locked, "environment": email(true), "recipient_in_tenant": email(true)});
    check(&said, true, &["channel_types.email = false (tenant, locked)"]);
}

#[test]
fn a_lock_over_a_lower_set_still_lets_it_through_where_it_is_silent() {
    let said = json!({
        "environment": {"channel_types": {"email": false, "sms": false}},
        "tenant": {"channel_types": {"email": true, "__strategy__": "replace"}},
        "recipient_in_tenant": {"channel_types": {"sms": true}},
    });
    let expected =
        ["channel_types.email = true (tenant, locked)", "channel_types.sms = false (environment, locked)"];
    check(&said, true, &expected);
}

#[test]
fn the_lower_of_two_locks_holds() {
    let said = json!({
        "environment": {"channel_types": {"email": false, "__strategy__": "replace"}},
        "tenant": {"__strategy__": "replace", "channel_types": {"email": true}},
    });
    check(&said, true, &["channel_types.email = false (environment, locked)"]);
}

#[test]
fn a_set_may_be_locked_as_a_whole() {
    let said = json!({"environment": {"__strategy__": "replace"}, "recipient": email(false)});
    check(&said, false, &[]);
}

#[test]
fn a_bool_above_does_not_remove_a_lock_further_down() {
    let locked =
        json!({"channel_types": {"email": false, "__strategy__": "replace"}, "channels": {"ses": false}});
    let said = json!({"environment": lab(locked), "recipient": lab(json!(true))});
    check(
        &said,
        false,
        &[
            "categories.lab = true (recipient)",
            "categories.lab.channel_types.email = false (environment, locked)",
        ],
    );
    let said = json!({
        "environment": lab(json!({"channel_types": {"email": false, "__strategy__": "replace"}, "channels": {"ses": false}})),
        "tenant": lab(json!(true)),
        "recipient_in_tenant": lab(json!({"channel_types": {"email": true}, "channels": {"sns": true}})),
    });
    check(
        &said,
        true,
        &[
            "categories.lab.channel_types.email = false (environment, locked)",
            "categories.lab.channels.sns = true (recipient in tenant)",
        ],
    );
}

#[test]
fn a_recipient_locks_nothing() {
    let said =
        json!({"environment": email(false), "recipient": {"channel_types": {"__strategy__": "replace"}}});
    check(&said, false, &["channel_types.email = false (environment)"]);
}

#[test]
fn an_empty_lock_means_allowed_for_good() {
    let environment = set(&json!({"workflows": {"paid": {"__strategy__": "replace"}}}));
    let recipient = set(&json!({"workflows": {"paid": false}}));
    let layers = Layers { environment: Some(&environment), recipient: Some(&recipient), ..Layers::default() };
    assert!(ask(&layers, &json!({})).allowed);
}

#[test]
fn a_lock_that_is_gone_brings_the_recipients_value_back() {
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

/// `said` has a set per layer; `expected` is every value that counts.
#[track_caller]
fn check(said: &Value, has_tenant: bool, expected: &[&str]) {
    let read = |name: &str| said.get(name).map(set);
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
        .map(|it| {
            let lock = if it.locked { ", locked" } else { "" };
            format!("{} = {} ({}{lock})", it.path.join("."), it.value, it.layer.name())
        })
        .collect();
    assert_eq!(leaves, expected, "{said}");
}
