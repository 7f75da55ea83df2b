//! Provider outages: one provider is down while another works.

use std::time::Duration;

use domain::base::channel::Channel;
use domain::base::outcome::Status;
use domain::delivery::breaker::Breaker;
use serde_json::json;
use testkit::cloud::now;
use testkit::until::until;

use crate::invariants::check;
use crate::jobs::TestJob;
use crate::suite::{Suite, run_scenario};

/// Number of webhook messages that wait, and number of push notifications sent meanwhile.
const MESSAGES: usize = 20;
const NOTIFICATIONS: usize = 10;

/// `docs/contract/invariants.md` F9. The module `failover` of the test `it` checks the failover of a critical event to SMS.
#[tokio::test]
async fn outage_of_one_provider_does_not_delay_another_and_its_messages_are_sent_once_later() {
    run_scenario(async |suite| {
        reset_breaker(suite).await;
        notes(suite).await;
        let well = notes(suite).await;
        let mut messages = Vec::new();
        for _ in 0..MESSAGES {
            messages.push(TestJob::by(suite, Channel::Whatsapp).await);
        }
        suite.proxy.plan(suite.seed, &[json!({ "service": "social-messaging", "do": "error" })]);
        for message in &messages {
            message.send(suite).await;
        }
        let ill = notes(suite).await;
        assert!(ill * 10 <= well * 12 + Duration::from_secs(2), "{ill:?} a note, where {well:?} is usual");
        until("it is not asked any more", async || {
            suite.cloud.counters.breaker("whatsapp").await.unwrap().value.down_since().map(drop)
        })
        .await;
        // Time for calls in flight to end and for cached breaker states to expire.
        tokio::time::sleep(Duration::from_secs(6)).await;
        let began = suite.proxy.now();
        tokio::time::sleep(Duration::from_secs(15)).await;
        let journal = suite.proxy.journal(began);
        let probes = journal.iter().filter(|call| call.service == "social-messaging").count();
        assert!(probes <= 3, "{probes} messages in 15 s to a provider that is down");
        suite.proxy.clear();
        // A successful probe and one minute close the breaker.
        reset_breaker(suite).await;
        suite.wait_until_idle().await;
        for message in &mut messages {
            let (row, sends) = check(suite, message, 0).await;
            assert_eq!((row.status, sends), (Status::Sent, 1));
        }
    })
    .await;
}

/// Median time of a push notification from its queue to its device.
async fn notes(suite: &Suite) -> Duration {
    let mut took = Vec::new();
    for _ in 0..NOTIFICATIONS {
        let mut note = TestJob::by(suite, Channel::Push).await;
        let began = now();
        note.send(suite).await;
        while note.arrived(suite).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        took.push(now().duration_since(began).unsigned_abs());
    }
    took.sort();
    took[NOTIFICATIONS / 2]
}

/// Deletes the breaker state and waits until no process has it in its cache, which lasts five seconds.
async fn reset_breaker(suite: &Suite) {
    let counters = &suite.cloud.counters;
    let read = counters.breaker("whatsapp").await.unwrap();
    counters.keep_breaker("whatsapp", &read, Breaker::default(), now()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
}
