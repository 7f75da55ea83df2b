//! Broadcasts are no notifications. Their targets are not counted as notified, and the ledger may have no row.

use domain::catalog::rule::Record;
use domain::decide::Decision;
use domain::decide::plan::Plan;

/// Reports whether a decision is about a target of a broadcast rule.
pub(crate) fn is_broadcast(decision: &Decision<'_>) -> bool {
    decision.rule.is_some_and(|rule| rule.broadcast.is_some())
}

/// Reports whether the ledger has a row for a decision. A broadcast with `record: none` has no rows.
pub(crate) fn is_recorded(plan: &Plan<'_>, decision: &Decision<'_>) -> bool {
    let policy = &plan.catalog.policy().broadcast;
    let broadcast = decision.rule.and_then(|rule| rule.broadcast.as_ref());
    broadcast.is_none_or(|broadcast| broadcast.record_by(policy) == Record::Targets)
}
