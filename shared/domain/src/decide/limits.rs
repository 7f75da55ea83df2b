//! The counters that a send must pass.

use serde_json::Value;

use super::{Note, Wanted};
use crate::base::path::Path;
use crate::base::value_key::value_key;
use crate::catalog::policy::{Cap, Per};
use crate::catalog::rule::{Rule, ThrottleStep};
use crate::decide::plan::Plan;
use crate::event::Event;
use crate::event::key::event_part;
use crate::limits::counter::{Limit, Period, Refusal, Scope};
use crate::recipient::keyed_hash::KeyedHashes;

/// The name of throttles in explanations.
pub(super) const THROTTLE: &str = "throttle";

/// The catalog's caps that apply to this rule.
pub(super) fn caps<'a>(
    plan: &'a Plan<'_>,
    rule: &'a Rule,
    recipient: &'a str,
    overrides: bool,
) -> impl Iterator<Item = Wanted> + 'a {
    let concerned = |cap: &&Cap| cap.category.as_ref().is_none_or(|category| *category == rule.category);
    plan.catalog.policy().caps.iter().filter(concerned).map(move |cap| {
        let scope_name = match cap.per {
            Per::Recipient => recipient,
            Per::Tenant => plan.event.tenant.as_deref().unwrap_or("-"),
            Per::Environment => "-",
        };
        let limit = cap.limit.clone();
        let free = (overrides && !cap.critical) || cap.except.contains(&rule.category);
        Wanted {
            id: id(&["cap", cap.limit.name(), scope_name]),
            limit: if free { limit.only_counting() } else { limit },
            scope: cap.channel.map_or(Scope::Message, Scope::Channel),
            weight: 1,
        }
    })
}

/// The counter of a throttle step. `None` if its numbers exceed the limits of [`Limit`], which `check` reports, or if
/// the event has no value for the throttle's key. An event without a key repeats no other event.
pub(super) fn throttle(
    plan: &Plan<'_>,
    rule: &Rule,
    step: u32,
    throttle: &ThrottleStep,
    recipient: &str,
) -> Option<Wanted> {
    let limit = Limit::new(THROTTLE, u64::from(throttle.most), Period::Fixed(throttle.per), true).ok()?;
    let step = step.to_string();
    let value = value(throttle.key.as_ref(), plan.envelope(), plan.catalog.hashes())?;
    let tenant = plan.event.tenant.as_deref().unwrap_or("-");
    let id = id(&["throttle", tenant, &rule.name, &step, recipient, &value]);
    Some(Wanted { id, limit, scope: Scope::Step, weight: 1 })
}

/// The note about a reached limit.
pub(super) fn full(refusal: &Refusal) -> Note {
    Note::Full { limit: refusal.limit.clone(), n: refusal.n, most: refusal.most, until: refusal.until }
}

/// The note about a cap that a critical notification exceeds.
pub(super) fn exceeded(refusal: &Refusal) -> Note {
    Note::Exceeded { limit: refusal.limit.clone(), n: refusal.n, most: refusal.most, until: refusal.until }
}

/// The key of a digest window.
pub(super) fn window(event: &Event, rule: &Rule, step: u32, recipient: &str, group: &str) -> String {
    let step = step.to_string();
    id(&["digest", event.tenant.as_deref().unwrap_or("-"), &rule.name, &step, recipient, group])
}

/// The hashed value of a step's key; empty for a step without a key. `None` if the event has no value at the path.
pub(super) fn value(path: Option<&Path>, envelope: &Value, hashes: &KeyedHashes) -> Option<String> {
    let Some(path) = path else { return Some(String::new()) };
    // The value may be personal data, so the counter key holds its keyed hash.
    value_key(path, envelope).map(|value| hashes.value(&value))
}

/// The key value of an event without a value: a window for this event alone.
pub(super) fn alone(event: &Event) -> String {
    // A hash never contains a space, so the prefix is unambiguous.
    format!("alone {}", event_part(&event.source, &event.id))
}

/// Joins escaped parts with `#`.
pub(crate) fn id(parts: &[&str]) -> String {
    let escaped = parts.iter().map(|part| part.replace('%', "%25").replace('#', "%23"));
    escaped.collect::<Vec<_>>().join("#")
}
