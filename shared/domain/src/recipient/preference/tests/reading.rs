use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::set;
use crate::recipient::preference::{
    Known, MAX_CHANNELS, MAX_CONDITIONS, MAX_NAME_BYTES, MAX_NAMES, Persistence, Preferences, check_channels,
};

#[test]
fn unknown_channel_is_refused_with_a_suggestion_and_read_from_old_sets() {
    for (value, expected) in [
        (json!({"channel_types": {"email": false, "__strategy__": "replace"}}), None),
        (
            json!({"channels": {"sms": false}, "categories": {"a": {"channel_types": {"push": true}}, "b": false}}),
            None,
        ),
        (
            json!({"channel_types": {"e-mail": false}}),
            Some(
                "channel_types.e-mail: found the unknown channel `e-mail`, wanted one of email, push, sms, ",
            ),
        ),
        (json!({"channel_types": {"Email": false}}), Some("did you mean `email`?")),
        (json!({"channels": {"in_app_feed": false}}), Some("channels.in_app_feed")),
        (json!({"categories": {"lab": {"channels": {"wahtsapp": false}}}}), Some("did you mean `whatsapp`?")),
        (
            json!({"workflows": {"paid": {"channel_types": {"text": false}}}}),
            Some("workflows.paid.channel_types.text"),
        ),
    ] {
        let found = check_channels(&value).err().map(|invalid| invalid.to_string());
        match expected {
            None => assert_eq!(found, None),
            Some(part) => assert!(found.as_ref().is_some_and(|text| text.contains(part)), "{found:?}"),
        }
        assert_eq!(Preferences::read(&value).unwrap().names_unknown_channel(), expected.is_some(), "{value}");
    }
    let away = json!({"channel_types": {"e-mail": null, "email": false}});
    assert_eq!(check_channels(&away), Ok(()), "a patch takes the name away");
}

#[test]
fn unknown_member_is_refused_with_a_suggestion() {
    for (value, part) in [
        (json!({"channel": {}}), "did you mean `channels`?"),
        (json!({"categorys": {}}), "did you mean `categories`?"),
        (json!({"categories": {"lab": {"channel_type": {}}}}), "did you mean `channel_types`?"),
        (json!({"categories": {"lab": {"condition": []}}}), "did you mean `conditions`?"),
        (json!({"categories": {"lab": "off"}}), "true, false or an object"),
    ] {
        let Err(invalid) = Preferences::read(&value) else { panic!("{value} is refused") };
        assert!(invalid.to_string().contains(part), "{invalid}");
    }
}

#[test]
fn sets_round_trip() {
    let source = json!({
        "channel_types": {"email": true, "__strategy__": "replace"},
        "channels": {"ses-eu": false},
        "commercial_subscribed": false,
        "workflows": {"paid": false, "__strategy__": "merge"},
        "categories": {"lab": {"conditions": [{"detail": {"data": {"severity": [{"numeric": [">", 3]}]}}}]}},
    });
    assert_eq!(set(&source).to_value(), source);
    let read: Preferences = serde_json::from_str(&source.to_string()).unwrap();
    assert!(read == set(&source) && !read.is_empty());
}

#[test]
fn refusal_names_the_location() {
    refused(&json!([]), "the set: found an empty array, wanted an object");
    refused(
        &json!({"category": {}}),
        "category: found an unknown member, wanted `categories`, `workflows`, `channel_types`, `channels` or \
         `commercial_subscribed`; did you mean `categories`?",
    );
    refused(
        &json!({"categories": {"billing": {"channel_types": {"fax": "yes"}}}}),
        "categories.billing.channel_types.fax: found \"yes\", wanted true or false",
    );
    refused(
        &json!({"workflows": {"paid": null}}),
        "workflows.paid: found null, wanted true, false or an object",
    );
    refused(
        &json!({"workflows": {"paid": {"email": false}}}),
        "workflows.paid.email: found an unknown member, wanted `channel_types`, `channels` or `conditions`",
    );
    refused(
        &json!({"commercial_subscribed": {}}),
        "commercial_subscribed: found an empty object, wanted true or false",
    );
    refused(
        &json!({"channels": {"__strategy__": "lock"}}),
        "channels.__strategy__: found \"lock\", wanted \"replace\" or \"merge\"",
    );
    refused(
        &json!({"workflows": {"paid": {"conditions": {"a": [1]}}}}),
        "workflows.paid.conditions: found an object with \"a\", wanted an array of event patterns",
    );
}

