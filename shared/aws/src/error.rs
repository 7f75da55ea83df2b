//! Classifies the errors of sends. [`carillon_sdk_error`] classifies those of all calls.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
pub use carillon_sdk_error::{CallError, Verdict, chain, classify_call};
use domain::base::outcome::{Failure, Reason, Sent};

/// The pause of a throttled send if the provider names none.
pub const THROTTLE_PAUSE: Duration = Duration::from_secs(10);

/// Classifies the error of a send. Adapters call it for errors that are not specific to their service.
///
/// # Errors
/// The [`Failure`] to store in the ledger. An unanswered send is no failure, because the provider may
/// have accepted the message.
pub fn classify_send<E>(error: SdkError<E, HttpResponse>) -> Result<Sent, Failure>
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match classify_call(&error) {
        // A missing permission is an operator's fault. The message must outlive it, if necessary in the
        // dead-letter queue.
        Verdict::Transient | Verdict::Denied => Err(Failure::Transient(Box::new(error))),
        Verdict::Throttled => Err(Failure::Throttled { delay: THROTTLE_PAUSE, source: Box::new(error) }),
        Verdict::Permanent => Err(Failure::Permanent { reason: Reason::Rejected, source: Box::new(error) }),
        Verdict::Unanswered => Ok(Sent::Unknown),
    }
}

#[cfg(test)]
mod tests;
