//! Producers that write an event in their own transaction.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::put_events_stub::read_request;
use super::{command, customer, item, lines, new_table, python, run, until_received};
use testkit::cloud::Cloud;
use testkit::until::quiet;
use workspace::{root, unique};

fn producers() -> [(&'static str, Command); 2] {
    let mut python = command(&python());
    python.arg(root().join("examples/outbox-producer-python/producer.py"));
    [("rust", command(&root().join("target/local/example-outbox-producer-rust"))), ("python", python)]
}

#[tokio::test]
async fn outbox_producers_notify_once_although_the_transaction_is_sent_again() {
    let cloud = Cloud::connect();
    let orders = new_table(&cloud).await;
    let mut customers = Vec::new();
    for (name, mut producer) in producers() {
        let (user, tenant) = customer(&cloud).await;
        let order = unique(name);
        let lossy = LossyProxy::start(&cloud.endpoint);
        producer.args([&order, &user, "shipped"]).env("ORDERS", &orders);
        producer.env("CARILLON_EVENTS", "carillon-local-events").env("CARILLON_TENANT", &tenant);
        // The answer of the first transaction is lost. The SDK sends the transaction again.
        lines(&run(producer.env("AWS_ENDPOINT_URL", &lossy.url), ""));
        assert!(lossy.transactions() >= 2, "{name} sent the transaction again");
        // A repeated run finds the order changed.
        let output = lines(&run(producer.env("AWS_ENDPOINT_URL", &cloud.endpoint), ""));
        assert_eq!(output[0]["written"], false, "{name}");
        assert_eq!(item(&cloud, &orders, &order).await["status"], "shipped", "{name}");
        customers.push((name, user));
    }
    for (name, user) in &customers {
        assert_eq!(until_received(user).await["rule"], "order-status", "{name}");
    }
    quiet().await;
    for (name, user) in &customers {
        assert_eq!(cloud.emails(&format!("{user}@example.com")).len(), 1, "{name}");
    }
}

/// A proxy in front of the local cloud that drops the answer of the first transaction.
struct LossyProxy {
    url: String,
    transactions: Arc<AtomicUsize>,
}

impl LossyProxy {
    fn start(endpoint: &str) -> LossyProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let transactions = Arc::new(AtomicUsize::new(0));
        let (seen, target) = (Arc::clone(&transactions), endpoint.trim_start_matches("http://").to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                forward(&stream.unwrap(), &target, &seen);
            }
        });
        LossyProxy { url, transactions }
    }

    fn transactions(&self) -> usize {
        self.transactions.load(Ordering::SeqCst)
    }
}

fn forward(mut stream: &TcpStream, target: &str, transactions: &AtomicUsize) {
    let Some((head, body)) = read_request(stream) else { return };
    let mut cloud = TcpStream::connect(target).unwrap();
    // One request a connection, so that the end of the answer is the end of the stream.
    let lines = head.trim_end().lines().filter(|line| !line.to_lowercase().starts_with("connection:"));
    let head: String = lines.map(|line| format!("{line}\r\n")).collect();
    cloud.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
    cloud.write_all(&body).unwrap();
    let mut answer = Vec::new();
    cloud.read_to_end(&mut answer).unwrap();
    let is_transaction = head.to_lowercase().contains("transactwriteitems");
    if is_transaction && transactions.fetch_add(1, Ordering::SeqCst) == 0 {
        return;
    }
    let _ = stream.write_all(&answer);
}
