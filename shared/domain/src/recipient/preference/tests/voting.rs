use serde_json::{Value, json};

use super::{ask, set};
use crate::catalog::rule::Rule;
use crate::recipient::preference::{Layers, Vote};
use crate::recipient::unsubscribe::{Scope, Unsubscribed};

#[test]
fn allowed_without_any_preference() {
    check(&json!({}), &json!({}), "allowed: no preference applies");
    check(
        &json!({"workflows": {"shipped": false}, "categories": {"news": false}, "channel_types": {"socket": false}}),
        &json!({}),
        "allowed: no preference applies",
    );
}

#[test]
fn bool_turns_a_rule_or_category_off() {
    check(&json!({"workflows": {"paid": false}}), &json!({}), "denied: rule paid is off (environment)");
    check(
        &json!({"categories": {"billing": false}}),
        &json!({}),
        "denied: category billing is off (environment)",
    );
    check(&json!({"workflows": {"paid": true}}), &json!({}), "allowed: rule paid is on (environment)");
}

#[test]
fn single_no_denies() {
    let stored = json!({
        "channels": {"email": true}, "channel_types": {"email": true}, "workflows": {"paid": true},
        "categories": {"billing": true, "legal": {"channel_types": {"email": false}}},
    });
    let both = json!({"categories": ["billing", "legal"]});
    check(&stored, &both, "denied: email is off for category legal (environment)");
    check(&stored, &json!({}), "allowed: category billing is on (environment)");
}

#[test]
fn channel_id_overrides_its_type_within_a_scope() {
    let same = json!({"channels": {"ses-eu": true}, "channel_types": {"email": false}});
    check(&same, &json!({"id": "ses-eu"}), "allowed: channel ses-eu is on for everything (environment)");
    check(&same, &json!({"id": "ses-us"}), "denied: email is off for everything (environment)");
    check(&same, &json!({}), "denied: email is off for everything (environment)");
    let across =
        json!({"channels": {"ses-eu": true}, "workflows": {"paid": {"channel_types": {"email": false}}}});
    check(&across, &json!({"id": "ses-eu"}), "denied: email is off for rule paid (environment)");
}

#[test]
fn single_provider_has_the_channel_types_name() {
    let stored = json!({"channels": {"email": false}, "channel_types": {"email": true}});
    check(&stored, &json!({}), "denied: channel email is off for everything (environment)");
    check(&stored, &json!({"id": "ses-eu"}), "allowed: email is on for everything (environment)");
}

#[test]
fn all_conditions_of_an_entry_must_hold() {
    let severe = |than: u32| json!({"detail": {"data": {"severity": [{"numeric": [">", than]}]}}});
    let icu = json!({"detail": {"data": {"ward": ["icu"]}}});
    let stored = |conditions: Value| json!({"categories": {"billing": {"conditions": conditions}}});
    check(
        &stored(json!([icu, severe(2)])),
        &json!({}),
        "allowed: the conditions of category billing hold (environment)",
    );
    check(
        &stored(json!([icu, severe(3)])),
        &json!({}),
        "denied: condition 2 of category billing does not hold (environment)",
    );
    check(&stored(json!([])), &json!({}), "allowed: the conditions of category billing hold (environment)");
}

#[test]
fn commercial_rule_is_denied_without_a_subscription() {
    let ended = json!({"commercial_subscribed": false, "channel_types": {"email": true}});
    check(&ended, &json!({"commercial": true}), "denied: commercial messages are off (environment)");
    check(&ended, &json!({}), "allowed: email is on for everything (environment)");
    let kept = json!({"commercial_subscribed": true});
    check(&kept, &json!({"commercial": true}), "allowed: commercial messages are on (environment)");
    check(&json!({}), &json!({"commercial": true}), "allowed: no preference applies");
}

#[test]
fn critical_rule_is_allowed_without_a_vote() {
    let all_off = json!({
        "commercial_subscribed": false, "channel_types": {"email": false, "__strategy__": "replace"},
        "workflows": {"paid": false}, "categories": {"billing": false},
    });
    let critical = json!({"critical": true, "commercial": true});
    check(&all_off, &critical, "allowed: the rule is critical and overrides preferences");
}

#[test]
fn votes_are_listed_in_evaluation_order() {
    let (environment, recipient) = (
        set(&json!({
            "channel_types": {"email": true},
            "workflows": {"paid": {"conditions": [], "channels": {"email": true, "__strategy__": "replace"}}},
        })),
        set(&json!({"commercial_subscribed": true, "categories": {"billing": false}})),
    );
    let layers = Layers { environment: Some(&environment), recipient: Some(&recipient), ..Layers::default() };
    let vote = ask(&layers, &json!({"commercial": true}));
    let votes: Vec<String> = vote.votes.iter().map(ToString::to_string).collect();
    let expected = [
        "commercial messages are on (recipient)",
        "email is on for everything (environment)",
        "the conditions of rule paid hold (environment)",
        "channel email is on for rule paid (environment, locked)",
        "category billing is off (recipient)",
    ];
    assert_eq!(votes, expected);
}

