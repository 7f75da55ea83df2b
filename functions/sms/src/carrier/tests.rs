use super::*;
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_sdk_sns::error::ErrorMetadata;
use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use domain::recipient::PhoneNumber;

#[test]
fn sns_gets_purpose_and_operator_settings() {
    let wishes =
        SmsSettings { sender_id: Some("Carillon".into()), max_price: Some("0.10".into()), max_segments: 6 };
    check(
        &wishes,
        Purpose::Transactional,
        &[
            ("AWS.SNS.SMS.SMSType", Kind::Text, "Transactional"),
            ("AWS.SNS.SMS.SenderID", Kind::Text, "Carillon"),
            ("AWS.SNS.SMS.MaxPrice", Kind::Number, "0.10"),
        ],
    );
    check(
        &SmsSettings::default(),
        Purpose::Promotional,
        &[("AWS.SNS.SMS.SMSType", Kind::Text, "Promotional")],
    );
}

#[track_caller]
fn check(wishes: &SmsSettings, purpose: Purpose, expected: &[(&str, Kind, &str)]) {
    let Ok(to) = PhoneNumber::parse("+15550100") else { panic!("it is a number") };
    let sender = wishes.sender_id.as_deref();
    let text = Text {
        to: &to,
        body: "Hi".into(),
        purpose,
        wishes,
        sender,
        time_to_live_s: None,
        context: Vec::new(),
    };
    let message = message(&text);
    assert!(matches!(message.target, Target::Phone(number) if *number.expose() == "+15550100"));
    assert_eq!(*message.text.expose(), "Hi");
    let found: Vec<_> = message
        .attributes
        .iter()
        .map(|attribute| (attribute.name, attribute.kind, attribute.value.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn opt_out_is_published_once() {
    let yes = mock!(aws_sdk_sns::Client::publish)
        .then_output(|| PublishOutput::builder().message_id("sns-1").build());
    let bus = heard();
    assert!(send(&yes, &bus).await.is_ok());
    assert_eq!(bus.num_calls(), 0);
    let stopped = mock!(aws_sdk_sns::Client::publish)
        .then_error(|| PublishError::generic(ErrorMetadata::builder().code("OptedOut").build()));
    let failure = send(&stopped, &bus).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { reason: Reason::OptedOut, .. }));
    assert_eq!(bus.num_calls(), 1);
}

fn heard() -> Rule {
    mock!(aws_sdk_eventbridge::Client::put_events)
        .match_requests(|request| {
            request.entries().iter().all(|entry| entry.detail_type() == Some("carillon.recipient.opted_out"))
        })
        .then_output(|| {
            let entry = PutEventsResultEntry::builder().event_id("1").build();
            PutEventsOutput::builder().entries(entry).build()
        })
}

async fn send(sns: &Rule, bus: &Rule) -> Result<Sent, Failure> {
    let answer = |rule: &Rule| MockResponseInterceptor::new().rule_mode(RuleMode::Sequential).with_rule(rule);
    let sns = aws_sdk_sns::Client::from_conf(
        aws_sdk_sns::Config::builder()
            .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
            .region(aws_sdk_sns::config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_sns::config::Credentials::new("key", "secret", None, None, "test"))
            .retry_config(aws::no_retries())
            .http_client(create_mock_http_client())
            .interceptor(answer(sns))
            .build(),
    );
    let bus = aws_sdk_eventbridge::Client::from_conf(
        aws_sdk_eventbridge::Config::builder()
            .behavior_version(aws_sdk_eventbridge::config::BehaviorVersion::latest())
            .region(aws_sdk_eventbridge::config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_eventbridge::config::Credentials::new(
                "key", "secret", None, None, "test",
            ))
            .retry_config(aws::no_retries())
            .http_client(create_mock_http_client())
            .interceptor(answer(bus))
            .build(),
    );
    let job = serde_json::from_str(
        r#"{"version":1,"key":"k-1","event":{"id":"e-1","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},
            "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"hold",
            "content":{"sms":{"to":"+15550100","text":"Hi","locale":"en"}}}"#,
    )
    .unwrap();
    let carrier =
        SmsSender::with_clients(Service::Sns(Sns::with_client(sns)), EventBridge::with_client(bus, "bus"));
    let wishes = SmsSettings { max_segments: 2, ..SmsSettings::default() };
    carrier.send(&job, &wishes, Timestamp::UNIX_EPOCH).await
}
