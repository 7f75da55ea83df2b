use super::*;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

#[test]
fn a_right_that_is_missing_does_not_use_a_notification_up() {
    let denied = classify_send(answered(403, Some("AccessDeniedException")));
    assert!(matches!(denied, Err(Failure::Transient(_))));
}

#[test]
fn send_without_an_answer_is_unknown() {
    let sent = classify_send(SdkError::<Named, HttpResponse>::timeout_error("5 s"));
    assert_eq!(sent.unwrap(), Sent::Unknown);
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