#[test]
fn invalid_condition_is_refused_with_its_location() {
    let source =
        json!({"categories": {"lab": {"conditions": [{"a": [1]}, {"detail": {"data": {"severity": 3}}}]}}});
    let error = Preferences::read(&source).err().unwrap();
    assert_eq!(error.place, "categories.lab.conditions[1], detail.data.severity");
    assert_eq!(error.found, "3");
}

#[test]
fn sets_have_limits() {
    let names = |count: usize| -> Value {
        (0..count).map(|n| (format!("n{n}"), Value::Bool(true))).collect::<Map<_, _>>().into()
    };
    let conditions = |count: usize| vec![json!({"a": [1]}); count];
    for (good, bad) in [
        (json!({"workflows": names(MAX_NAMES)}), json!({"workflows": names(MAX_NAMES + 1)})),
        (json!({"channels": names(MAX_CHANNELS)}), json!({"channels": names(MAX_CHANNELS + 1)})),
        (
            json!({"workflows": {"w": {"conditions": conditions(MAX_CONDITIONS)}}}),
            json!({"workflows": {"w": {"conditions": conditions(MAX_CONDITIONS + 1)}}}),
        ),
        (
            json!({"workflows": {"n".repeat(MAX_NAME_BYTES): true}}),
            json!({"workflows": {"n".repeat(MAX_NAME_BYTES + 1): true}}),
        ),
    ] {
        set(&good);
        assert!(Preferences::read(&bad).is_err(), "{bad}");
    }
    refused(
        &json!({"channels": {"": true}}),
        "channels: found a name of 0 bytes, wanted names of 1 to 256 bytes",
    );
}

#[test]
fn write_merges_or_replaces() {
    let stored = json!({"channel_types": {"email": false, "sms": true}, "categories": {"lab": {"channels": {"a": true}}}});
    let change = json!({"channel_types": {"email": true}, "categories": {"lab": false}, "commercial_subscribed": true});
    let merged = json!({
        "channel_types": {"email": true, "sms": true}, "categories": {"lab": false}, "commercial_subscribed": true,
    });
    let written = |by| set(&stored).written(&set(&change), by).ok().unwrap().to_value();
    assert_eq!(written(Persistence::Merge), merged);
    assert_eq!(written(Persistence::Replace), change);
}

#[test]
fn write_keeps_a_lock_until_it_is_removed_explicitly() {
    let stored = set(&json!({"channels": {"a": true, "__strategy__": "replace"}}));
    let after = |change: Value| stored.merged_with(&set(&change)).ok().unwrap().to_value();
    assert_eq!(
        after(json!({"channels": {"a": false}})),
        json!({"channels": {"a": false, "__strategy__": "replace"}})
    );
    assert_eq!(
        after(json!({"channels": {"__strategy__": "merge"}})),
        json!({"channels": {"a": true, "__strategy__": "merge"}})
    );
}

#[test]
fn writes_cannot_exceed_the_limits() {
    let names = |from: usize| -> Value {
        (from..from + MAX_CHANNELS)
            .map(|n| (format!("n{n}"), Value::Bool(true)))
            .collect::<Map<_, _>>()
            .into()
    };
    let lab = |from| set(&json!({"categories": {"lab": {"channels": names(from)}}}));
    assert!(lab(0).merged_with(&lab(0)).is_ok());
    let error = lab(0).merged_with(&lab(1)).err().unwrap();
    assert_eq!(error.to_string(), "categories.lab.channels: found 51 names, wanted at most 50 names");
}

#[test]
fn unknown_names_are_reported_with_their_path() {
    let names = |list: &[&str]| -> BTreeSet<String> { list.iter().map(|name| (*name).to_owned()).collect() };
    let known = Known {
        rules: &names(&["paid"]),
        categories: &names(&["billing"]),
        channel_types: &names(&["email", "socket"]),
        channels: &names(&["ses-eu"]),
    };
    let unknown = set(&json!({
        "channel_types": {"email": true, "ses-eu": true},
        "channels": {"email": true, "ses-eu": true, "ses-us": true},
        "workflows": {"paid": true, "payed": {"conditions": [], "channel_types": {"socket": true}}},
        "categories": {"billing": {"channel_types": {"fax": false}}},
    }))
    .unknown_names(known);
    let places: Vec<&str> = unknown.iter().map(|name| name.place.as_str()).collect();
    let expected = [
        "categories.billing.channel_types.fax",
        "channel_types.ses-eu",
        "channels.ses-us",
        "workflows.payed",
    ];
    assert_eq!(places, expected);
}

#[track_caller]
fn refused(value: &Value, expected: &str) {
    assert_eq!(
        Preferences::read(value).err().map(|err| err.to_string()).as_deref(),
        Some(expected),
        "{value}"
    );
}
