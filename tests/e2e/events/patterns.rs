//! Our pattern matcher compared with the local cloud's `TestEventPattern`, on generated patterns and events.
//! Not generated, because the local cloud is known to differ from AWS there: `exists: false` below an object, a path
//! that is asked for both as a value and as an object, IP addresses as plain strings, numbers beyond 2^53.

use std::net::Ipv4Addr;
use std::time::Duration;

use aws_sdk_eventbridge::Client;
use domain::pattern::Pattern;
use futures_util::stream::{self, StreamExt as _};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use testkit::cloud::Cloud;

/// Number of pairs that one run compares.
const PAIRS: usize = 1_500;

/// Environment variable for the seed of the pairs, a whole number. Without it every run compares the same pairs.
const SEED: &str = "PATTERNS_SEED";

/// Number of concurrent requests.
const AT_ONCE: usize = 16;

#[tokio::test]
async fn matcher_agrees_with_test_event_pattern() {
    let cloud = Cloud::connect();
    let client = Client::new(&cloud.config);
    // The seed is printed so that a disagreement can be reproduced.
    let seed = seed();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = (pattern(), event());
    let pairs: Vec<(Value, Value)> =
        (0..PAIRS).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();

    let (mut matches, mut refusals) = (0, 0);
    let mut answers = stream::iter(&pairs)
        .map(async |(pattern, event)| (pattern, event, oracle(&client, pattern, event).await))
        .buffer_unordered(AT_ONCE);
    while let Some((pattern, event, theirs)) = answers.next().await {
        let ours = Pattern::compile(pattern).ok().map(|compile| compile.matches(event));
        assert_eq!(ours, theirs, "\npattern {pattern}\nevent {event}\nNone is a refusal");
        matches += usize::from(ours == Some(true));
        refusals += usize::from(ours.is_none());
    }
    // Two matchers that always say no would agree too.
    assert!(matches > PAIRS / 20, "{matches} of {PAIRS} match");
    assert!(refusals > PAIRS / 50, "{refusals} of {PAIRS} are refused");
}

/// Seed bytes of the random pairs.
#[expect(clippy::disallowed_methods, reason = "a soak run names its own seed")]
fn seed() -> [u8; 32] {
    let mut seed = [7; 32];
    if let Ok(text) = std::env::var(SEED) {
        let number: u64 =
            text.parse().unwrap_or_else(|_| panic!("{SEED} is {text:?} and should be a whole number"));
        seed[..8].copy_from_slice(&number.to_le_bytes());
    }
    seed
}

/// The local cloud's answer, or `None` when it refuses the pattern.
async fn oracle(client: &Client, pattern: &Value, event: &Value) -> Option<bool> {
    for pause in 1..4 {
        let call = client.test_event_pattern().event_pattern(pattern.to_string()).event(event.to_string());
        match call.send().await {
            Ok(answer) => return Some(answer.result()),
            Err(error) if error.as_service_error().is_some() => return None,
            Err(_) => tokio::time::sleep(Duration::from_secs(pause)).await,
        }
    }
    panic!("the local cloud does not answer");
}

/// Few distinct strings, so that patterns and events often match.
fn text() -> impl Strategy<Value = String> + Clone {
    prop::sample::select(vec!["a", "ab", "abc", "b", "bc", "A", "aB", "", "a*b", "ü", "Ü"])
        .prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        (-3..4_i64).prop_map(Value::from),
        prop::sample::select(vec![0.5, 1.5, 2.0, -1.5]).prop_map(Value::from),
    ]
}

fn address() -> impl Strategy<Value = String> {
    (0..2_u8, 0..4_u8).prop_map(|(b, d)| Ipv4Addr::new(10, b, 0, d).to_string())
}

fn event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        3 => number(),
        1 => prop::bool::ANY.prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let leaf = prop_oneof![4 => leaf.clone(), 1 => prop::collection::vec(leaf, 0..3).prop_map(Value::from)];
    let inner = prop::collection::btree_map(name("xyz"), leaf.clone(), 0..3)
        .prop_map(|btree_map| Value::Object(btree_map.into_iter().collect()));
    let list = prop::collection::vec(inner.clone(), 1..3).prop_map(Value::from);
    (
        prop::collection::btree_map(name("pq"), leaf, 0..3),
        prop::option::of(prop_oneof![2 => inner, 1 => list]),
        prop::option::of(address()),
    )
        .prop_map(|(leaves, object, ip)| {
            let mut detail: serde_json::Map<String, Value> = leaves.into_iter().collect();
            detail.extend(object.map(|object| ("o".to_owned(), object)));
            detail.extend(ip.map(|ip| ("ip".to_owned(), ip.into())));
            json!({
                "version": "0", "id": "1", "detail-type": "t", "source": "s", "account": "000000000000",
                "time": "2026-11-20T12:00:00Z", "region": "us-east-1", "resources": [], "detail": detail,
            })
        })
}

