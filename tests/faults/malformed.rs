//! Malformed messages among good ones.

use serde_json::json;
use testkit::cloud::{entry, now, now_text};
use testkit::until::until;
use workspace::unique;

use crate::hello_events::{HelloEvent, check_records};
use crate::invariants::check;
use crate::jobs::{CHANNELS, TestJob};
use crate::suite::{Suite, log, run_scenario};

/// Queues whose functions dead-letter messages that they cannot read.
const QUEUES: [&str; 7] = ["email", "push", "webhook", "socket", "dispatch", "people", "audit"];

/// Depth of the deepest nested JSON.
const DEEP: usize = 10_000;

/// `docs/contract/invariants.md` F7 and G5: logs contain no part of the message.
#[tokio::test]
async fn malformed_message_is_dead_lettered_with_its_cause_and_its_neighbours_are_handled() {
    run_scenario(async |suite| {
        let mark = unique("canary");
        let bodies = [
            format!("no json, {mark}@example.com"),
            json!({ "version": 1, "key": mark, "to": format!("{mark}@example.com") }).to_string(),
            format!("{}{mark}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
            json!({ "detail-type": "t", "source": "s", "id": mark, "detail": mark }).to_string(),
        ];
        let mut jobs = Vec::new();
        for channel in CHANNELS.iter().copied() {
            jobs.push(TestJob::by(suite, channel).await);
        }
        let event = HelloEvent::new(&suite.cloud).await;
        for queue in QUEUES {
            suite.send_all(queue, &bodies.each_ref().map(String::as_str), 0).await;
        }
        let no_event = json!({ "specversion": "0.3", "id": mark, "to": format!("{mark}@example.com") });
        let began = now();
        suite.cloud.put(&[entry("tests", "core.hello", &no_event), event.entry()]).await;
        for job in &jobs {
            job.send(suite).await;
        }
        for job in &mut jobs {
            check(suite, job, 0).await;
        }
        event.check(suite, 0).await;
        let waited = now().duration_since(began);
        assert!(waited.as_secs() < 15, "the neighbours waited {waited:?}");
        suite.wait_until_idle().await;
        for queue in QUEUES {
            put_aside(suite, queue, &mark).await;
        }
        check_records(suite, &[event]).await;
        let notified = log();
        let notified: Vec<&str> =
            notified.lines().filter(|line| line.contains(&format!("{mark}@"))).collect();
        assert!(notified.is_empty(), "an address is in the log: {notified:?}");
    })
    .await;
}

/// Checks that all malformed messages with this mark are in the dead-letter queue with a cause.
async fn put_aside(suite: &Suite, queue: &str, mark: &str) {
    let mut found = Vec::new();
    until(&format!("the dead letters of {queue}"), async || {
        found.extend(suite.cloud.dead_letters(queue, mark).await);
        (found.len() >= 4).then_some(())
    })
    .await;
    let began = now_text();
    for message in &found {
        let attributes = message.message_attributes.as_ref().unwrap();
        let of = |name: &str| {
            attributes.get(name).and_then(|attribute| attribute.string_value()).unwrap_or_default()
        };
        assert!(["refused", "unreadable"].contains(&of("cause")), "{queue}: {attributes:?}");
        assert!(!of("detail").contains(mark) && of("detail").len() > 5, "{queue}: {}", of("detail"));
        assert_eq!(of("attempts"), "1", "{queue}");
        assert!(of("first_at") < began.as_str() && of("first_at").starts_with("20"), "{queue}");
    }
}
