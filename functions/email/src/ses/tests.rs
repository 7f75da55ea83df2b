use super::*;
use aws_sdk_sesv2::types::error::{MessageRejected, SendingPausedException, TooManyRequestsException};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use domain::job::Job;

#[tokio::test]
async fn a_letter_has_both_parts_and_carries_the_story_of_its_event_in_tags() {
    let yes = mock!(Client::send_email)
        .match_requests(|it| {
            let simple = it.content().and_then(|it| it.simple()).unwrap();
            let part = |it: Option<&Content>| it.map(|it| it.data().to_owned());
            let tag = |name: &str| {
                it.email_tags().iter().find(|tag| tag.name() == name).map(|tag| tag.value().to_owned())
            };
            it.destination().unwrap().to_addresses() == ["ann@example.com"]
                && part(simple.subject()).as_deref() == Some("Hello")
                && part(simple.body().unwrap().html()).as_deref() == Some("<p>Hi</p>")
                && part(simple.body().unwrap().text()).as_deref() == Some("Hi")
                && tag("carillon-event").as_deref() == Some("e-1")
                && tag("carillon-key").as_deref() == Some("k-1")
                && tag("carillon-tenant").as_deref() == Some("clinic-7")
                && tag("carillon-correlation").as_deref() == Some("story-1")
                && tag("carillon-causation").as_deref() == Some("e-0")
                && tag("carillon-actor").as_deref() == Some("ben")
                && tag("carillon-traceparent").is_some_and(|it| it.starts_with("00-4bf92f"))
        })
        .then_output(|| SendEmailOutput::builder().message_id("ses-1").build());
    let answer = send(client(&[&yes])).await.unwrap();
    assert_eq!(answer, Sent::Accepted { provider_id: "ses-1".into() });
}

#[tokio::test]
async fn a_rejected_letter_is_not_tried_again() {
    let no = mock!(Client::send_email)
        .then_error(|| SendEmailError::MessageRejected(MessageRejected::builder().build()));
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent { reason: Reason::Rejected, .. }));
}

#[tokio::test]
async fn letters_wait_until_somebody_verifies_the_sender() {
    let no = mock!(Client::send_email).then_error(|| {
        let said =
            "Email address is not verified. The following identities failed the check: bell@example.com";
        let meta =
            aws_sdk_sesv2::error::ErrorMetadata::builder().code("MessageRejected").message(said).build();
        SendEmailError::MessageRejected(MessageRejected::builder().meta(meta).build())
    });
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)));
}

#[tokio::test]
async fn a_paused_account_keeps_its_letters() {
    let no = mock!(Client::send_email)
        .then_error(|| SendEmailError::SendingPausedException(SendingPausedException::builder().build()));
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)));
}

#[tokio::test]
async fn too_many_letters_wait() {
    let no = mock!(Client::send_email).then_error(|| {
        let meta = aws_sdk_sesv2::error::ErrorMetadata::builder().code("TooManyRequestsException").build();
        SendEmailError::TooManyRequestsException(TooManyRequestsException::builder().meta(meta).build())
    });
    let failure = send(client(&[&no])).await.unwrap_err();
    assert!(matches!(failure, Failure::Throttled { .. }));
}

async fn send(client: Client) -> Result<Sent, Failure> {
    let job: Job = serde_json::from_str(
        r#"{"version":1,"key":"k-1","event":{"id":"e-1","source":"s","type":"t","time":"2026-11-20T12:00:00Z",
            "tenant":"clinic-7","correlation_id":"story-1","causation_id":"e-0","actor":"ben",
            "traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"hold",
            "content":{"email":{"to":"ann@example.com","subject":"Hello","html":"<p>Hi</p>","text":"Hi","locale":"en"}}}"#,
    )
    .unwrap();
    Ses::with_client(client, "bell@example.com".into()).send(&Letter::shape(&job).unwrap()).await
}

/// A real client whose answers are given beforehand, in this order.
fn client(rules: &[&Rule]) -> Client {
    let mode = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(aws_sdk_sesv2::config::BehaviorVersion::latest())
        .region(aws_sdk_sesv2::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_sesv2::config::Credentials::new("key", "secret", None, None, "test"))
        .retry_config(aws::never_again())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
