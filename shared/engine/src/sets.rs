//! Which notifications of a hand-over belong together: one `communication.sent` tells of all of them.

use domain::base::outcome::Reason;
use domain::decide::continuation::Start;
use domain::decide::plan::Plan;
use domain::decide::{Decision, Verdict, Waiting};
use domain::event::Extension;
use domain::event::producers::RELAY_SOURCE;
use domain::feedback::delivery_events::Set;

use crate::broadcast::is_broadcast;

/// The set of everything that is sent, and the set of what is suppressed. There is no second set where something is sent:
/// the first one tells what came of the event.
///
/// The suppressed notifications of all hand-overs of an event share one set. Pages of a large audience have a set each, as
/// pages that send something do. `more`: such pages follow.
pub(crate) fn sets(plan: &Plan<'_>, decisions: &[Decision<'_>], more: bool) -> (Set, Option<Set>) {
    // The targets of a broadcast are no recipients who were told.
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
    if (more || is_page(plan)) && !waits {
        let page = Set { of: u32::try_from(suppressed).unwrap_or(u32::MAX), ..set.clone() };
        return (set, Some(page));
    }
    (set, Some(Set::suppressed((!waits).then_some(suppressed), category)))
}

/// Whether the plan is about the next recipients of a large audience: their run begins where the rule does.
fn is_page(plan: &Plan<'_>) -> bool {
    plan.woken && plan.digest.is_none() && plan.matches.iter().any(|it| it.start == Start::default())
}

/// Whether a suppressed notification was one that somebody could wait for: the event concerned a recipient.
pub(crate) fn counts(decision: &Decision<'_>) -> bool {
    let Verdict::Suppress(reason) = decision.verdict else { return false };
    if is_broadcast(decision) {
        return false;
    }
    // An endpoint that does not want the event misses nothing.
    let is_unwanted = matches!(reason, Reason::EndpointPattern | Reason::EndpointVersion);
    // The event concerns no notification: no rule matches it, or it would take back one that it does not name.
    let is_of_none = matches!(reason, Reason::NoRule | Reason::NoKey);
    // A tenant without endpoints is no failure.
    let lacks_endpoints =
        reason == Reason::NoRecipient && decision.rule.is_some_and(|rule| rule.is_for_endpoints());
    // The row says that a recurring rule ends; the messages have rows of their own.
    let ends_repetition = reason == Reason::UnreadableTime && decision.channel.is_none();
    !(is_unwanted || is_of_none || lacks_endpoints || ends_repetition)
}

/// Whether a decision leaves a notification of this event for later. The next time of a recurring rule is another one.
fn waits(decision: &Decision<'_>) -> bool {
    match &decision.verdict {
        Verdict::Later(later) => later.why != Waiting::Recurrence,
        Verdict::Merge(_) => true,
        Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Cancel(_) => false,
    }
}

/// The category that the event names, or else that of the first rule.
fn category(plan: &Plan<'_>, decisions: &[Decision<'_>]) -> Option<String> {
    match plan.event.extensions.get("category") {
        Some(Extension::Text(category)) => Some(category.clone()),
        Some(Extension::Bool(_) | Extension::Integer(_)) | None => {
            let told = decisions.iter().filter(|decision| !is_broadcast(decision));
            told.filter_map(|decision| decision.rule).next().map(|rule| rule.category.clone())
        }
    }
}

/// Names this hand-over by what it goes on with, so that its repetition has the same name.
fn set_name(plan: &Plan<'_>) -> String {
    // Whoever is told again is told in a hand-over of its own.
    let mut goes_on_with = plan.event.nonce().unwrap_or_default().to_owned();
    if !plan.woken {
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
