//! Which counters a send has to pass.

use serde_json::Value;

use super::{Note, Wanted};
use crate::counter::{Limit, Period, Refusal, Scope};
use crate::event::Event;
use crate::key::event_part;
use crate::keyed_hash::KeyedHashes;
use crate::path::Path;
use crate::plan::Plan;
use crate::policy::{Cap, Per};
use crate::rule::{Rule, ThrottleStep};
use crate::value_key::value_key;

/// What every throttle is called in an explanation.
pub(super) const THROTTLE: &str = "throttle";

/// The catalog's caps, as far as they are about this rule.
pub(super) fn caps<'a>(
    plan: &'a Plan<'_>,
    rule: &'a Rule,
    recipient: &'a str,
    overrides: bool,
) -> impl Iterator<Item = Wanted> + 'a {
    let concerned = |cap: &&Cap| cap.category.as_ref().is_none_or(|category| *category == rule.category);
    plan.catalog.policy().caps.iter().filter(concerned).map(move |cap| {
        let whose = match cap.per {
            Per::Recipient => recipient,
            Per::Tenant => plan.event.tenant.as_deref().unwrap_or("-"),
            Per::Environment => "-",
        };
        let limit = cap.limit.clone();
        let free = (overrides && !cap.critical) || cap.except.contains(&rule.category);
        Wanted {
            id: id(&["cap", cap.limit.name(), whose]),
            limit: if free { limit.only_counting() } else { limit },
            scope: cap.channel.map_or(Scope::Message, Scope::Channel),
            weight: 1,
        }
    })
}

/// A throttle of the rule. `None` when its numbers are beyond what a limit can be, which `check` says before; and when
/// the event has no value for its key, for an event without a key is no repetition of another.
pub(super) fn throttle(
    plan: &Plan<'_>,
    rule: &Rule,
    step: u32,
    it: &ThrottleStep,
    recipient: &str,
) -> Option<Wanted> {
    let limit = Limit::new(THROTTLE, u64::from(it.most), Period::Fixed(it.per), true).ok()?;
    let step = step.to_string();
    let value = value(it.key.as_ref(), plan.envelope(), plan.catalog.hashes())?;
    let tenant = plan.event.tenant.as_deref().unwrap_or("-");
    let id = id(&["throttle", tenant, &rule.name, &step, recipient, &value]);
    Some(Wanted { id, limit, scope: Scope::Step, weight: 1 })
}

/// Says which limit it was.
pub(super) fn full(it: &Refusal) -> Note {
    Note::Full { limit: it.limit.clone(), n: it.n, most: it.most, until: it.until }
}

/// Says which cap an emergency passes although the cap is full.
pub(super) fn exceeded(it: &Refusal) -> Note {
    Note::Exceeded { limit: it.limit.clone(), n: it.n, most: it.most, until: it.until }
}

/// What a digest's window is called.
pub(super) fn window(event: &Event, rule: &Rule, step: u32, recipient: &str, what: &str) -> String {
    let step = step.to_string();
    id(&["digest", event.tenant.as_deref().unwrap_or("-"), &rule.name, &step, recipient, what])
}

/// Names the value of a step's key; empty for a step without a key. `None` when the event has no value there.
pub(super) fn value(path: Option<&Path>, envelope: &Value, hashes: &KeyedHashes) -> Option<String> {
    let Some(path) = path else { return Some(String::new()) };
    // The value may be personal data: a key holds its keyed hash.
    value_key(path, envelope).map(|value| hashes.value(&value))
}

/// Stands for the value that an event does not have: its window is shared with no other event.
pub(super) fn alone(event: &Event) -> String {
    // No hash of a value holds a blank.
    format!("alone {}", event_part(&event.source, &event.id))
}

/// Parts with `#` between them, and none of them runs into the next.
pub(crate) fn id(parts: &[&str]) -> String {
    let escaped = parts.iter().map(|part| part.replace('%', "%25").replace('#', "%23"));
    escaped.collect::<Vec<_>>().join("#")
}
