//! Partial failures: a share of all calls fails for a while, or a part of one call fails.

use std::time::Duration;

use serde_json::{Value, json};

use crate::hello_events::{HelloEvent, check_records};
use crate::invariants::check;
use crate::jobs::{CHANNELS, TestJob};
use crate::suite::run_scenario;

/// Number of events on their way while calls fail.
const EVENTS: usize = 30;

/// `docs/contract/invariants.md` F5, for a third of its minute.
#[tokio::test]
async fn failure_of_three_calls_in_ten_loses_no_event_and_sends_none_twice() {
    run_scenario(async |suite| {
        let mut events = Vec::new();
        for _ in 0..EVENTS {
            events.push(HelloEvent::new(&suite.cloud).await);
        }
        let mut faults: Vec<Value> = Vec::new();
        for service in ["dynamodb", "sqs", "events"] {
            for kind_of_fault in ["throttle", "error", "drop", "drop_reply"] {
                faults.push(json!({ "service": service, "do": kind_of_fault, "chance": 0.085 }));
            }
        }
        let began = suite.proxy.now();
        suite.proxy.plan(suite.seed, &faults);
        for event in &events {
            event.put(&suite.cloud).await;
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        let done: u64 = suite.proxy.done().iter().sum();
        suite.proxy.clear();
        let journal = suite.proxy.journal(began);
        assert!(journal.iter().all(|call| call.attempt <= 3), "nobody asks more than three times");
        let offered = journal.iter().filter(|call| call.attempt == 1).count();
        let asked = journal.len();
        assert!(asked * 2 <= offered * 3, "{asked} calls where {offered} were offered");
        let share = usize::try_from(done).unwrap() * 100 / asked.max(1);
        assert!((15..=45).contains(&share), "{done} of {asked} calls failed");
        suite.wait_until_idle().await;
        for event in &events {
            event.check(suite, 1).await;
        }
        check_records(suite, &events).await;
    })
    .await;
}

/// `docs/contract/invariants.md` F6.
#[tokio::test]
async fn failed_entries_of_a_call_are_retried_and_the_others_are_not() {
    run_scenario(async |suite| {
        let mut events = Vec::new();
        for _ in 0..10 {
            events.push(HelloEvent::new(&suite.cloud).await);
        }
        let mut jobs = Vec::new();
        for channel in CHANNELS.iter().flat_map(|channel| [*channel; 3]) {
            jobs.push(TestJob::by(suite, channel).await);
        }
        let some = |action: &str| json!({ "action": action, "do": "fail_some", "times": 6 });
        let actions =
            ["PutEvents", "SendMessageBatch", "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem"];
        suite.proxy.plan(suite.seed, &actions.map(some));
        let entries: Vec<_> = events.iter().map(HelloEvent::entry).collect();
        suite.cloud.put(&entries).await;
        for job in &jobs {
            job.send(suite).await;
        }
        tokio::time::sleep(Duration::from_secs(6)).await;
        eprintln!("failed in part: {actions:?} {:?}", suite.proxy.done());
        assert!(suite.proxy.done().iter().filter(|count| **count > 0).count() >= 4);
        suite.proxy.clear();
        suite.wait_until_idle().await;
        for event in &events {
            event.check(suite, 1).await;
        }
        for job in &mut jobs {
            check(suite, job, 1).await;
        }
        check_records(suite, &events).await;
    })
    .await;
}
