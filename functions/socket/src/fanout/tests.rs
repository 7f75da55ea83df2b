use std::sync::{Arc, Mutex};

use super::*;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::{
    PostToConnectionError, PostToConnectionOutput,
};
use aws_sdk_apigatewaymanagement::types::error::GoneException;
use aws_smithy_mocks::{MockResponse, MockResponseInterceptor, RuleMode, create_mock_http_client, mock};
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use domain::Timestamp;

/// The answers of the API by connection. The last one repeats.
type Answers = &'static [(&'static str, &'static [u16])];

#[tokio::test]
async fn only_unreached_sockets_are_retried() {
    let (tally, posted) = post(&[("a", &[200]), ("b", &[503, 200]), ("c", &[503])], &["a", "b", "c"]).await;
    assert_eq!(posted, ["a", "b", "b", "c", "c"]);
    assert_eq!((tally.delivered, tally.unreached), (2, 1));
    let accepted = Sent::Accepted { provider_id: "sockets:2".into() };
    assert_eq!(tally.answer(None).unwrap(), accepted, "and the message is not sent again for the third");
}

#[tokio::test]
async fn unreached_message_is_retried() {
    let (tally, _) = post(&[("a", &[503]), ("b", &[410])], &["a", "b"]).await;
    assert!(matches!(tally.answer(None), Err(Failure::Transient(_))));
    let (tally, _) = post(&[("a", &[410])], &["a"]).await;
    assert_eq!((tally.answer(None).unwrap(), tally.gone.len()), (Sent::Nobody, 1));
}

#[tokio::test]
async fn stored_message_is_sent_without_a_socket() {
    let (tally, _) = post(&[("a", &[410])], &["a"]).await;
    assert_eq!(tally.answer(Some(7)).unwrap(), Sent::Accepted { provider_id: "inbox:7".into() });
    let (tally, _) = post(&[("a", &[200])], &["a"]).await;
    assert_eq!(tally.answer(Some(7)).unwrap(), Sent::Accepted { provider_id: "sockets:1".into() });
    let (tally, _) = post(&[("a", &[503])], &["a"]).await;
    assert!(matches!(tally.answer(Some(7)), Err(Failure::Transient(_))), "who is connected hears it live");
}

#[tokio::test]
async fn a_socket_that_is_still_opening_is_not_gone() {
    let young = |id: &str| Connection { opened_at: Some(now()), ..connection(id) };
    let (tally, posted) = post_all(&[("a", &[410, 200])], vec![young("a")], within(20_000)).await;
    assert_eq!((posted.len(), tally.delivered, tally.gone.len()), (2, 1, 0), "its handshake came to an end");
    let (tally, _) = post_all(&[("a", &[410])], vec![young("a")], within(20_000)).await;
    assert_eq!((tally.unreached, tally.gone.len()), (1, 0));
    assert!(matches!(tally.answer(None), Err(Failure::Transient(_))), "the queue shows it again");
    let old = Connection { opened_at: Some(now() - Duration::from_secs(10)), ..connection("a") };
    let (tally, _) = post_all(&[("a", &[410])], vec![old], within(20_000)).await;
    assert_eq!((tally.unreached, tally.gone.len()), (0, 1));
}

#[tokio::test]
async fn there_is_no_second_try_when_the_time_is_up() {
    let (tally, posted) = post_all(&[("a", &[503])], vec![connection("a")], within(2_400)).await;
    assert_eq!((posted.len(), tally.unreached), (1, 1));
    let (tally, posted) = post_all(&[("a", &[200])], vec![connection("a")], within(1_900)).await;
    assert_eq!((posted.len(), tally.unreached), (0, 1));
}

#[test]
fn link_that_runs_code_reaches_neither_sockets_nor_the_inbox() {
    let job = job(r#"{"url":"javascript:alert(1)","imageUrl":"/a.png","price":1.50}"#);
    let safe = with_safe_links(&job);
    let (_, kept) = Kept::of(&safe).unwrap();
    let frame = Frame::shape(&safe, None).unwrap();
    for text in [kept.to_json(), frame.text().to_owned()] {
        assert!(!text.contains("javascript") && text.contains("/a.png"), "{text}");
    }
    let plain = self::job(r#"{"url":"https://example.com/a","price":1.50}"#);
    let kept = Frame::shape(&with_safe_links(&plain), None).unwrap();
    assert!(kept.text().contains(r#"{"url":"https://example.com/a","price":1.50}"#), "{}", kept.text());
}

async fn post(answers: Answers, open: &[&str]) -> (Tally, Vec<String>) {
    post_all(answers, open.iter().map(|socket| connection(socket)).collect(), within(20_000)).await
}

/// Posts to sockets of a fake API with these answers. Returns the connections in the order of their
/// names.
async fn post_all(answers: Answers, open: Vec<Connection>, deadline: Deadline) -> (Tally, Vec<String>) {
    let posted: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = posted.clone();
    let rule = mock!(Client::post_to_connection).then_compute_response(move |input| {
        let id = input.connection_id().unwrap().to_owned();
        let mut seen = seen.lock().unwrap();
        let before = seen.iter().filter(|posted| **posted == id).count();
        let (_, statuses) = answers.iter().find(|(name, _)| *name == id).unwrap();
        seen.push(id);
        match statuses[before.min(statuses.len() - 1)] {
            200 => MockResponse::Output(PostToConnectionOutput::builder().build()),
            410 => {
                MockResponse::Error(PostToConnectionError::GoneException(GoneException::builder().build()))
            }
            status => {
                MockResponse::Http(Response::new(StatusCode::try_from(status).unwrap(), SdkBody::empty()))
            }
        }
    });
    let interceptor = MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny).with_rule(&rule);
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(aws_sdk_apigatewaymanagement::config::BehaviorVersion::latest())
        .region(aws_sdk_apigatewaymanagement::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_apigatewaymanagement::config::Credentials::new(
            "key", "secret", None, None, "test",
        ))
        .endpoint_url("https://sockets.example")
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(interceptor)
        .build();
    let sockets = Sockets::with_client(Client::from_conf(config));
    let tally = post_to_all(&sockets, &frames(), open, deadline).await;
    let mut posted = posted.lock().unwrap().clone();
    posted.sort();
    (tally, posted)
}

fn connection(id: &str) -> Connection {
    Connection { id: id.to_owned(), view: View::All, opened_at: None, pk: "user#ann".to_owned() }
}

/// A deadline `millis` milliseconds from now. Two seconds are reserved for the result and the
/// settlement.
fn within(millis: u64) -> Deadline {
    let ends: Timestamp = now() + Duration::from_millis(millis);
    Deadline::at_millis(u64::try_from(ends.as_millisecond()).unwrap())
}

fn frames() -> Frames {
    Frames::shape(&job("{}"), None, &[connection("a")]).unwrap()
}

fn job(data: &str) -> Job {
    let text = r#"{"version":1,"key":"k","event":{"id":"e","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},
            "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"resend",
            "content":{"socket":{"to":{"user":"ann"},"title":"","body":"","data":DATA}}}"#;
    serde_json::from_str(&text.replace("DATA", data)).unwrap()
}
