//! Deadline tests: one provider call takes longer than the invocation of the whole batch.

use domain::base::channel::Channel;
use serde_json::json;

use crate::invariants::check;
use crate::jobs::TestJob;
use crate::suite::{DEPLOYED_VISIBILITY, log, run_scenario};

/// Number of messages in one batch, and the index of the slow one.
const BATCH: usize = 10;
const SLOW: usize = 6;

/// `docs/contract/invariants.md` F2. The tables are slow too. Otherwise the client's own timeout ends before the invocation's.
#[tokio::test]
async fn invocation_timeout_keeps_sent_messages_and_returns_only_the_slow_one() {
    run_scenario(async |suite| {
        // The visibility timeout must exceed an invocation of 30 seconds.
        suite.set_visibility_timeout(DEPLOYED_VISIBILITY).await;
        let mut jobs = Vec::new();
        for _ in 0..BATCH {
            jobs.push(TestJob::by(suite, Channel::Webhook).await);
        }
        let slow = jobs[SLOW].job.key.clone();
        let of_slow = |more: serde_json::Value| {
            let mut fault = json!({ "function": "webhook", "contains": slow.parts().1, "do": "delay" });
            fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            fault
        };
        let faults = [
            of_slow(json!({ "action": "BatchExecuteStatement", "millis": 6_000, "times": 1 })),
            of_slow(json!({ "action": "BatchGetItem", "millis": 6_000, "times": 2 })),
            of_slow(json!({ "service": "-", "millis": 60_000, "times": 1 })),
        ];
        suite.proxy.plan(suite.seed, &faults);
        let timed_out = || log().matches("Task timed out").count();
        let (before, began) = (timed_out(), suite.proxy.now());
        suite.send_all("webhook", &jobs.iter().map(|job| job.text.as_str()).collect::<Vec<_>>(), 0).await;
        suite.wait_until_idle().await;
        assert_eq!(suite.proxy.done(), [1, 2, 1], "it was slow wherever it was to be slow");
        let journal = suite.proxy.journal(began);
        assert!(journal.iter().any(|call| call.parts > BATCH / 2), "most came in one batch");
        assert_eq!(timed_out(), before, "a function answers before its time is up");
        for (index, job) in jobs.iter_mut().enumerate() {
            let (_, sends) = check(suite, job, usize::from(index == SLOW)).await;
            assert_eq!(sends, 1);
        }
    })
    .await;
}
