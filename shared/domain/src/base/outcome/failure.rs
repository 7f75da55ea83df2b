//! The result of a provider call.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;

use super::Reason;

/// The result of a provider call that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The provider accepted the message and returned this id.
    Accepted { provider_id: String },
    /// There was no receiver, because no socket is open.
    Nobody,
    /// No answer arrived. The provider may have accepted the message.
    Unknown,
    /// Deferred: the job is sent again at this time, under the same key.
    Later(Timestamp),
}

/// The underlying error, kept whole for the log.
pub type Source = Box<dyn Error + Send + Sync>;

/// The reason why a send failed, by the reaction that it needs.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No part of the send took effect, as after a refused connection or a 503. SQS redelivers the message.
    #[error("transient failure")]
    Transient(#[source] Source),
    /// The provider asked for a slower rate. The job is sent again after `delay`.
    #[error("throttled for {} s", delay.as_secs())]
    Throttled { delay: Duration, source: Source },
    /// The provider or the tenant refused the message for good. The ledger records `reason`, and the queue message is
    /// deleted.
    #[error("permanent failure: {}", reason.name())]
    Permanent { reason: Reason, source: Source },
    /// The notification expired. The ledger records suppressed(expired). No provider was called.
    #[error("expired before it was sent")]
    Expired,
}
