use super::*;
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};

#[tokio::test]
async fn refused_message_fails_alone() {
    let answer = mock!(Client::send_message_batch).then_output(|| {
        let taken = |id: &str| {
            let entry =
                SendMessageBatchResultEntry::builder().id(id).message_id("m").md5_of_message_body("x");
            entry.build().unwrap()
        };
        let no = BatchResultErrorEntry::builder().id("1").sender_fault(false).code("InternalError");
        SendMessageBatchOutput::builder()
            .successful(taken("0"))
            .successful(taken("2"))
            .failed(no.build().unwrap())
            .build()
            .unwrap()
    });
    let sqs = Sqs { config: SdkConfig::builder().build(), client: Arc::new(client(&[&answer]).into()) };
    let queue = Queue::new(&sqs, "https://queue".into());
    let message = Outgoing { body: "{}".into(), tenant: None, delay: Duration::ZERO };
    let sent = queue.send(&[message.clone(), message.clone(), message]).await;
    assert!(sent[0].is_ok() && sent[2].is_ok());
    assert_eq!(sent[1].as_ref().unwrap_err().verdict, Verdict::Transient);
}

#[tokio::test]
async fn dead_letter_has_cause_time_and_attempts() {
    let answer = mock!(Client::send_message)
        .match_requests(|request| {
            let of = |name: &str| request.message_attributes()?.get(name)?.string_value();
            [
                ("cause", "refused"),
                ("by", "dispatch"),
                ("attempts", "3"),
                ("first_at", "2026-11-21T10:00:00Z"),
            ]
            .iter()
            .all(|(name, expected)| of(name) == Some(*expected))
        })
        .then_output(|| SendMessageOutput::builder().build());
    let sqs = Sqs { config: SdkConfig::builder().build(), client: Arc::new(client(&[&answer]).into()) };
    let cause = Cause { class: "refused", detail: "no id".into(), by: "dispatch" };
    let past = MessageHistory { first_at: "2026-11-21T10:00:00Z".parse().ok(), attempts: 3 };
    Queue::new(&sqs, "https://queue".into()).dead_letter("{}", None, &cause, past).await.unwrap();
    assert_eq!(answer.num_calls(), 1);
}

#[test]
fn a_tenant_that_no_queue_takes_as_a_group_shares_the_group_of_none() {
    for (tenant, expected) in [(Some("clinic-7"), "clinic-7"), (Some("two words"), "-"), (None, "-")] {
        assert_eq!(group(tenant), expected);
    }
    assert_eq!(group(Some(&"x".repeat(129))), "-");
}

/// A real client with these mocked answers, in order.
fn client(rules: &[&Rule]) -> Client {
    let mode = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .region(aws_sdk_sqs::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_sqs::config::Credentials::new("key", "secret", None, None, "test"))
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
