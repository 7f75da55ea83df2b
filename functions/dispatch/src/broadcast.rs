//! Broadcasts beside notifications: nobody is counted as told, and the ledger may have no row.

use domain::decide::Decision;
use domain::outcome::Reason;
use domain::plan::Plan;
use domain::rule::{Broadcast, Record};
use store::LedgerRow;

/// Whether a decision is about a target of a broadcast rule.
pub(crate) fn is_broadcast(decision: &Decision<'_>) -> bool {
    decision.rule.is_some_and(|rule| rule.broadcast.is_some())
}

/// Whether the ledger has a row for what a decision leads to. It has none for a broadcast with `record: none`.
pub(crate) fn is_recorded(plan: &Plan<'_>, decision: &Decision<'_>) -> bool {
    let policy = plan.catalog.policy().broadcast.record;
    let record = |broadcast: &Broadcast| broadcast.record.unwrap_or(policy);
    let broadcast = decision.rule.and_then(|rule| rule.broadcast.as_ref());
    broadcast.is_none_or(|broadcast| record(broadcast) == Record::Targets)
}

/// Logs an outcome that the ledger does not keep, without the recipient.
pub(crate) fn log_unrecorded(row: &LedgerRow) {
    tracing::info!(
        event.id = row.origin.id,
        rule = row.rule,
        status = row.status.name(),
        reason = row.reason.map_or("-", Reason::name),
        code = "DISPATCH_BROADCAST_NOT_SENT",
        "a broadcast is not sent to one of its targets, and its rule records nothing: `carillon explain FILE` names the target"
    );
}
