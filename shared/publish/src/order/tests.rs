use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// For any answers of the bus, the events of an aggregate arrive in order, without gaps and without
    /// duplicates.
    #[test]
    fn an_aggregate_is_in_order_whatever_the_bus_refuses(
        aggregates in prop::collection::vec(prop::option::of(0..4_u8), 1..40),
        answers in prop::collection::vec(0..4_u8, 1..30),
    ) {
        let entries: Vec<InOrder> = aggregates.iter().enumerate().map(|(n, value)| entry(*value, n)).collect();
        let bridge = Bridge { answers, seen: Arc::default() };
        let puts = run(&bridge, &entries);
        let seen = bridge.seen.lock().unwrap();
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for call in &seen.calls {
            prop_assert!(call.len() <= ENTRIES_PER_CALL);
            let named: Vec<&str> = call.iter().filter_map(|name| name["a"].as_str()).collect();
            let distinct: BTreeSet<&str> = named.iter().copied().collect();
            prop_assert_eq!(named.len(), distinct.len(), "two of an aggregate in one call");
        }
        for taken in &seen.taken {
            let n = taken["n"].as_u64().unwrap();
            if let Some(aggregate) = taken["a"].as_str() {
                let before = last.insert(aggregate.to_owned(), n);
                prop_assert!(before.is_none_or(|before| before < n), "{aggregate} is out of order, or was put twice");
            }
        }
        for (at, put) in puts.iter().enumerate() {
            let is_there = seen.taken.iter().any(|taken| taken["n"] == at);
            prop_assert_eq!(matches!(put, Put::Done(_)), is_there);
            if let (Put::NotYet(_) | Put::Held, Some(aggregate)) = (put, &entries[at].aggregate) {
                let after = |value: &&Value| value["a"] == aggregate.as_str() && value["n"].as_u64().unwrap() > at as u64;
                prop_assert_eq!(seen.taken.iter().find(after), None, "something came after what is missing");
            }
        }
    }
}

#[test]
fn refused_event_does_not_block_others() {
    let entries: Vec<InOrder> =
        [Some(1), Some(1), Some(2)].into_iter().enumerate().map(|(n, value)| entry(value, n)).collect();
    let bridge = Bridge { answers: vec![NEVER, TAKEN], seen: Arc::default() };
    let puts = run(&bridge, &entries);
    assert!(matches!(puts[..], [Put::Never(_), Put::Done(_), Put::Done(_)]), "{puts:?}");
}

#[test]
fn a_hundred_aggregates_go_ten_to_a_call_and_large_ones_by_their_bytes() {
    let calls = |count: usize, bytes: usize| {
        let large = |n| {
            let mut entry = entry(None, n);
            entry.entry.detail = json!({ "n": n, "x": "x".repeat(bytes) }).to_string();
            entry
        };
        let entries: Vec<InOrder> = (0..count).map(large).collect();
        let bridge = Bridge { answers: vec![TAKEN], seen: Arc::default() };
        run(&bridge, &entries);
        bridge.seen.lock().unwrap().calls.iter().map(Vec::len).max()
    };
    assert_eq!((calls(100, 1), calls(12, 200 * 1024), calls(3, 600 * 1024)), (Some(10), Some(5), Some(1)));
}

#[test]
fn no_call_starts_after_the_deadline() {
    let bridge = Bridge { answers: vec![TAKEN], seen: Arc::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let puts = runtime.block_on(bus(&bridge).put_in_order(&[entry(None, 0)], || false));
    assert!(matches!(puts[..], [Put::Held]) && bridge.seen.lock().unwrap().calls.is_empty());
}

fn entry(aggregate: Option<u8>, n: usize) -> InOrder {
    let aggregate = aggregate.map(|aggregate| format!("order/{aggregate}"));
    let detail = json!({ "n": n, "a": aggregate }).to_string();
    InOrder::new(aggregate, Entry::new("s", "t", detail).with_resources(vec!["mark".into()]))
}

const TAKEN: u8 = 0;
const NEVER: u8 = 1;
/// A fake EventBridge that answers entry by entry with these codes, and repeats the last one. Other
/// codes mean throttled.
#[derive(Clone, Debug)]
struct Bridge {
    answers: Vec<u8>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    calls: Vec<Vec<Value>>,
    taken: Vec<Value>,
    entries: usize,
}

impl HttpConnector for Bridge {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let details = body["Entries"].as_array().unwrap().iter();
        let details: Vec<Value> =
            details.map(|detail| serde_json::from_str(detail["Detail"].as_str().unwrap()).unwrap()).collect();
        let mut seen = self.seen.lock().unwrap();
        let mut answers = Vec::new();
        for detail in &details {
            let how = self.answers.get(seen.entries).or(self.answers.last()).copied().unwrap_or(TAKEN);
            seen.entries += 1;
            answers.push(match how {
                TAKEN => {
                    seen.taken.push(detail.clone());
                    json!({ "EventId": "id" })
                }
                NEVER => json!({ "ErrorCode": "MalformedDetail" }),
                _ => json!({ "ErrorCode": "ThrottlingException" }),
            });
        }
        seen.calls.push(details);
        let body = json!({ "FailedEntryCount": 0, "Entries": answers }).to_string();
        let status = StatusCode::try_from(200).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

fn run(bridge: &Bridge, entries: &[InOrder]) -> Vec<Put> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(bus(bridge).put_in_order(entries, || true))
}

fn bus(bridge: &Bridge) -> EventBridge {
    let connector = SharedHttpConnector::new(bridge.clone());
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "key", "secret", None, None, "test",
        )))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    EventBridge::new(&config, "bus")
}
