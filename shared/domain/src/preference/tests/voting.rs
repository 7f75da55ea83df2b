use serde_json::{Value, json};

use super::{ask, set};
use crate::preference::{Layers, Vote};
use crate::rule::Rule;
use crate::unsubscribe::{Scope, Unsubscribed};

#[test]
fn where_nobody_says_anything_it_is_allowed() {
    check(&json!({}), &json!({}), "allowed: no preference says anything about it");
    check(
        &json!({"workflows": {"shipped": false}, "categories": {"news": false}, "channel_types": {"socket": false}}),
        &json!({}),
        "allowed: no preference says anything about it",
    );
}

#[test]
fn a_bool_switches_a_whole_rule_or_category_off() {
    check(&json!({"workflows": {"paid": false}}), &json!({}), "denied: rule paid is off (environment)");
    check(
        &json!({"categories": {"billing": false}}),
        &json!({}),
        "denied: category billing is off (environment)",
    );
    check(&json!({"workflows": {"paid": true}}), &json!({}), "allowed: rule paid is on (environment)");
}

#[test]
fn one_no_is_enough_whatever_the_others_say() {
    let said = json!({
        "channels": {"email": true}, "channel_types": {"email": true}, "workflows": {"paid": true},
        "categories": {"billing": true, "legal": {"channel_types": {"email": false}}},
    });
    let both = json!({"categories": ["billing", "legal"]});
    check(&said, &both, "denied: email is off for category legal (environment)");
    check(&said, &json!({}), "allowed: category billing is on (environment)");
}

#[test]
fn a_channel_id_beats_its_type_within_a_scope_and_not_across() {
    let same = json!({"channels": {"ses-eu": true}, "channel_types": {"email": false}});
    check(&same, &json!({"id": "ses-eu"}), "allowed: channel ses-eu is on for everything (environment)");
    check(&same, &json!({"id": "ses-us"}), "denied: email is off for everything (environment)");
    check(&same, &json!({}), "denied: email is off for everything (environment)");
    let across =
        json!({"channels": {"ses-eu": true}, "workflows": {"paid": {"channel_types": {"email": false}}}});
    check(&across, &json!({"id": "ses-eu"}), "denied: email is off for rule paid (environment)");
}

#[test]
fn a_channel_type_with_one_provider_goes_by_its_own_name() {
    let said = json!({"channels": {"email": false}, "channel_types": {"email": true}});
    check(&said, &json!({}), "denied: channel email is off for everything (environment)");
    check(&said, &json!({"id": "ses-eu"}), "allowed: email is on for everything (environment)");
}

#[test]
fn all_conditions_of_an_entry_must_hold() {
    let severe = |than: u32| json!({"detail": {"data": {"severity": [{"numeric": [">", than]}]}}});
    let icu = json!({"detail": {"data": {"ward": ["icu"]}}});
    let said = |conditions: Value| json!({"categories": {"billing": {"conditions": conditions}}});
    check(
        &said(json!([icu, severe(2)])),
        &json!({}),
        "allowed: the conditions of category billing hold (environment)",
    );
    check(
        &said(json!([icu, severe(3)])),
        &json!({}),
        "denied: condition 2 of category billing does not hold (environment)",
    );
    check(&said(json!([])), &json!({}), "allowed: the conditions of category billing hold (environment)");
}

#[test]
fn what_is_commercial_needs_a_subscription_that_was_not_ended() {
    let ended = json!({"commercial_subscribed": false, "channel_types": {"email": true}});
    check(&ended, &json!({"commercial": true}), "denied: what is commercial is off (environment)");
    check(&ended, &json!({}), "allowed: email is on for everything (environment)");
    let kept = json!({"commercial_subscribed": true});
    check(&kept, &json!({"commercial": true}), "allowed: what is commercial is on (environment)");
    check(&json!({}), &json!({"commercial": true}), "allowed: no preference says anything about it");
}

#[test]
fn what_is_critical_is_allowed_and_nobody_is_asked() {
    let all_off = json!({
        "commercial_subscribed": false, "channel_types": {"email": false, "__strategy__": "replace"},
        "workflows": {"paid": false}, "categories": {"billing": false},
    });
    let critical = json!({"critical": true, "commercial": true});
    check(&all_off, &critical, "allowed: the rule is critical, so no preference was asked");
}

#[test]
fn every_vote_is_told_in_the_order_of_evaluation() {
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
        "what is commercial is on (recipient)",
        "email is on for everything (environment)",
        "the conditions of rule paid hold (environment)",
        "channel email is on for rule paid (environment, locked)",
        "category billing is off (recipient)",
    ];
    assert_eq!(votes, expected);
}

#[test]
fn whoever_unsubscribed_gets_nothing_of_the_kind_whatever_a_layer_says() {
    let commercial = json!({"commercial": true});
    leaves("commercial", &json!({}), &commercial, "denied: unsubscribed from what is commercial (recipient)");
    let wants = json!({"commercial_subscribed": true});
    leaves("commercial", &wants, &commercial, "denied: unsubscribed from what is commercial (recipient)");
    let locked = json!({"commercial_subscribed": true, "__strategy__": "replace"});
    leaves("commercial", &locked, &commercial, "denied: unsubscribed from what is commercial (recipient)");
    leaves("commercial", &json!({}), &json!({}), "allowed: no preference says anything about it");
    leaves(
        "category:billing",
        &json!({}),
        &json!({}),
        "denied: unsubscribed from category billing (recipient)",
    );
    leaves("category:other", &json!({}), &json!({}), "allowed: no preference says anything about it");
    let critical = json!({"critical": true});
    leaves(
        "category:billing",
        &json!({}),
        &critical,
        "allowed: the rule is critical, so no preference was asked",
    );
}

#[test]
fn a_locked_category_cannot_be_left() {
    let locked = json!({"categories": {"billing": {"__strategy__": "replace"}}});
    leaves("category:billing", &locked, &json!({}), "allowed: no preference says anything about it");
}

#[test]
fn a_letter_offers_a_way_out_of_what_is_commercial_or_optional_and_never_of_what_is_critical_or_locked() {
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
fn a_vote_is_kept_as_json_and_read_back() {
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

/// `scope` is what the recipient left.
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
    let optional = optional.iter().map(|it| (*it).to_owned()).collect();
    let layers = Layers { environment: Some(&environment), ..Layers::default() };
    assert_eq!(layers.way_out(&rule, &optional, false).as_ref(), expected, "{members}");
}
