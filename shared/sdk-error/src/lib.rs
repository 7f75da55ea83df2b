//! Classifies errors of the AWS SDK for Rust by the reaction that they need.
//!
//! The SDK's own retries hide whether a request was sent. A caller that must not repeat a call without a reason turns
//! them off and asks [`classify_call`].
//!
//! ```
//! use carillon_sdk_error::Verdict;
//!
//! fn may_repeat(verdict: Verdict) -> bool {
//!     match verdict {
//!         Verdict::Transient | Verdict::Throttled => true,
//!         // The call may have succeeded. Only a harmless repetition may follow.
//!         Verdict::Unanswered => false,
//!         Verdict::Denied | Verdict::Permanent => false,
//!     }
//! }
//! assert!(!may_repeat(Verdict::Unanswered));
//! ```

#![deny(missing_docs)]

/// The examples of the README are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The reaction that a failed call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same call may succeed later.
    Transient,
    /// The call may succeed later, at a lower rate.
    Throttled,
    /// A permission or a credential is missing. An operator has to add it.
    Denied,
    /// The same call fails again.
    Permanent,
    /// The request was sent and no answer arrived, so it may have succeeded.
    Unanswered,
}

/// A failed call, with its operation and the service's error.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}")]
pub struct CallError {
    /// The operation, as a phrase for "cannot …".
    pub doing: &'static str,
    /// The reaction that the failure needs.
    pub verdict: Verdict,
    /// The service's error.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl CallError {
    /// Wraps an SDK error with its verdict and the operation.
    pub fn new<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> CallError
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        CallError { doing, verdict: classify_call(&error), source: Box::new(error) }
    }
}

/// Classifies the error of any call.
///
/// Source: AWS SDK for Rust, `aws-runtime` retry classifiers: the throttling and transient codes.
pub fn classify_call<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Verdict {
    match error {
        SdkError::ConstructionFailure(_) => Verdict::Permanent,
        SdkError::DispatchFailure(failure) if failure.is_user() => Verdict::Permanent,
        // Without a connection no request was sent.
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
        // The enum is non-exhaustive. Unknown variants count as unanswered, the most cautious verdict.
        _ => Verdict::Unanswered,
    }
}

/// Formats an error and its causes in one line for the log: `cannot claim: service error: throttled`.
///
/// Services quote their input. Words that may be an address are therefore left out: words with an `@`,
/// phone numbers and device endpoints.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let said = source.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = source.source();
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
    while let Some(source) = cause {
        // The failure of name resolution, connection or TLS precedes the request.
        if source
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(|downcast_ref| downcast_ref.is_connect())
        {
            return true;
        }
        if let Some(io) = source.downcast_ref::<std::io::Error>() {
            let refused = [std::io::ErrorKind::ConnectionRefused, std::io::ErrorKind::AddrNotAvailable];
            return refused.contains(&io.kind());
        }
        cause = source.source();
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
