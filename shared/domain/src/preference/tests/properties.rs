//! What holds for every set and every question.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{ask, set};
use crate::preference::{Layer, Layers, Leaf, Preferences, Scope};

proptest! {
    #[test]
    fn nothing_panics(value in anything()) {
        if let Ok(read) = Preferences::read(&value) {
            prop_assert!(set(&read.to_value()) == read);
        }
    }

    #[test]
    fn the_order_of_names_decides_nothing(said in sets(), question in questions()) {
        let reversed: Vec<String> = said.iter().map(|it| backwards(&value_of(it.as_ref()))).collect();
        let there: Vec<Option<Preferences>> = said.iter().map(|it| it.as_ref().map(set)).collect();
        let back: Vec<Option<Preferences>> = said.iter().zip(&reversed)
            .map(|(it, text)| it.as_ref().map(|_| serde_json::from_str(text).unwrap()))
            .collect();
        prop_assert_eq!(ask(&layers(&there), &question), ask(&layers(&back), &question));
    }

    #[test]
    fn one_no_denies_and_nothing_else_does(said in sets(), question in questions()) {
        let there: Vec<Option<Preferences>> = said.iter().map(|it| it.as_ref().map(set)).collect();
        let vote = ask(&layers(&there), &question);
        let is_critical = question["critical"] == json!(true);
        prop_assert_eq!(vote.allowed, is_critical || vote.votes.iter().all(|vote| vote.allowed));
        prop_assert_eq!(vote.because.scope == Scope::Critical, is_critical);
    }

    #[test]
    fn a_no_at_any_scope_that_exists_denies(said in sets(), question in questions(), at in 0..3_usize) {
        let no = [
            json!({"channel_types": {"email": false}, "channels": {"email": false, "ses": false}}),
            json!({"workflows": {"paid": false}}),
            json!({"categories": {"billing": false}}),
        ];
        // On top of everything, so that only a lock below can keep it out.
        let mut said: Vec<Option<Value>> = said.iter().map(|it| it.as_ref().map(unlocked)).collect();
        let top = if question["tenant"] == json!(true) { 3 } else { 2 };
        let base = set(&value_of(said[top].as_ref()));
        said[top] = Some(base.merged_with(&set(&no[at])).ok().unwrap().to_value());
        let there: Vec<Option<Preferences>> = said.iter().map(|it| it.as_ref().map(set)).collect();
        let vote = ask(&layers(&there), &question);
        prop_assert_eq!(vote.allowed, question["critical"] == json!(true), "{}", vote.because);
    }

    #[test]
    fn no_recipient_changes_what_is_locked(said in sets(), other in option::of(a_set()), tenant: bool) {
        let there: Vec<Option<Preferences>> = said.iter().map(|it| it.as_ref().map(set)).collect();
        let mut changed = there.clone();
        // Without both tenant sets another list of layers counts; whether one is there is not the point here.
        let top = if tenant && there[1].is_some() { 3 } else { 2 };
        changed[3] = changed[3].clone().filter(|_| top == 3);
        let before = layers(&changed).merged(tenant);
        let locks = |leaves: &[Leaf]| -> Vec<Leaf> {
            leaves.iter().filter(|leave| leave.locked && leave.layer < Layer::Recipient).cloned().collect()
        };
        let kept = locks(&before);
        changed[top] = other.as_ref().map(set);
        let after = layers(&changed).merged(tenant);
        for leaf in kept {
            prop_assert!(after.contains(&leaf), "{:?}", leaf.path);
        }
    }

    #[test]
    fn without_locks_the_highest_set_is_kept_whole(said in sets(), tenant: bool) {
        let said: Vec<Option<Value>> = said.iter().map(|it| it.as_ref().map(unlocked)).collect();
        let there: Vec<Option<Preferences>> = said.iter().map(|it| it.as_ref().map(set)).collect();
        let top = if tenant && (there[1].is_some() || there[3].is_some()) { 3 } else { 2 };
        let own = Layers { recipient: there[top].as_ref(), ..Layers::default() }.merged(false);
        let all = layers(&there).merged(tenant);
        for leaf in own {
            let kept = all.iter().any(|it| it.path == leaf.path && it.value == leaf.value && it.layer >= Layer::Recipient);
            prop_assert!(kept, "{:?}", leaf.path);
        }
    }

    #[test]
    fn a_merge_write_twice_is_a_merge_write_once(stored in a_set(), change in a_set()) {
        let (stored, change) = (set(&stored), set(&change));
        let once = stored.merged_with(&change).ok().unwrap();
        prop_assert!(once.merged_with(&change).ok().unwrap() == once);
    }
}

/// Environment, tenant, recipient, recipient in tenant.
fn layers(said: &[Option<Preferences>]) -> Layers<'_> {
    Layers {
        environment: said[0].as_ref(),
        tenant: said[1].as_ref(),
        recipient: said[2].as_ref(),
        recipient_in_tenant: said[3].as_ref(),
        unsubscribed: None,
    }
}

fn value_of(set: Option<&Value>) -> Value {
    set.cloned().unwrap_or(json!({}))
}

/// The set without its marks.
fn unlocked(value: &Value) -> Value {
    let Some(members) = value.as_object() else { return value.clone() };
    members
        .iter()
        .filter(|(name, _)| *name != "__strategy__")
        .map(|(name, it)| (name.clone(), unlocked(it)))
        .collect()
}

/// As JSON text, the names from last to first.
fn backwards(value: &Value) -> String {
    let Some(members) = value.as_object() else { return value.to_string() };
    let members: Vec<String> =
        members.iter().rev().map(|(name, it)| format!("{}:{}", json!(name), backwards(it))).collect();
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
        members.extend(parts.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?))));
        members.extend(commercial.map(|commercial| ("commercial_subscribed".to_owned(), commercial.into())));
        marked(members, mark)
    })
}

fn entry() -> impl Strategy<Value = Value> {
    let condition =
        prop_oneof![Just(3), Just(4)].prop_map(|it| json!({"detail": {"data": {"severity": [it]}}}));
    let object = (option::of(channels()), option::of(channels()), option::of(vec(condition, 0..3)), mark());
    let object = object.prop_map(|(types, channels, conditions, mark)| {
        let parts =
            [("channel_types", types), ("channels", channels), ("conditions", conditions.map(Value::from))];
        let members = parts.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?)));
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
        marked(members.into_iter().map(|(name, it)| (name.to_owned(), it)).collect(), mark)
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

/// JSON that has the words of a set in it, in any place.
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
