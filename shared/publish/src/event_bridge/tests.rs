use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use aws_sdk_eventbridge::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

#[tokio::test]
async fn only_the_entries_that_may_still_work_are_offered_again() {
    let first =
        mock!(Client::put_events).match_requests(|request| request.entries().len() == 3).then_output(|| {
            PutEventsOutput::builder()
                .failed_entry_count(2)
                .entries(PutEventsResultEntry::builder().event_id("a").build())
                .entries(PutEventsResultEntry::builder().error_code("ThrottlingException").build())
                .entries(PutEventsResultEntry::builder().error_code("MalformedDetail").build())
                .build()
        });
    let second = mock!(Client::put_events)
        .match_requests(|request| {
            request.entries().len() == 1 && request.entries()[0].detail() == Some("{\"n\":1}")
        })
        .then_output(|| {
            let entry = PutEventsResultEntry::builder().event_id("b").build();
            PutEventsOutput::builder().failed_entry_count(0).entries(entry).build()
        });
    let client = client(&[&first, &second]);
    let entries: Vec<Entry> = (0..3).map(|n| Entry::new("s", "t", format!("{{\"n\":{n}}}"))).collect();
    let results = EventBridge::with_client(client, "bus").put(&entries).await;
    assert_eq!(results[0].as_ref().unwrap(), "a");
    assert_eq!(results[1].as_ref().unwrap(), "b");
    assert_eq!(results[2].as_ref().unwrap_err().verdict, Verdict::Permanent);
}

#[tokio::test]
async fn a_call_that_was_turned_away_is_made_again_and_one_whose_answer_is_lost_is_not() {
    check(&[503, 429, 200], None, 3).await;
    check(&[503], Some(Verdict::Transient), 3).await;
    check(&[429], Some(Verdict::Throttled), 3).await;
    check(&[400], Some(Verdict::Permanent), 1).await;
    check(&[LOST], Some(Verdict::Unanswered), 1).await;
}

/// A marker in place of a status for a call whose answer is lost.
const LOST: u16 = 0;

/// A fake EventBridge with these answers. The last one repeats.
#[derive(Clone, Debug)]
struct Bridge {
    answers: &'static [u16],
    calls: Arc<AtomicUsize>,
}

impl HttpConnector for Bridge {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = match self.answers[call.min(self.answers.len() - 1)] {
            LOST => Err(ConnectorError::timeout("no answer".into())),
            200 => Ok((200, r#"{"FailedEntryCount":0,"Entries":[{"EventId":"a"}]}"#)),
            status => Ok((status, "{}")),
        };
        HttpConnectorFuture::ready(answer.map(|(status, body)| {
            HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
        }))
    }
}

/// `calls` is the expected number of calls.
async fn check(answers: &'static [u16], expected: Option<Verdict>, calls: usize) {
    let bridge = Bridge { answers, calls: Arc::default() };
    let connector = SharedHttpConnector::new(bridge.clone());
    let credentials = Credentials::new("key", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    let entry = Entry::new("s", "t", "{}");
    let results = EventBridge::new(&config, "bus").put(&[entry]).await;
    let found = results[0].as_ref().err().map(|err| err.verdict);
    assert_eq!((found, bridge.calls.load(Ordering::Relaxed)), (expected, calls), "{answers:?}");
}

/// A real client with these mocked answers, in order.
fn client(rules: &[&Rule]) -> Client {
    let mode = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
    let config = aws_sdk_eventbridge::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
