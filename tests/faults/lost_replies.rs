//! Lost replies: a call takes effect but the caller gets no reply.

use std::time::Duration;

use domain::base::channel::Channel;
use domain::base::outcome::Status;
use publish::{Outbox, Stream};
use serde_json::json;
use testkit::cloud::now;
use testkit::until::until;
use testkit::ws_client::Client;
use workspace::unique;

use crate::hello_events::{HelloEvent, check_records};
use crate::invariants::check;
use crate::jobs::{CHANNELS, TestJob};
use crate::suite::{Suite, run_scenario};

/// Number of table calls per job, on every channel.
const CALLS: u64 = 4;

/// `docs/contract/invariants.md` F4: one reply is lost and the client retries.
#[tokio::test]
async fn retry_after_a_lost_reply_recognises_its_own_write() {
    run_scenario(async |suite| {
        let mut jobs = Vec::new();
        let mut faults = Vec::new();
        for (channel, skip) in CHANNELS.iter().flat_map(|channel| (0..CALLS).map(move |at| (*channel, at))) {
            let job = TestJob::by(suite, channel).await;
            let own = job.job.key.parts().1;
            faults.push(json!({ "service": "dynamodb", "contains": own, "skip": skip, "times": 1, "do": "drop_reply" }));
            jobs.push(job);
        }
        suite.proxy.plan(suite.seed, &faults);
        for job in &jobs {
            job.send(suite).await;
        }
        suite.wait_until_idle().await;
        let done: u64 = suite.proxy.done().iter().sum();
        assert!(done >= 8, "a claim and a settlement of each channel at least, but {done}");
        for job in &mut jobs {
            check(suite, job, 0).await;
        }
    })
    .await;
}

/// Every reply is lost and the client gives up.
#[tokio::test]
async fn claim_without_a_reply_is_returned_and_settlement_is_retried() {
    run_scenario(async |suite| {
        for (skip, ambiguous) in [(0, 0), (1, 1)] {
            let (mut jobs, mut faults) = (Vec::new(), Vec::new());
            for channel in CHANNELS.iter().copied() {
                let job = TestJob::by(suite, channel).await;
                let fault = json!({
                    "service": "dynamodb", "action": "BatchExecuteStatement", "contains": job.job.key.parts().1,
                    "skip": skip, "times": 3, "do": "drop_reply",
                });
                faults.push(fault);
                jobs.push(job);
            }
            suite.proxy.plan(suite.seed, &faults);
            for job in &jobs {
                job.send(suite).await;
            }
            suite.wait_until_idle().await;
            for job in &mut jobs {
                let (row, sends) = check(suite, job, ambiguous).await;
                // A settlement is written even when its reply is lost.
                assert_eq!((row.status, sends), (Status::Sent, 1), "{}", job.job.channel().name());
            }
        }
    })
    .await;
}

/// Every service on the event's way loses one reply: the bus, the queues, the tables and the producer's own
/// transaction.
#[tokio::test]
async fn event_whose_first_reply_is_lost_at_every_service_is_delivered_once() {
    run_scenario(async |suite| {
        let events = [HelloEvent::new(&suite.cloud).await, HelloEvent::new(&suite.cloud).await];
        let lost = |event: &HelloEvent, service: &str| {
            json!({ "service": service, "contains": event.mark, "times": 1, "do": "drop_reply" })
        };
        let faults = ["events", "sqs", "dynamodb"].map(|service| lost(&events[0], service));
        let of_outbox = ["dynamodb", "events", "sqs"].map(|service| lost(&events[1], service));
        suite.proxy.plan(suite.seed, &[faults, of_outbox].concat());
        events[0].put(&suite.cloud).await;
        append(suite, &events[1]).await;
        suite.wait_until_idle().await;
        for event in &events {
            event.check(suite, 0).await;
        }
        check_records(suite, &events).await;
    })
    .await;
}

/// Appends an event through a client that uses the proxy, as the functions do.
async fn append(suite: &Suite, event: &HelloEvent) {
    let outbox = Outbox::new("carillon-local-events".to_owned());
    let published = domain::event::Event::parse(&event.event().to_string()).unwrap();
    let mut transaction = Vec::new();
    let order = Stream::new(None, &event.mark);
    let appended = outbox.append(&mut transaction, &order, 0, &[published], now()).unwrap();
    let tables = store::client(&suite.through_proxy());
    let call = tables.transact_write_items().set_transact_items(Some(transaction));
    call.client_request_token(&appended.token).send().await.unwrap();
}

#[tokio::test]
async fn connection_whose_row_was_written_without_a_reply_is_open_and_receives_once() {
    run_scenario(async |suite| {
        let user = unique("user");
        let fault =
            json!({ "function": "gateway", "action": "BatchWriteItem", "times": 1, "do": "drop_reply" });
        suite.proxy.plan(suite.seed, &[fault]);
        let mut client = Client::of(&suite.cloud, &user, None, &[]).await;
        assert_eq!(suite.proxy.done(), [1], "the row was written, and nobody was told");
        let mut job = TestJob::by(suite, Channel::Socket).await;
        job.send(suite).await;
        check(suite, &mut job, 0).await;
        assert_eq!(client.ask(r#"{"action":"ping"}"#).await["type"], "pong");
        let more = tokio::time::timeout(Duration::from_secs(1), client.next_message()).await;
        assert!(more.is_err(), "it was for somebody else");
    })
    .await;
}

/// A successful webhook attempt is final even if the stored record of an earlier failed attempt cannot be updated.
#[tokio::test]
async fn endpoint_whose_success_cannot_be_recorded_is_not_called_again() {
    run_scenario(async |suite| {
        let mut job = TestJob::by(suite, Channel::Webhook).await;
        let own = job.job.key.parts().1;
        let hook = json!({ "function": "webhook", "service": "-", "contains": own, "times": 1, "do": "error" });
        // The first write records the failed attempt.
        let note = json!({
            "function": "webhook", "action": "UpdateItem", "contains": own, "skip": 1, "times": 9, "do": "error",
        });
        suite.proxy.plan(suite.seed, &[hook, note]);
        job.send(suite).await;
        until("its first attempt failed", async || (suite.proxy.done()[0] == 1).then_some(())).await;
        let (row, sends) = check(suite, &mut job, 0).await;
        assert!(suite.proxy.done()[1] >= 3, "its note was refused: {:?}", suite.proxy.done());
        assert_eq!((row.status, sends), (Status::Sent, 1));
        suite.wait_until_idle().await;
    })
    .await;
}
