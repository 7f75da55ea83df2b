use super::*;
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_sdk_sns::operation::delete_endpoint::{DeleteEndpointError, DeleteEndpointOutput};
use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
use aws_sdk_sns::types::error::{AuthorizationErrorException, EndpointDisabledException};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};

#[tokio::test]
async fn accepted_push_publishes_no_event() {
    let yes = mock!(aws_sdk_sns::Client::publish)
        .match_requests(|request| {
            let message = request.message().unwrap_or_default();
            request.target_arn() == Some("arn:aws:sns:::endpoint/x") && message.contains("fcmV1Message")
        })
        .then_output(|| PublishOutput::builder().message_id("sns-1").build());
    let bus = heard();
    let answer = send(&[&yes], &bus).await.unwrap();
    assert_eq!(answer, Sent::Accepted { provider_id: "sns-1".into() });
    assert_eq!(bus.num_calls(), 0);
}

#[tokio::test]
async fn unregistered_device_is_reported_once_and_deleted() {
    let bus = heard();
    let forgotten = forgotten();
    let failure = send(&[&disabled(), &forgotten], &bus).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { reason: Reason::DeadToken, .. }));
    assert_eq!((bus.num_calls(), forgotten.num_calls()), (1, 1));
}

#[tokio::test]
async fn refused_unregistered_event_keeps_the_outcome() {
    let deaf = mock!(aws_sdk_eventbridge::Client::put_events).then_output(|| {
        let entry = PutEventsResultEntry::builder().error_code("AccessDenied").build();
        PutEventsOutput::builder().failed_entry_count(1).entries(entry).build()
    });
    let failure = send(&[&disabled(), &forgotten()], &deaf).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { reason: Reason::DeadToken, .. }));
}

#[tokio::test]
async fn failed_endpoint_delete_keeps_the_outcome() {
    let kept = mock!(aws_sdk_sns::Client::delete_endpoint).then_error(|| {
        DeleteEndpointError::AuthorizationErrorException(AuthorizationErrorException::builder().build())
    });
    let failure = send(&[&disabled(), &kept], &heard()).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { reason: Reason::DeadToken, .. }));
}

fn forgotten() -> Rule {
    mock!(aws_sdk_sns::Client::delete_endpoint)
        .match_requests(|request| request.endpoint_arn() == Some("arn:aws:sns:::endpoint/x"))
        .then_output(|| DeleteEndpointOutput::builder().build())
}

fn disabled() -> Rule {
    mock!(aws_sdk_sns::Client::publish)
        .then_error(|| PublishError::EndpointDisabledException(EndpointDisabledException::builder().build()))
}

fn heard() -> Rule {
    mock!(aws_sdk_eventbridge::Client::put_events)
        .match_requests(|request| {
            request.entries().iter().all(|entry| {
                entry.detail_type() == Some(domain::event::own_events::UNREGISTERED)
                    && entry.event_bus_name() == Some("bus")
                    && entry.detail().is_some_and(|detail| detail.contains(r#""device":"phone-1""#))
            })
        })
        .then_output(|| {
            let entry = PutEventsResultEntry::builder().event_id("1").build();
            PutEventsOutput::builder().entries(entry).build()
        })
}

async fn send(sns: &[&Rule], bus: &Rule) -> Result<Sent, Failure> {
    let sns = Sns::with_client(aws_sdk_sns::Client::from_conf(
        aws_sdk_sns::Config::builder()
            .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
            .region(aws_sdk_sns::config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_sns::config::Credentials::new("key", "secret", None, None, "test"))
            .retry_config(aws::no_retries())
            .http_client(create_mock_http_client())
            .interceptor(answer(sns))
            .build(),
    ));
    let bus = aws_sdk_eventbridge::Client::from_conf(
        aws_sdk_eventbridge::Config::builder()
            .behavior_version(aws_sdk_eventbridge::config::BehaviorVersion::latest())
            .region(aws_sdk_eventbridge::config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_eventbridge::config::Credentials::new(
                "key", "secret", None, None, "test",
            ))
            .retry_config(aws::no_retries())
            .http_client(create_mock_http_client())
            .interceptor(answer(&[bus]))
            .build(),
    );
    let job = serde_json::from_str(
        r#"{"version":1,"key":"k-1","event":{"id":"e-1","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},
            "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"resend",
            "content":{"push":{"to":{"id":"phone-1","platform":"fcm","endpoint":"arn:aws:sns:::endpoint/x"},
            "title":"T","body":"B","data":{},"locale":"en"}}}"#,
    )
    .unwrap();
    Devices::with_clients(sns, EventBridge::with_client(bus, "bus")).send(&job, Timestamp::UNIX_EPOCH).await
}

/// Each rule answers once, in order.
fn answer(rules: &[&Rule]) -> MockResponseInterceptor {
    let answers = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    rules.iter().fold(answers, |answers, rule| answers.with_rule(rule))
}
