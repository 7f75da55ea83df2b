//! Platform options of a push notification, from its rule and its event.

use crate::base::value_key::value_key;
use crate::catalog::rule::Rule;
use crate::decide::plan::Plan;
use crate::decide::push_values::{count, link, value_of};
use crate::delivery::job::Push;

/// Sets the collapse key, the badge and the link of a push notification. Returns the members of the rule's `push`
/// whose event values are invalid. The notification is sent without them, and the caller logs them.
///
/// The collapse key is a keyed hash: the value may be personal data, the push service reads it, and Apple accepts 64
/// bytes. The hash includes tenant and rule, so that two rules with equal values do not replace each other's
/// notifications.
pub fn handle(plan: &Plan<'_>, rule: &Rule, push: &mut Push) -> Vec<&'static str> {
    let envelope = plan.envelope();
    let tenant = plan.event.tenant.as_deref().unwrap_or("-");
    let named = rule.push.collapse.as_ref().and_then(|path| value_key(path, envelope));
    push.collapses_stored = named.is_some();
    let hashes = plan.catalog.hashes();
    let collapse = named.map(|value| hashes.collapse(&["note", tenant, &rule.name, &value]));
    push.collapse =
        collapse.or_else(|| plan.digest.as_ref().map(|digest| hashes.collapse(&["digest", &digest.window])));
    let mut ignored = Vec::new();
    if let Some(value) = value_of(rule.push.badge.as_ref(), envelope) {
        push.badge = count(&value);
        ignored.extend(push.badge.is_none().then_some("badge"));
    }
    if let Some(value) = value_of(rule.push.link.as_ref(), envelope) {
        push.link = link(&value).map(Into::into);
        ignored.extend(push.link.is_none().then_some("link"));
    }
    ignored
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::catalog::{CATALOG_FORMAT, Catalog, CatalogFile};
    use crate::event::Event;
    use crate::limits::digest::{Collected, DigestPolicy, Window};
    use serde_json::json;

    #[test]
    fn equal_values_have_equal_collapse_keys() {
        let named = |rule: &str, tenant: &str, order: &str| {
            handled(rule, tenant, &json!({ "order": order }), None).collapse
        };
        let first = named("shipped", "a", "7");
        assert!(first.as_ref().is_some_and(|first| first.len() <= 64));
        assert_eq!(named("shipped", "a", "7"), first);
        for (rule, tenant, order) in [("shipped", "a", "8"), ("shipped", "b", "7"), ("late", "a", "7")] {
            assert_ne!(named(rule, tenant, order), first, "{rule} {tenant} {order}");
        }
        assert_eq!(handled("shipped", "a", &json!({}), None).collapse, None, "the event has no value");
    }

    #[test]
    fn digest_notification_replaces_the_previous_digest() {
        let collapse_key = |window: &str| handled("shipped", "a", &json!({}), Some(window)).collapse;
        assert!(
            collapse_key("w-1").is_some()
                && collapse_key("w-1") == collapse_key("w-1")
                && collapse_key("w-1") != collapse_key("w-2")
        );
        let named = handled("shipped", "a", &json!({ "order": "7" }), Some("w-1")).collapse;
        assert_eq!(
            named,
            handled("shipped", "a", &json!({ "order": "7" }), None).collapse,
            "the rule's word counts"
        );
    }

    #[test]
    fn badge_is_a_whole_number_of_the_event() {
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

    #[test]
    fn invalid_link_or_badge_is_omitted_and_reported() {
        for (data, link, ignored) in [
            (json!({ "link": "https://a.example/7" }), Some("https://a.example/7"), &[][..]),
            (json!({ "link": " clinic://a/7 " }), Some("clinic://a/7"), &[]),
            (json!({ "link": null }), None, &[]),
            (json!({}), None, &[]),
            (json!({ "link": "javascript:x" }), None, &["link"]),
            (json!({ "link": 7, "unread": "3" }), None, &["badge", "link"]),
        ] {
            let (push, found) = handled_with(&data);
            assert_eq!(
                (push.link.as_ref().map(|link| link.expose().as_str()), found.as_slice()),
                (link, ignored),
                "{data}"
            );
        }
    }

    #[test]
    fn only_a_rule_collapses_stored_notifications() {
        assert!(handled("shipped", "a", &json!({ "order": "7" }), None).collapses_stored);
        assert!(!handled("shipped", "a", &json!({}), None).collapses_stored);
        assert!(!handled("shipped", "a", &json!({}), Some("w-1")).collapses_stored);
    }

    fn handled_with(data: &Value) -> (Push, Vec<&'static str>) {
        run("shipped", "a", data, None)
    }

    fn handled(rule: &str, tenant: &str, data: &Value, window: Option<&str>) -> Push {
        run(rule, tenant, data, window).0
    }

    fn run(rule: &str, tenant: &str, data: &Value, window: Option<&str>) -> (Push, Vec<&'static str>) {
        let rules = ["shipped", "late"].map(|name| {
            serde_json::from_value(json!({
                "rule": name, "when": { "detail-type": ["t"] }, "category": "c", "template": "t",
                "steps": [{ "send": { "channels": ["push"] } }], "to": [{ "user": { "literal": "ann" } }],
                "push": { "collapse": "$.data.order", "badge": "$.data.unread", "link": "$.data.link" },
            }))
            .unwrap()
        });
        let file = CatalogFile {
            format: CATALOG_FORMAT,
            version: "v".into(),
            policy: crate::catalog::policy::Policy::default(),
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
        let ignored = handle(&plan, catalog.rule(rule).unwrap(), &mut push);
        (push, ignored)
    }
}
