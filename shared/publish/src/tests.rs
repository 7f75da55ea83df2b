use super::*;
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};

#[tokio::test]
async fn only_the_entries_that_may_still_work_are_offered_again() {
    let first = mock!(Client::put_events).match_requests(|it| it.entries().len() == 3).then_output(|| {
        PutEventsOutput::builder()
            .failed_entry_count(2)
            .entries(PutEventsResultEntry::builder().event_id("a").build())
            .entries(PutEventsResultEntry::builder().error_code("ThrottlingException").build())
            .entries(PutEventsResultEntry::builder().error_code("MalformedDetail").build())
            .build()
    });
    let second = mock!(Client::put_events)
        .match_requests(|it| it.entries().len() == 1 && it.entries()[0].detail() == Some("{\"n\":1}"))
        .then_output(|| {
            let entry = PutEventsResultEntry::builder().event_id("b").build();
            PutEventsOutput::builder().failed_entry_count(0).entries(entry).build()
        });
    let client = client(&[&first, &second]);
    let entries: Vec<Entry> = (0..3)
        .map(|n| Entry { source: "s".into(), detail_type: "t".into(), detail: format!("{{\"n\":{n}}}") })
        .collect();
    let results = Bus::with_client(client, "bus".into()).put(&entries).await;
    assert_eq!(results[0].as_ref().unwrap(), "a");
    assert_eq!(results[1].as_ref().unwrap(), "b");
    assert_eq!(results[2].as_ref().unwrap_err().verdict, Verdict::Permanent);
}

/// A real client whose answers are given beforehand, in this order.
fn client(rules: &[&Rule]) -> Client {
    let mode = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
    let config = aws_sdk_eventbridge::Config::builder()
        .behavior_version(aws_sdk_eventbridge::config::BehaviorVersion::latest())
        .region(aws_sdk_eventbridge::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_eventbridge::config::Credentials::new(
            "key", "secret", None, None, "test",
        ))
        .retry_config(aws::never_again())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
