//! What a provider made of a send.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;

use super::Reason;

/// What the provider made of a send that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The provider took it over and calls it by this id.
    Accepted { provider_id: String },
    /// There was nobody to hand it to: no socket is open.
    Nobody,
    /// The answer never came. The provider may have accepted.
    Unknown,
    /// Not yet: the job is put back and comes again at this time, under the same key.
    Later(Timestamp),
}

/// The error underneath, kept whole for the log.
pub type Source = Box<dyn Error + Send + Sync>;

/// Why a send did not happen, sorted by who acts on it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody acted on it: a refused connection, a 503. The queue shows the message again.
    #[error("transient failure")]
    Transient(#[source] Source),
    /// The provider asked us to slow down. The job comes back after `delay`.
    #[error("throttled for {} s", delay.as_secs())]
    Throttled { delay: Duration, source: Source },
    /// The provider's or the tenant's own no. The ledger keeps `reason`; the message is consumed.
    #[error("permanent failure: {}", reason.name())]
    Permanent { reason: Reason, source: Source },
    /// Too late to be of use. The ledger says suppressed(expired); no provider was asked.
    #[error("expired before it was sent")]
    Expired,
}
