use super::*;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

#[test]
fn an_answer_is_sorted_by_its_code_and_then_by_its_status() {
    check(&answered(400, Some("ThrottlingException")), Verdict::Throttled);
    check(&answered(400, Some("ProvisionedThroughputExceededException")), Verdict::Throttled);
    check(&answered(429, None), Verdict::Throttled);
    check(&answered(500, Some("InternalServerError")), Verdict::Transient);
    check(&answered(503, None), Verdict::Transient);
    check(&answered(400, Some("ValidationException")), Verdict::Permanent);
    check(&answered(403, Some("ForbiddenException")), Verdict::Denied);
    check(&answered(403, None), Verdict::Denied);
    check(&answered(403, Some("AccessDeniedException")), Verdict::Denied);
}

#[test]
fn unsent_call_is_transient_and_lost_answer_is_unanswered() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    check(&SdkError::dispatch_failure(ConnectorError::io(refused.into())), Verdict::Transient);
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    check(&SdkError::dispatch_failure(ConnectorError::io(reset.into())), Verdict::Unanswered);
    check(&SdkError::timeout_error("5 s"), Verdict::Unanswered);
}

#[test]
fn a_chain_of_causes_never_quotes_an_address() {
    for (said, expected) in [
        ("identity ann@example.com is not verified", "cannot send: identity <address> is not verified"),
        ("Reason: +15550100 is opted out", "cannot send: Reason: <address> is opted out"),
        ("on resource: arn:aws:sns:eu-central-1:1:endpoint/GCM/app/1", "cannot send: on resource: <address>"),
        ("1+1 is 2", "cannot send: 1+1 is 2"),
    ] {
        let inner = std::io::Error::other(said);
        let error = CallError { doing: "send", verdict: Verdict::Permanent, source: Box::new(inner) };
        assert_eq!(chain(&error), expected);
    }
}

#[track_caller]
fn check(error: &SdkError<Named, HttpResponse>, expected: Verdict) {
    assert_eq!(classify_call(error), expected, "{error:?}");
}

fn answered(status: u16, code: Option<&str>) -> SdkError<Named, HttpResponse> {
    let raw = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
    let mut meta = ErrorMetadata::builder();
    if let Some(code) = code {
        meta = meta.code(code);
    }
    SdkError::service_error(Named(meta.build()), raw)
}

/// A service error in the form of the SDKs.
#[derive(Debug, thiserror::Error)]
#[error("service said no")]
struct Named(ErrorMetadata);

impl ProvideErrorMetadata for Named {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}
