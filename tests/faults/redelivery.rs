//! Redelivery: the same message several times, at once to several processes and again later.

use crate::hello_events::{HelloEvent, check_records};
use crate::invariants::check;
use crate::jobs::{CHANNELS, TestJob};
use crate::suite::run_scenario;

/// `docs/contract/invariants.md` F3.
#[tokio::test]
async fn job_delivered_five_times_at_once_and_again_later_is_sent_once() {
    run_scenario(async |suite| {
        let event = HelloEvent::new(&suite.cloud).await;
        let entries: Vec<_> = (0..5).map(|_| event.entry()).collect();
        let mut jobs = Vec::new();
        for channel in CHANNELS.iter().copied() {
            jobs.push(TestJob::by(suite, channel).await);
        }
        for _ in 0..2 {
            suite.cloud.put(&entries).await;
            for test_job in jobs.iter().flat_map(|job| std::iter::repeat_n(job, 5)) {
                test_job.send(suite).await;
            }
            suite.wait_until_idle().await;
        }
        for job in &mut jobs {
            check(suite, job, 0).await;
        }
        event.check(suite, 0).await;
        check_records(suite, &[event]).await;
    })
    .await;
}
