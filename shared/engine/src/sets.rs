//! Sets: the notifications of one pass that one `communication.sent` event reports.

use domain::base::outcome::Reason;
use domain::decide::plan::Plan;
use domain::decide::{Decision, Verdict, Waiting};
use domain::event::Extension;
use domain::event::own_events::RELAY_SOURCE;
use domain::feedback::delivery_events::Set;

use crate::broadcast::is_broadcast;

/// Returns the set of all sent notifications, and the set of the suppressed ones. There is no second set if a
/// notification is sent, because the first set reports the result of the event.
///
/// The suppressed notifications of all passes of an event share one set. Pages of a large audience have a set each, as
/// pages with sent notifications do. `is_page`: the pass handles such a page, or such pages follow.
pub(crate) fn sets(plan: &Plan<'_>, decisions: &[Decision<'_>], is_page: bool) -> (Set, Option<Set>) {
    // The targets of a broadcast are not counted as notified recipients.
    let told = || decisions.iter().filter(|decision| !is_broadcast(decision));
    let orders = told().filter(|decision| matches!(decision.verdict, Verdict::Send(_))).count();
    let of = u32::try_from(orders).unwrap_or(u32::MAX);
    let category = category(plan, decisions);
    let set = Set { id: set_name(plan), of, category: category.clone() };
    if orders > 0 || plan.event.nonce().is_some() || plan.event.source == RELAY_SOURCE {
        return (set, None);
    }
    let suppressed = decisions.iter().filter(|decision| counts(decision)).count();
    let waits = told().any(waits);
    if is_page && !waits {
        let page = Set { of: u32::try_from(suppressed).unwrap_or(u32::MAX), ..set.clone() };
        return (set, Some(page));
    }
    (set, Some(Set::suppressed((!waits).then_some(suppressed), category)))
}

/// Reports whether a suppressed notification counts, because a recipient could have expected it.
pub(crate) fn counts(decision: &Decision<'_>) -> bool {
    let Verdict::Suppress(reason) = decision.verdict else { return false };
    if is_broadcast(decision) {
        return false;
    }
    // An endpoint that filters the event out has no missing notification.
    let is_unwanted = matches!(reason, Reason::EndpointPattern | Reason::EndpointVersion);
    // The event leads to no notification. No rule matches it, or it cancels a notification without naming its key.
    let is_of_none = matches!(reason, Reason::NoRule | Reason::NoKey);
    // A tenant without endpoints is not a failure.
    let lacks_endpoints =
        reason == Reason::NoRecipient && decision.rule.is_some_and(|rule| rule.is_for_endpoints());
    // This row records the end of a recurring rule. The messages have rows of their own.
    let ends_repetition = reason == Reason::UnreadableTime && decision.channel.is_none();
    !(is_unwanted || is_of_none || lacks_endpoints || ends_repetition)
}

/// Reports whether a decision defers a notification of this event. The next occurrence of a recurring rule is a
/// separate one.
fn waits(decision: &Decision<'_>) -> bool {
    match &decision.verdict {
        Verdict::Later(later) => later.why != Waiting::Recurrence,
        Verdict::Merge(_) => true,
        Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Cancel(_) => false,
    }
}

/// Returns the category that the event names, or else that of the first rule.
fn category(plan: &Plan<'_>, decisions: &[Decision<'_>]) -> Option<String> {
    match plan.event.extensions.get("category") {
        Some(Extension::Text(category)) => Some(category.clone()),
        Some(Extension::Bool(_) | Extension::Integer(_)) | None => {
            let told = decisions.iter().filter(|decision| !is_broadcast(decision));
            told.filter_map(|decision| decision.rule).next().map(|rule| rule.category.clone())
        }
    }
}

/// Names the set by the rules, recipients and steps that the pass continues. A repeated pass has the same name.
fn set_name(plan: &Plan<'_>) -> String {
    // A replay that notifies recipients again has a set of its own.
    let mut goes_on_with = plan.event.nonce().unwrap_or_default().to_owned();
    if !plan.resumed {
        return Set::name(Some(goes_on_with.as_str()).filter(|it| !it.is_empty()));
    }
    for it in &plan.matches {
        let hashes = plan.catalog.hashes();
        let audience: Vec<String> = it.audience.iter().map(|audience| audience.name(hashes)).collect();
        let start = serde_json::to_string(&it.start).expect("a start is numbers and names");
        goes_on_with.push_str(&serde_json::json!([it.rule.name, audience, start]).to_string());
    }
    Set::name(Some(&goes_on_with))
}

#[cfg(test)]
mod tests;
