//! How a note to a device is handled, by what its rule and its event say.

use serde_json::Value;

use crate::decide::Note;
use crate::job::Push;
use crate::path::Path;
use crate::plan::Plan;
use crate::rule::Rule;
use crate::value_key::value_key;

/// Sets what the note is called and the number on the app's icon.
///
/// A name is a keyed hash: the value may be anybody's, the push service reads it, and Apple takes 64 bytes. It holds the tenant and the rule, so that two
/// rules which name their notes by the same value do not push each other off the screen.
pub fn handle(plan: &Plan<'_>, rule: &Rule, push: &mut Push) {
    let envelope = plan.envelope();
    let tenant = plan.event.tenant.as_deref().unwrap_or("-");
    let named = rule.push.collapse.as_ref().and_then(|path| value_key(path, envelope));
    let hashes = plan.catalog.hashes();
    let collapse = named.map(|value| hashes.collapse(&["note", tenant, &rule.name, &value]));
    push.collapse =
        collapse.or_else(|| plan.digest.as_ref().map(|digest| hashes.collapse(&["digest", &digest.window])));
    push.badge = rule.push.badge.as_ref().and_then(|path| badge(path, envelope));
}

/// The values of the event that the rule names for its push notifications and that cannot be used.
pub(crate) fn unusable(rule: &Rule, envelope: &Value) -> Vec<Note> {
    let collapse = rule.push.collapse.iter().filter(|path| value_key(path, envelope).is_none());
    let collapse = collapse.map(|path| Note::missing(path, "the note takes no other's place by it"));
    let badges = rule.push.badge.iter().filter(|path| badge(path, envelope).is_none());
    let badges = badges.map(|path| Note::Unusable {
        what: format!("`{path}` of the event is no whole number of 0 or more"),
        instead: "the number on the app's icon stays as it is",
    });
    collapse.chain(badges).collect()
}

fn badge(path: &Path, envelope: &Value) -> Option<u32> {
    path.pick(envelope).as_ref().and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{CATALOG_FORMAT, Catalog, CatalogFile};
    use crate::digest::{Collected, DigestPolicy, Window};
    use crate::event::Event;
    use serde_json::json;

    #[test]
    fn notes_of_one_thing_have_one_name_and_others_have_another() {
        let named = |rule: &str, tenant: &str, order: &str| {
            handled(rule, tenant, &json!({ "order": order }), None).collapse
        };
        let first = named("shipped", "a", "7");
        assert!(first.as_ref().is_some_and(|it| it.len() <= 64));
        assert_eq!(named("shipped", "a", "7"), first);
        for (rule, tenant, order) in [("shipped", "a", "8"), ("shipped", "b", "7"), ("late", "a", "7")] {
            assert_ne!(named(rule, tenant, order), first, "{rule} {tenant} {order}");
        }
        assert_eq!(handled("shipped", "a", &json!({}), None).collapse, None, "the event does not say");
    }

    #[test]
    fn a_digests_note_takes_the_place_of_the_digest_before() {
        let told = |window: &str| handled("shipped", "a", &json!({}), Some(window)).collapse;
        assert!(told("w-1").is_some() && told("w-1") == told("w-1") && told("w-1") != told("w-2"));
        let named = handled("shipped", "a", &json!({ "order": "7" }), Some("w-1")).collapse;
        assert_eq!(
            named,
            handled("shipped", "a", &json!({ "order": "7" }), None).collapse,
            "the rule's word counts"
        );
    }

    #[test]
    fn the_badge_is_a_whole_number_of_the_event() {
        for (unread, expected) in [
            (json!(3), Some(3)),
            (json!(0), Some(0)),
            (json!(-1), None),
            (json!(2.5), None),
            (json!("3"), None),
            (json!(4_294_967_296_u64), None),
            (json!(null), None),
        ] {
            assert_eq!(
                handled("shipped", "a", &json!({ "unread": unread }), None).badge,
                expected,
                "{unread}"
            );
        }
    }

    fn handled(rule: &str, tenant: &str, data: &Value, window: Option<&str>) -> Push {
        let rules = ["shipped", "late"].map(|name| {
            serde_json::from_value(json!({
                "rule": name, "when": { "detail-type": ["t"] }, "category": "c", "template": "t",
                "steps": [{ "send": { "channels": ["push"] } }], "to": [{ "user": { "literal": "ann" } }],
                "push": { "collapse": "$.data.order", "badge": "$.data.unread" },
            }))
            .unwrap()
        });
        let file = CatalogFile {
            format: CATALOG_FORMAT,
            version: "v".into(),
            policy: crate::policy::Policy::default(),
            rules: rules.into(),
            templates: std::collections::BTreeMap::new(),
        };
        let catalog = Catalog::open(file).unwrap();
        let event = json!({
            "specversion": "1.0", "id": "e", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z",
            "tenant": tenant, "data": data,
        });
        let event = Event::parse(&event.to_string()).unwrap();
        let mut plan = Plan::of(&event, &catalog);
        plan.digest = window.map(|name| {
            let (opened_at, closed_at) = (event.time, event.time);
            let window = Window { name, step: 0, only: None, opened_at, closed_at };
            Collected::of(Vec::new(), DigestPolicy::default(), &window)
        });
        let mut push: Push = serde_json::from_value(json!({
            "to": { "id": "phone", "platform": "fcm", "endpoint": "arn:e" }, "title": "T", "body": "B", "data": {},
            "locale": "en",
        }))
        .unwrap();
        handle(&plan, catalog.rule(rule).unwrap(), &mut push);
        push
    }
}
