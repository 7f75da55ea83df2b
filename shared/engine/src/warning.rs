//! Faults of rules, templates and events that a pass notices. The caller logs them; none of them holds an address or a
//! text of a message.

use domain::base::outcome::{Reason, Status};
use domain::event::key::Key;
use templates::Unrendered;

/// One fault, with the name of the rule; `-` stands for no rule.
pub enum Warning {
    /// A value of the event that the rule needs cannot be used. The notes of the decision name the value.
    UnusableValue { rule: String },
    /// A template gave no text: the message fails.
    Unrendered { rule: String, key: Key, error: Unrendered },
    /// Values of the event that cannot be used in a push notification, which is sent without them.
    PushValues { rule: String, members: Vec<&'static str> },
    /// The job is too large to carry its failover and is sent without it.
    FailoverDropped { rule: String },
    /// A digest leaves out an event that its template cannot render.
    LeftOut { rule: String, event_id: String, error: Unrendered },
    /// A broadcast is not sent to one of its targets, and its rule records no outcomes.
    BroadcastUnrecorded { rule: String, status: Status, reason: Reason },
}
