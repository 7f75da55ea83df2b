use super::*;
use crate::canned::client;
use aws_sdk_sns::error::ErrorMetadata;
use aws_sdk_sns::operation::publish::PublishOutput;
use aws_sdk_sns::types::error::{
    EndpointDisabledException, InvalidParameterException, NotFoundException,
    PlatformApplicationDisabledException,
};
use aws_smithy_mocks::{Rule, mock};

const PHONE: Target<'_> = Target::Phone(Sensitive::new("+15550100"));
const DEVICE: Target<'_> =
    Target::Device(Sensitive::new("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/1"));

#[tokio::test]
async fn a_phone_gets_the_text_and_its_attributes() {
    let yes = mock!(Client::publish)
        .match_requests(|request| {
            let price = request.message_attributes().unwrap().get("AWS.SNS.SMS.MaxPrice").unwrap();
            request.phone_number() == Some("+15550100")
                && request.target_arn().is_none()
                && request.message_structure().is_none()
                && request.message() == Some("Hi")
                && (price.data_type(), price.string_value()) == ("Number", Some("0.10"))
        })
        .then_output(|| PublishOutput::builder().message_id("sns-1").build());
    let attribute = Attribute { name: "AWS.SNS.SMS.MaxPrice", kind: Kind::Number, value: "0.10".into() };
    let message = Message { target: PHONE, text: "Hi".into(), attributes: vec![attribute] };
    let answer = Sns::with_client(client(&[&yes])).publish(&message).await.unwrap();
    assert_eq!(answer, Sent::Accepted { provider_id: "sns-1".into() });
}

#[tokio::test]
async fn a_device_gets_a_payload_for_its_platform() {
    let yes = mock!(Client::publish)
        .match_requests(|request| {
            request.phone_number().is_none()
                && request.target_arn().is_some_and(|target_arn| target_arn.ends_with("endpoint/GCM/app/1"))
                && request.message_structure() == Some("json")
        })
        .then_output(|| PublishOutput::builder().message_id("sns-2").build());
    assert!(send(&yes, DEVICE).await.is_ok());
}

#[tokio::test]
async fn a_device_that_is_gone_is_not_tried_again() {
    let disabled = || PublishError::EndpointDisabledException(EndpointDisabledException::builder().build());
    check(&mock!(Client::publish).then_error(disabled), DEVICE, Some(Reason::DeadToken)).await;
    let unknown = || PublishError::NotFoundException(NotFoundException::builder().build());
    check(&mock!(Client::publish).then_error(unknown), DEVICE, Some(Reason::DeadToken)).await;
    let deleted =
        || invalid("Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified");
    check(&mock!(Client::publish).then_error(deleted), DEVICE, Some(Reason::DeadToken)).await;
}

#[tokio::test]
async fn a_phone_that_said_stop_is_not_written_to_again() {
    let stopped = || invalid("Invalid parameter: PhoneNumber Reason: +15550100 is opted out");
    check(&mock!(Client::publish).then_error(stopped), PHONE, Some(Reason::OptedOut)).await;
    let stopped = || PublishError::generic(ErrorMetadata::builder().code("OptedOut").build());
    check(&mock!(Client::publish).then_error(stopped), PHONE, Some(Reason::OptedOut)).await;
}

#[tokio::test]
async fn invalid_parameter_is_refused() {
    let no = || invalid("Invalid parameter: PhoneNumber");
    check(&mock!(Client::publish).then_error(no), PHONE, Some(Reason::Rejected)).await;
    check(&mock!(Client::publish).then_error(no), DEVICE, Some(Reason::Rejected)).await;
}

#[tokio::test]
async fn expired_app_certificate_retries_pushes() {
    let no = mock!(Client::publish).then_error(|| {
        let error = PlatformApplicationDisabledException::builder().build();
        PublishError::PlatformApplicationDisabledException(error)
    });
    assert!(matches!(send(&no, DEVICE).await, Err(Failure::Transient(_))));
}

#[tokio::test]
async fn too_many_messages_wait() {
    let no = mock!(Client::publish)
        .then_error(|| PublishError::generic(ErrorMetadata::builder().code("Throttling").build()));
    assert!(matches!(send(&no, PHONE).await, Err(Failure::Throttled { .. })));
}

async fn check(no: &Rule, target: Target<'_>, expected: Option<Reason>) {
    let reason = match send(no, target).await {
        Err(Failure::Permanent { reason, .. }) => Some(reason),
        Ok(_) | Err(Failure::Transient(_) | Failure::Throttled { .. } | Failure::Expired) => None,
    };
    assert_eq!(reason, expected);
}

async fn send(rule: &Rule, target: Target<'_>) -> Result<Sent, Failure> {
    let message = Message { target, text: "{}".into(), attributes: Vec::new() };
    Sns::with_client(client(&[rule])).publish(&message).await
}

fn invalid(said: &str) -> PublishError {
    let meta = ErrorMetadata::builder().code("InvalidParameter").message(said).build();
    PublishError::InvalidParameterException(
        InvalidParameterException::builder().message(said).meta(meta).build(),
    )
}
