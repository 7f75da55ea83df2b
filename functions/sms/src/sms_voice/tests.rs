use super::*;
use crate::SmsSettings;
use aws_sdk_pinpointsmsvoicev2::operation::send_text_message::SendTextMessageOutput;
use aws_sdk_pinpointsmsvoicev2::types::ServiceQuotaExceededExceptionReason;
use aws_sdk_pinpointsmsvoicev2::types::error::{
    ConflictException, ServiceQuotaExceededException, ThrottlingException, ValidationException,
};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use domain::recipient::PhoneNumber;

#[tokio::test]
async fn a_text_carries_its_key_its_price_and_its_time() {
    let yes = mock!(Client::send_text_message)
        .match_requests(|request| {
            request.destination_phone_number() == Some("+15550100")
                && request.origination_identity() == Some("pool-1")
                && request.configuration_set_name() == Some("carillon")
                && request.message_body() == Some("Hi")
                && request.message_type() == Some(&MessageType::Transactional)
                && request.max_price() == Some("0.10")
                && request.time_to_live() == Some(600)
                && request
                    .context()
                    .and_then(|context| context.get("carillon-key"))
                    .is_some_and(|value| value == "k-1")
        })
        .then_output(|| SendTextMessageOutput::builder().message_id("m-1").build());
    let origination =
        Origination { identity: Some("pool-1".into()), configuration_set: Some("carillon".into()) };
    let answer = send(&yes, origination).await.unwrap();
    assert_eq!(answer, Sent::Accepted { provider_id: "m-1".into() });
}

#[tokio::test]
async fn a_name_is_sent_from_where_there_is_no_number() {
    let yes = mock!(Client::send_text_message)
        .match_requests(|request| request.origination_identity() == Some("Carillon"))
        .then_output(|| SendTextMessageOutput::builder().message_id("m-1").build());
    assert!(send(&yes, Origination::default()).await.is_ok());
}

#[tokio::test]
async fn each_refusal_is_its_owners_matter() {
    use ConflictExceptionReason as Conflict;
    check(&conflict(Conflict::DestinationPhoneNumberOptedOut), Some(Reason::OptedOut)).await;
    let blocked = Conflict::DestinationCountryBlockedByProtectConfiguration;
    check(&conflict(blocked), Some(Reason::Rejected)).await;
    check(&conflict(Conflict::NoOriginationIdentitiesFound), None).await;
    check(&conflict(Conflict::DestinationPhoneNumberNotVerified), None).await;
    check(&invalid(ValidationExceptionReason::PriceOverThreshold), Some(Reason::Rejected)).await;
    check(&invalid(ValidationExceptionReason::DestinationCountryBlocked), Some(Reason::Rejected)).await;
    check(&invalid(ValidationExceptionReason::SenderIdRequiresRegistration), None).await;
}

#[tokio::test]
async fn texts_wait_when_the_months_money_is_spent() {
    let no = mock!(Client::send_text_message).then_error(|| {
        let reason = ServiceQuotaExceededExceptionReason::MonthlySpendLimitReachedForText;
        let error = ServiceQuotaExceededException::builder().reason(reason).build();
        SendTextMessageError::ServiceQuotaExceededException(error)
    });
    check(&no, None).await;
}

#[tokio::test]
async fn too_many_texts_wait() {
    let no = mock!(Client::send_text_message).then_error(|| {
        let meta =
            aws_sdk_pinpointsmsvoicev2::error::ErrorMetadata::builder().code("ThrottlingException").build();
        SendTextMessageError::ThrottlingException(ThrottlingException::builder().meta(meta).build())
    });
    assert!(matches!(send(&no, Origination::default()).await, Err(Failure::Throttled { .. })));
}

fn conflict(reason: ConflictExceptionReason) -> Rule {
    mock!(Client::send_text_message).then_error(move || {
        let error = ConflictException::builder().reason(reason.clone()).build();
        SendTextMessageError::ConflictException(error)
    })
}

fn invalid(reason: ValidationExceptionReason) -> Rule {
    mock!(Client::send_text_message).then_error(move || {
        let error = ValidationException::builder().reason(reason.clone()).build();
        SendTextMessageError::ValidationException(error)
    })
}

/// `None` stands for a retryable failure.
async fn check(no: &Rule, expected: Option<Reason>) {
    match send(no, Origination::default()).await {
        Err(Failure::Permanent { reason, .. }) => assert_eq!(Some(reason), expected),
        Err(Failure::Transient(_)) => assert_eq!(None, expected),
        Ok(_) | Err(Failure::Throttled { .. } | Failure::Expired) => panic!("it is refused"),
    }
}

async fn send(rule: &Rule, from: Origination) -> Result<Sent, Failure> {
    let Ok(to) = PhoneNumber::parse("+15550100") else { panic!("it is a number") };
    let wishes =
        SmsSettings { sender_id: Some("Carillon".into()), max_price: Some("0.10".into()), max_segments: 6 };
    let text = Text {
        to: &to,
        body: "Hi".into(),
        purpose: Purpose::Transactional,
        wishes: &wishes,
        sender: wishes.sender_id.as_deref(),
        time_to_live_s: Some(600),
        context: vec![("carillon-key", "k-1".into())],
    };
    SmsVoice::with_client(client(rule), from).send(&text).await
}

/// A real client with a mocked answer.
fn client(rule: &Rule) -> Client {
    let answers = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential).with_rule(rule);
    let config = aws_sdk_pinpointsmsvoicev2::Config::builder()
        .behavior_version(aws_sdk_pinpointsmsvoicev2::config::BehaviorVersion::latest())
        .region(aws_sdk_pinpointsmsvoicev2::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_pinpointsmsvoicev2::config::Credentials::new(
            "key", "secret", None, None, "test",
        ))
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