#[test]
fn unsubscription_overrides_all_layers() {
    let commercial = json!({"commercial": true});
    leaves(
        "commercial",
        &json!({}),
        &commercial,
        "denied: unsubscribed from commercial messages (recipient)",
    );
    let wants = json!({"commercial_subscribed": true});
    leaves("commercial", &wants, &commercial, "denied: unsubscribed from commercial messages (recipient)");
    let locked = json!({"commercial_subscribed": true, "__strategy__": "replace"});
    leaves("commercial", &locked, &commercial, "denied: unsubscribed from commercial messages (recipient)");
    leaves("commercial", &json!({}), &json!({}), "allowed: no preference applies");
    leaves(
        "category:billing",
        &json!({}),
        &json!({}),
        "denied: unsubscribed from category billing (recipient)",
    );
    leaves("category:other", &json!({}), &json!({}), "allowed: no preference applies");
    let critical = json!({"critical": true});
    leaves(
        "category:billing",
        &json!({}),
        &critical,
        "allowed: the rule is critical and overrides preferences",
    );
}

#[test]
fn locked_category_ignores_an_unsubscription() {
    let locked = json!({"categories": {"billing": {"__strategy__": "replace"}}});
    leaves("category:billing", &locked, &json!({}), "allowed: no preference applies");
}

#[test]
fn unsubscribe_link_is_offered_for_commercial_and_optional_unlocked_rules() {
    let billing = Scope::Category("billing".to_owned());
    let billing = Some(&billing);
    let locked = json!({"categories": {"billing": {"__strategy__": "replace"}}});
    offers(&json!({}), &json!({}), &["billing"], billing);
    offers(&json!({}), &json!({}), &[], None);
    offers(&locked, &json!({}), &["billing"], None);
    offers(&locked, &json!({"commercial": true}), &[], Some(&Scope::Commercial));
    offers(&json!({}), &json!({"commercial": true}), &["billing"], Some(&Scope::Commercial));
    offers(&json!({}), &json!({"priority": "critical"}), &["billing"], None);
    offers(&json!({}), &json!({"priority": "high"}), &["billing"], billing);
}

#[test]
fn votes_round_trip_as_json() {
    let environment = set(&json!({"categories": {"billing": {"channel_types": {"email": false}}}}));
    let layers = Layers { environment: Some(&environment), ..Layers::default() };
    let vote = ask(&layers, &json!({}));
    let written = serde_json::to_value(&vote).unwrap();
    let because = json!({
        "scope": {"category": "billing"}, "setting": {"channel_type": "email"}, "layer": "environment",
        "locked": false, "allowed": false,
    });
    assert_eq!(written, json!({"allowed": false, "because": because, "votes": [because]}));
    assert_eq!(serde_json::from_value::<Vote>(written).unwrap(), vote);
}

#[track_caller]
fn check(environment: &Value, others: &Value, expected: &str) {
    let environment = set(environment);
    let vote = ask(&Layers { environment: Some(&environment), ..Layers::default() }, others);
    let word = if vote.allowed { "allowed" } else { "denied" };
    assert_eq!(format!("{word}: {}", vote.because), expected);
}

/// Votes after the recipient unsubscribed from `scope`.
#[track_caller]
fn leaves(scope: &str, environment: &Value, others: &Value, expected: &str) {
    let environment = set(environment);
    let left = json!({ scope: { "at": "2026-11-20T12:00:00Z" } });
    let left: Unsubscribed = serde_json::from_value(left).unwrap();
    let layers = Layers { environment: Some(&environment), unsubscribed: Some(&left), ..Layers::default() };
    let vote = ask(&layers, others);
    let word = if vote.allowed { "allowed" } else { "denied" };
    assert_eq!(format!("{word}: {}", vote.because), expected, "{scope}");
}

#[track_caller]
fn offers(environment: &Value, members: &Value, optional: &[&str], expected: Option<&Scope>) {
    let mut rule = json!({
        "rule": "paid", "when": { "detail-type": ["a.b"] }, "category": "billing", "steps": [], "to": [], "template": "t",
    });
    for (name, value) in members.as_object().unwrap() {
        rule[name] = value.clone();
    }
    let rule: Rule = serde_json::from_value(rule).unwrap();
    let environment = set(environment);
    let optional = optional.iter().map(|name| (*name).to_owned()).collect();
    let layers = Layers { environment: Some(&environment), ..Layers::default() };
    assert_eq!(rule.unsubscribe_scope(&layers, &optional, false).as_ref(), expected, "{members}");
}
