//! What an SDK error means for the caller.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::outcome::{Failure, Reason, Sent};

/// What a failed call means for whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same call may work later.
    Transient,
    /// It may work later, and less of it would be better.
    Throttled,
    /// We may not: a right or a credential is missing. It works once an operator has mended it.
    Denied,
    /// The same call will fail again.
    Permanent,
    /// It may have worked: the request went out and no answer came.
    Unanswered,
}

/// How long a throttled send stays away when the provider names no time.
pub const THROTTLE_PAUSE: Duration = Duration::from_secs(10);

/// A call that failed, with what was being done and what the service said.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}")]
pub struct Refused {
    pub doing: &'static str,
    pub verdict: Verdict,
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl Refused {
    /// Keeps an SDK error whole, sorted and with what was being done.
    pub fn new<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> Refused
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Refused { doing, verdict: classify_call(&error), source: Box::new(error) }
    }
}

/// Sorts the error of any call.
///
/// Source: AWS SDK for Rust, `aws-runtime` retry classifiers: the throttling and transient codes.
pub fn classify_call<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Verdict {
    match error {
        SdkError::ConstructionFailure(_) => Verdict::Permanent,
        SdkError::DispatchFailure(failure) if failure.is_user() => Verdict::Permanent,
        // No connection, no request: nothing can have happened.
        SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(was_never_sent) => {
            Verdict::Transient
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
            Verdict::Unanswered
        }
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            match answer.err().code() {
                Some(code) if is_throttling(code) => Verdict::Throttled,
                Some(code) if is_transient(code) => Verdict::Transient,
                Some(code) if is_denial(code) => Verdict::Denied,
                _ if status == 429 => Verdict::Throttled,
                _ if matches!(status, 401 | 403) => Verdict::Denied,
                _ if status >= 500 => Verdict::Transient,
                _ => Verdict::Permanent,
            }
        }
        // The enum is open to growth; what is new is treated with the caution that an open answer deserves.
        _ => Verdict::Unanswered,
    }
}

/// Sorts the error of a send. An adapter asks it for everything that is not its own service's business.
///
/// # Errors
/// The [`Failure`] that the ledger is to keep. An unanswered send is none: the provider may have accepted.
pub fn classify_send<E>(error: SdkError<E, HttpResponse>) -> Result<Sent, Failure>
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match classify_call(&error) {
        // A missing right is our own fault: the message must outlive it, in the dead-letter queue if need be.
        Verdict::Transient | Verdict::Denied => Err(Failure::Transient(Box::new(error))),
        Verdict::Throttled => Err(Failure::Throttled { delay: THROTTLE_PAUSE, source: Box::new(error) }),
        Verdict::Permanent => Err(Failure::Permanent { reason: Reason::Rejected, source: Box::new(error) }),
        Verdict::Unanswered => Ok(Sent::Unknown),
    }
}

/// An error with all its causes in one line, for the log: `cannot claim: service error: throttled`.
///
/// Services quote what they were sent, so every word that may be an address is left out: one with an `@`, a phone
/// number, the endpoint of a device.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        let said = it.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = it.source();
    }
    let words = text.split(' ').map(|part| if may_be_an_address(part) { "<address>" } else { part });
    words.collect::<Vec<_>>().join(" ")
}

fn may_be_an_address(word: &str) -> bool {
    let is_phone =
        word.split('+').skip(1).any(|part| part.chars().take_while(char::is_ascii_digit).count() >= 7);
    is_phone || word.contains('@') || word.contains(":endpoint/")
}

fn was_never_sent(error: &aws_smithy_runtime_api::client::result::ConnectorError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(it) = cause {
        // No name, no connection, no TLS: whatever the reason, no request left.
        if it
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(|downcast_ref| downcast_ref.is_connect())
        {
            return true;
        }
        if let Some(io) = it.downcast_ref::<std::io::Error>() {
            let refused = [std::io::ErrorKind::ConnectionRefused, std::io::ErrorKind::AddrNotAvailable];
            return refused.contains(&io.kind());
        }
        cause = it.source();
    }
    false
}

fn is_throttling(code: &str) -> bool {
    const CODES: [&str; 12] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "SlowDown",
    ];
    CODES.contains(&code)
}

fn is_denial(code: &str) -> bool {
    const CODES: [&str; 9] = [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "ExpiredTokenException",
    ];
    CODES.contains(&code)
}

fn is_transient(code: &str) -> bool {
    const CODES: [&str; 5] = [
        "RequestTimeout",
        "RequestTimeoutException",
        "InternalFailure",
        "InternalServerError",
        "ServiceUnavailable",
    ];
    CODES.contains(&code)
}

#[cfg(test)]
mod tests;
