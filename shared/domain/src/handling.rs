//! How a note to a device is handled, by what its rule and its event say.

use serde_json::Value;

use crate::job::Push;
use crate::key::hash_of;
use crate::plan::Plan;
use crate::rule::Rule;

/// Sets what the note is called and the number on the app's icon.
///
/// A name is a hash: the value may be anybody's, and Apple takes 64 bytes. It holds the tenant and the rule, so that two
/// rules which name their notes by the same value do not push each other off the screen.
pub fn handle(plan: &Plan<'_>, rule: &Rule, push: &mut Push) {
    let envelope = plan.envelope();
    let tenant = plan.event.tenant.as_deref().unwrap_or("-");
    let named = rule.push.collapse.as_ref().and_then(|it| it.find_names(envelope).into_iter().next());
    let collapse = named.map(|it| hash_of(&["note", tenant, &rule.name, &it]));
    push.collapse = collapse.or_else(|| plan.digest.as_ref().map(|it| hash_of(&["digest", &it.window])));
    let badge = rule.push.badge.as_ref().and_then(|it| it.pick(envelope));
    push.badge = badge.as_ref().and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok());
}
