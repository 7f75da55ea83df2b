//! Properties of all sets and questions.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{ask, set};
use crate::recipient::preference::{Layer, Layers, Leaf, Preferences, Scope};

proptest! {
    #[test]
    fn nothing_panics(value in anything()) {
        if let Ok(read) = Preferences::read(&value) {
            prop_assert!(set(&read.to_value()) == read);
        }
    }

    #[test]
    fn member_order_does_not_matter(values in sets(), question in questions()) {
        let reversed: Vec<String> = values.iter().map(|value| backwards(&value_of(value.as_ref()))).collect();
        let stored: Vec<Option<Preferences>> = values.iter().map(|value| value.as_ref().map(set)).collect();
        let back: Vec<Option<Preferences>> = values.iter().zip(&reversed)
            .map(|(value, text)| value.as_ref().map(|_| serde_json::from_str(text).unwrap()))
            .collect();
        prop_assert_eq!(ask(&layers(&stored), &question), ask(&layers(&back), &question));
    }

    #[test]
    fn denied_exactly_if_one_vote_is_no(values in sets(), question in questions()) {
        let stored: Vec<Option<Preferences>> = values.iter().map(|value| value.as_ref().map(set)).collect();
        let vote = ask(&layers(&stored), &question);
        let is_critical = question["critical"] == json!(true);
        prop_assert_eq!(vote.allowed, is_critical || vote.votes.iter().all(|vote| vote.allowed));
        prop_assert_eq!(vote.because.scope == Scope::Critical, is_critical);
    }

    #[test]
    fn no_in_any_scope_denies(values in sets(), question in questions(), scope in 0..3_usize) {
        let no = [
            json!({"channel_types": {"email": false}, "channels": {"email": false, "ses": false}}),
            json!({"workflows": {"paid": false}}),
            json!({"categories": {"billing": false}}),
        ];
        // The no is in the highest set, so that only a lock below can exclude it.
        let mut values: Vec<Option<Value>> = values.iter().map(|value| value.as_ref().map(unlocked)).collect();
        let top = if question["tenant"] == json!(true) { 3 } else { 2 };
        let base = set(&value_of(values[top].as_ref()));
        values[top] = Some(base.merged_with(&set(&no[scope])).ok().unwrap().to_value());
        let stored: Vec<Option<Preferences>> = values.iter().map(|value| value.as_ref().map(set)).collect();
        let vote = ask(&layers(&stored), &question);
        prop_assert_eq!(vote.allowed, question["critical"] == json!(true), "{}", vote.because);
    }

    #[test]
    fn recipient_cannot_change_locked_values(values in sets(), other in option::of(a_set()), tenant: bool) {
        let stored: Vec<Option<Preferences>> = values.iter().map(|value| value.as_ref().map(set)).collect();
        let mut changed = stored.clone();
        // Whether both tenant sets are missing must not change, because that selects other layers.
        let top = if tenant && stored[1].is_some() { 3 } else { 2 };
        changed[3] = changed[3].clone().filter(|_| top == 3);
        let before = layers(&changed).merged(tenant);
        let locks = |leaves: &[Leaf]| -> Vec<Leaf> {
            leaves.iter().filter(|leaf| leaf.locked && leaf.layer < Layer::Recipient).cloned().collect()
        };
        let kept = locks(&before);
        changed[top] = other.as_ref().map(set);
        let after = layers(&changed).merged(tenant);
        for leaf in kept {
            prop_assert!(after.contains(&leaf), "{:?}", leaf.path);
        }
    }

    #[test]
    fn highest_set_is_kept_without_locks(values in sets(), tenant: bool) {
        let values: Vec<Option<Value>> = values.iter().map(|value| value.as_ref().map(unlocked)).collect();
        let stored: Vec<Option<Preferences>> = values.iter().map(|value| value.as_ref().map(set)).collect();
        let top = if tenant && (stored[1].is_some() || stored[3].is_some()) { 3 } else { 2 };
        let own = Layers { recipient: stored[top].as_ref(), ..Layers::default() }.merged(false);
        let all = layers(&stored).merged(tenant);
        for leaf in own {
            let kept = all.iter().any(|other| other.path == leaf.path && other.value == leaf.value && other.layer >= Layer::Recipient);
            prop_assert!(kept, "{:?}", leaf.path);
        }
    }

    #[test]
    fn merge_write_is_idempotent(stored in a_set(), change in a_set()) {
        let (stored, change) = (set(&stored), set(&change));
        let once = stored.merged_with(&change).ok().unwrap();
        prop_assert!(once.merged_with(&change).ok().unwrap() == once);
    }
}

