//! Logs the faults that a pass notices.

use engine::Warning;
use runtime::chain;

/// Logs a fault of a pass about the event `event_id`.
pub(crate) fn log(event_id: &str, warning: &Warning) {
    match warning {
        Warning::UnusableValue { rule } => tracing::warn!(
            event.id = event_id,
            rule,
            code = "DISPATCH_VALUE_UNUSABLE",
            "a value that the rule needs cannot be used; `carillon explain <event>` shows the decision"
        ),
        Warning::Unrendered { rule, key: _, error } => tracing::error!(
            event.id = event_id,
            rule,
            error = chain(error),
            code = "DISPATCH_TEMPLATE_FAILED",
            "template gave no text: the notification fails"
        ),
        Warning::PushValues { rule, members } => tracing::warn!(
            event.id = event_id,
            rule,
            members = members.join(","),
            code = "PUSH_VALUE_IGNORED",
            "values of the event cannot be used in a push notification: it is sent without them"
        ),
        Warning::FailoverDropped { rule } => tracing::warn!(
            event.id = event_id,
            rule,
            code = "DISPATCH_FAILOVER_DROPPED",
            "job is too large to carry its failover: it is sent without a fallback channel"
        ),
        Warning::LeftOut { rule, event_id: left_out, error } => tracing::error!(
            event.id = left_out,
            digest.id = event_id,
            rule,
            error = chain(error),
            code = "DISPATCH_DIGEST_EVENT_LEFT_OUT",
            "digest leaves out an event that its template cannot render: the other events are sent"
        ),
        Warning::BroadcastUnrecorded { rule, status, reason } => tracing::info!(
            event.id = event_id,
            rule,
            status = status.name(),
            reason = reason.name(),
            code = "DISPATCH_BROADCAST_NOT_SENT",
            "broadcast not sent to one of its targets, and its rule records no outcomes: `carillon explain FILE` names \
             the target"
        ),
    }
}
