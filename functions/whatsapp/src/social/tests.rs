use super::*;
use aws_sdk_socialmessaging::operation::send_whats_app_message::SendWhatsAppMessageOutput;
use aws_sdk_socialmessaging::types::error::{
    InvalidParametersException, ResourceNotFoundException, ThrottledRequestException,
};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use domain::base::outcome::Reason;

#[tokio::test]
async fn service_gets_the_message_unchanged() {
    let yes = mock!(Client::send_whats_app_message)
        .match_requests(|request| {
            request.origination_phone_number_id() == Some("phone-number-id-1")
                && request.meta_api_version() == Some("v20.0")
                && request.message().is_some_and(|message| {
                    message.as_ref().starts_with(br#"{"messaging_product":"whatsapp""#)
                })
        })
        .then_output(|| SendWhatsAppMessageOutput::builder().message_id("w-1").build());
    let answer = send(&yes, Some("phone-number-id-1")).await.unwrap();
    assert_eq!(answer, Sent::Accepted { provider_id: "w-1".into() });
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_refused() {
    let no = mock!(Client::send_whats_app_message).then_error(|| {
        let error = InvalidParametersException::builder().build();
        SendWhatsAppMessageError::InvalidParametersException(error)
    });
    let failure = send(&no, Some("phone-number-id-1")).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { reason: Reason::Rejected, .. }));
}

#[tokio::test]
async fn messages_wait_until_an_operator_names_a_number_that_is_there() {
    let no = mock!(Client::send_whats_app_message).then_error(|| {
        SendWhatsAppMessageError::ResourceNotFoundException(ResourceNotFoundException::builder().build())
    });
    assert!(matches!(send(&no, Some("phone-number-id-1")).await, Err(Failure::Transient(_))));
    assert!(matches!(send(&no, None).await, Err(Failure::Transient(_))));
    assert_eq!(no.num_calls(), 1, "without a number nobody is asked");
}

#[tokio::test]
async fn too_many_messages_wait() {
    let no = mock!(Client::send_whats_app_message).then_error(|| {
        SendWhatsAppMessageError::ThrottledRequestException(ThrottledRequestException::builder().build())
    });
    assert!(matches!(send(&no, Some("phone-number-id-1")).await, Err(Failure::Throttled { .. })));
}

async fn send(rule: &Rule, number: Option<&str>) -> Result<Sent, Failure> {
    let job = serde_json::from_str(
        r#"{"version":1,"key":"k-1","event":{"id":"e-1","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},
            "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"hold",
            "content":{"whatsapp":{"to":"+15550100","text":"Hi","locale":"en"}}}"#,
    )
    .unwrap();
    let from = Origination { phone_number_id: number.map(str::to_owned), meta_api_version: "v20.0".into() };
    Social::with_client(client(rule), from).send(&Message::shape(&job, domain::Timestamp::UNIX_EPOCH)?).await
}

/// A real client with a mocked answer.
fn client(rule: &Rule) -> Client {
    let answers = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential).with_rule(rule);
    let config = aws_sdk_socialmessaging::Config::builder()
        .behavior_version(aws_sdk_socialmessaging::config::BehaviorVersion::latest())
        .region(aws_sdk_socialmessaging::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_socialmessaging::config::Credentials::new(
            "key", "secret", None, None, "test",
        ))
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