/// Layers in the order environment, tenant, recipient, recipient in tenant.
fn layers(values: &[Option<Preferences>]) -> Layers<'_> {
    Layers {
        environment: values[0].as_ref(),
        tenant: values[1].as_ref(),
        recipient: values[2].as_ref(),
        recipient_in_tenant: values[3].as_ref(),
        unsubscribed: None,
    }
}

fn value_of(set: Option<&Value>) -> Value {
    set.cloned().unwrap_or(json!({}))
}

/// The set without its strategies.
fn unlocked(value: &Value) -> Value {
    let Some(members) = value.as_object() else { return value.clone() };
    members
        .iter()
        .filter(|(name, _)| *name != "__strategy__")
        .map(|(name, value)| (name.clone(), unlocked(value)))
        .collect()
}

/// JSON text with the names in reverse order.
fn backwards(value: &Value) -> String {
    let Some(members) = value.as_object() else { return value.to_string() };
    let members: Vec<String> =
        members.iter().rev().map(|(name, value)| format!("{}:{}", json!(name), backwards(value))).collect();
    format!("{{{}}}", members.join(","))
}

fn sets() -> impl Strategy<Value = Vec<Option<Value>>> {
    vec(option::weighted(0.8, a_set()), 4)
}

fn a_set() -> impl Strategy<Value = Value> {
    let members = (
        option::of(channels()),
        option::of(channels()),
        option::of(named(prop_oneof![Just("paid"), Just("shipped")], entry())),
        option::of(named(prop_oneof![Just("billing"), Just("legal")], entry())),
        option::of(any::<bool>()),
        mark(),
    );
    members.prop_map(|(types, channels, workflows, categories, commercial, mark)| {
        let mut members = Map::new();
        let parts = [
            ("channel_types", types),
            ("channels", channels),
            ("workflows", workflows),
            ("categories", categories),
        ];
        members.extend(parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        members.extend(commercial.map(|commercial| ("commercial_subscribed".to_owned(), commercial.into())));
        marked(members, mark)
    })
}

fn entry() -> impl Strategy<Value = Value> {
    let condition = prop_oneof![Just(3), Just(4)]
        .prop_map(|severity| json!({"detail": {"data": {"severity": [severity]}}}));
    let object = (option::of(channels()), option::of(channels()), option::of(vec(condition, 0..3)), mark());
    let object = object.prop_map(|(types, channels, conditions, mark)| {
        let parts =
            [("channel_types", types), ("channels", channels), ("conditions", conditions.map(Value::from))];
        let members = parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        marked(members.collect(), mark)
    });
    prop_oneof![any::<bool>().prop_map(Value::from), object]
}

fn channels() -> impl Strategy<Value = Value> {
    named(prop_oneof![Just("email"), Just("sms"), Just("ses")], any::<bool>().prop_map(Value::from))
}

fn named(
    names: impl Strategy<Value = &'static str>,
    values: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Value> {
    (btree_map(names, values, 0..3), mark()).prop_map(|(members, mark)| {
        marked(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), mark)
    })
}

fn mark() -> impl Strategy<Value = Option<&'static str>> {
    option::weighted(0.2, prop_oneof![Just("replace"), Just("merge")])
}

fn marked(mut members: Map<String, Value>, mark: Option<&str>) -> Value {
    members.extend(mark.map(|mark| ("__strategy__".to_owned(), mark.into())));
    Value::Object(members)
}

fn questions() -> impl Strategy<Value = Value> {
    let categories = prop_oneof![Just(json!(["billing"])), Just(json!(["legal", "billing"]))];
    let id = prop_oneof![Just("email"), Just("ses")];
    (categories, id, any::<bool>(), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(categories, id, tenant, commercial, critical)| {
            json!({
                "categories": categories, "id": id, "tenant": tenant, "commercial": commercial, "critical": critical,
            })
        },
    )
}

/// JSON with the member names of a set at arbitrary positions.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        Just(json!("replace")),
        Just(json!(1))
    ];
    let name = prop_oneof![
        Just("categories"),
        Just("workflows"),
        Just("channel_types"),
        Just("channels"),
        Just("conditions"),
        Just("commercial_subscribed"),
        Just("__strategy__"),
        Just("x"),
        Just(""),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let object = btree_map(name.clone(), inner.clone(), 0..4).prop_map(|btree_map| {
            Value::Object(btree_map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        prop_oneof![vec(inner, 0..3).prop_map(Value::from), object]
    })
}