fn name(emails: &'static str) -> impl Strategy<Value = String> + Clone {
    (0..emails.len()).prop_map(move |at| emails[at..=at].to_owned())
}

fn pattern() -> impl Strategy<Value = Value> {
    let leaves = prop::collection::btree_map(name("pq"), matchers(true), 0..2);
    let object = prop::collection::btree_map(name("xyz"), matchers(false), 1..3)
        .prop_map(|btree_map| Value::Object(btree_map.into_iter().collect()));
    let alternatives = prop::collection::vec(
        prop::collection::btree_map(name("rs"), matchers(true), 1..2)
            .prop_map(|btree_map| Value::Object(btree_map.into_iter().collect())),
        1..3,
    );
    let cidr = (0..33_u8, address()).prop_map(|(bits, ip)| json!([{ "cidr": format!("{ip}/{bits}") }]));
    (
        leaves,
        prop::option::weighted(0.4, object),
        prop::option::weighted(0.15, alternatives),
        prop::option::weighted(0.2, cidr),
    )
        .prop_map(|(leaves, object, alternatives, cidr)| {
            let mut detail: serde_json::Map<String, Value> = leaves.into_iter().collect();
            detail.extend(object.map(|object| ("o".to_owned(), object)));
            detail.extend(alternatives.map(|alternative| ("$or".to_owned(), alternative.into())));
            detail.extend(cidr.map(|cidr| ("ip".to_owned(), cidr)));
            json!({ "detail": detail })
        })
}

/// The list of matchers of a pattern's field. Some contain an element that AWS refuses.
fn matchers(with_absence: bool) -> impl Strategy<Value = Value> {
    let exists = prop::bool::ANY.prop_map(move |any| json!({ "exists": any || !with_absence }));
    let matcher = prop_oneof![
        4 => text().prop_map(Value::from),
        2 => number(),
        1 => Just(Value::Null),
        1 => prop::bool::ANY.prop_map(Value::from),
        2 => exists,
        2 => text().prop_map(|text| json!({ "prefix": text })),
        2 => text().prop_map(|text| json!({ "suffix": text })),
        1 => text().prop_map(|text| json!({ "prefix": { "equals-ignore-case": text } })),
        1 => text().prop_map(|text| json!({ "equals-ignore-case": text })),
        2 => wildcard().prop_map(|wildcard| json!({ "wildcard": wildcard })),
        2 => numeric(),
        2 => anything_but(),
        1 => broken(),
    ];
    prop_oneof![
        20 => prop::collection::vec(matcher, 1..3).prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!("a")),
    ]
}

fn wildcard() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["*", "a*", "*b", "a*c", "*b*", "a\\*b", "ab", "*a*b*"]).prop_map(str::to_owned)
}

fn numeric() -> impl Strategy<Value = Value> {
    let sign = prop::sample::select(vec!["<", "<=", "=", ">", ">="]);
    prop_oneof![
        (sign, number()).prop_map(|(sign, item)| json!({ "numeric": [sign, item] })),
        (-3..1_i64, 1..4_i64).prop_map(|(low, high)| json!({ "numeric": [">", low, "<=", high] })),
    ]
}

fn anything_but() -> impl Strategy<Value = Value> {
    let texts = prop::collection::vec(text(), 1..3);
    prop_oneof![
        text().prop_map(|text| json!({ "anything-but": text })),
        number().prop_map(|number| json!({ "anything-but": number })),
        texts.clone().prop_map(|texts| json!({ "anything-but": texts })),
        text()
            .prop_filter("not empty", |text| !text.is_empty())
            .prop_map(|prop_filter| json!({ "anything-but": { "prefix": prop_filter } })),
        text()
            .prop_filter("not empty", |text| !text.is_empty())
            .prop_map(|prop_filter| json!({ "anything-but": { "suffix": prop_filter } })),
        wildcard().prop_map(|wildcard| json!({ "anything-but": { "wildcard": wildcard } })),
        texts.prop_map(|texts| json!({ "anything-but": { "equals-ignore-case": texts } })),
    ]
}

/// A matcher that AWS refuses.
fn broken() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({ "wildcard": "a**b" }),
        json!({ "wildcard": "a\\b" }),
        json!({ "numeric": ["<"] }),
        json!({ "numeric": ["~", 1] }),
        json!({ "numeric": ["<", "1"] }),
        json!({ "numeric": [">", 2, "<", 1] }),
        json!({ "exists": "yes" }),
        json!({ "cidr": "10.0.0.0" }),
        json!({ "cidr": "10.0.0.0/33" }),
        json!({ "prefix": 1 }),
        json!({ "anything-but": [] }),
        json!({ "starts-with": "a" }),
        json!({ "prefix": "a", "suffix": "b" }),
        json!({}),
        json!([]),
    ])
}
