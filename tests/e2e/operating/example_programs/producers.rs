//! Producers in Rust, Python and Node, and with the AWS CLI.

use std::process::Command;

use serde_json::{Value, json};

use super::put_events_stub::Stub;
use super::{BUS, command, customer, lines, python, run, until_received};
use testkit::cloud::Cloud;
use testkit::until::quiet;
use workspace::programs::text;
use workspace::{root, unique};

/// The producers that can run on this machine.
fn producers() -> Vec<(&'static str, Command)> {
    let examples = root().join("examples");
    let mut python = command(&python());
    python.arg(examples.join("producer-python/producer.py"));
    let mut shell = command(&examples.join("producer-aws-cli/producer.sh"));
    shell.env("PATH", format!("{}:{}", root().join(".local/awscli/bin").display(), super::path()));
    let rust = command(&root().join("target/local/example-producer-rust"));
    let mut found = vec![("rust", rust), ("python", python), ("aws-cli", shell)];
    match node_producer() {
        Some(node) => found.push(("node", node)),
        None => {
            eprintln!(
                "SKIPPED examples/producer-node: `make .local/producer-node/.installed` brings Node and packages"
            );
        }
    }
    found
}

/// `make .local/producer-node/.installed` copies the example and installs its packages beside it.
fn node_producer() -> Option<Command> {
    let producer = root().join(".local/producer-node/producer.mjs");
    let mut node = command(&super::super::examples::node()?);
    node.arg(&producer);
    producer.with_file_name(".installed").exists().then_some(node)
}

fn order(id: &str, user: &str, status: &str) -> Value {
    json!({ "orderId": id, "userId": user, "status": status })
}

#[tokio::test]
async fn producers_publish_and_a_repeated_event_notifies_once() {
    let cloud = Cloud::connect();
    let mut customers = Vec::new();
    for (name, mut producer) in producers() {
        let (user, tenant) = customer(&cloud).await;
        let id = unique(name);
        producer.env("CARILLON_BUS", BUS).env("CARILLON_TENANT", &tenant);
        for _ in 0..2 {
            let output = lines(&run(&mut producer, &format!("{}\n", order(&id, &user, "shipped"))));
            assert_eq!(output.len(), 1, "{name}: {output:?}");
            assert_eq!(output[0]["id"], format!("{id}-shipped"), "{name}");
            assert!(output[0]["busId"].is_string(), "{name}: {output:?}");
        }
        customers.push((name, user));
    }
    for (name, user) in &customers {
        let received = until_received(user).await;
        assert_eq!(received["rule"], "order-status", "{name}: {received}");
    }
    quiet().await;
    for (name, user) in &customers {
        assert_eq!(cloud.emails(&format!("{user}@example.com")).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn producers_offer_only_refused_entries_again_under_the_same_id() {
    for (name, mut producer) in producers() {
        // The second entry of the first call is throttled, and the third is refused for good.
        let stub = Stub::start(|call, entry| match (call, entry) {
            (0, 1) => Some("ThrottlingException"),
            (0, 2) => Some("MalformedDetail"),
            _ => None,
        });
        let orders: String =
            ["paid", "shipped", "lost"].map(|status| format!("{}\n", order("o-1", "ann", status))).concat();
        let output = run(producer.env("CARILLON_BUS", BUS).env("AWS_ENDPOINT_URL", &stub.url), &orders);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", text(&output));
        let calls = stub.calls();
        let ids: Vec<Vec<&str>> = calls
            .iter()
            .map(|call| call.iter().map(|event| event["id"].as_str().unwrap()).collect())
            .collect();
        assert_eq!(ids, [vec!["o-1-paid", "o-1-shipped", "o-1-lost"], vec!["o-1-shipped"]], "{name}");
        assert_eq!(calls[0][1], calls[1][0], "{name}: the event is the same in each attempt");
        let answers = workspace::programs::json_lines(&output);
        let of = |id: &str| {
            answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{name}: {id}"))
        };
        assert!(of("o-1-paid")["busId"].is_string() && of("o-1-shipped")["busId"].is_string(), "{name}");
        assert!(of("o-1-lost")["error"].as_str().unwrap().contains("MalformedDetail"), "{name}");
    }
}

#[tokio::test]
async fn producers_split_more_than_ten_events_into_calls() {
    for (name, mut producer) in producers() {
        let stub = Stub::start(|_, _| None);
        let orders: String =
            (0..11).map(|number| format!("{}\n", order(&format!("o-{number}"), "ann", "paid"))).collect();
        let output = run(producer.env("CARILLON_BUS", BUS).env("AWS_ENDPOINT_URL", &stub.url), &orders);
        assert_eq!(lines(&output).len(), 11, "{name}");
        assert_eq!(stub.calls().iter().map(Vec::len).collect::<Vec<_>>(), [10, 1], "{name}");
    }
}
