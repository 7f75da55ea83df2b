//! Crash tests: a function is killed at each of its calls, before the request arrives or before the reply comes back.
//! The number of calls is not fixed in advance. Wave n kills at call n. The waves end when no function makes that many
//! calls.

use std::time::Duration;

use domain::base::channel::Channel;
use serde_json::json;
use testkit::until::until;

use crate::hello_events::{HelloEvent, check_records};
use crate::invariants::check;
use crate::jobs::{CHANNELS, TestJob};
use crate::proxy::Call;
use crate::suite::{Suite, run_scenario};

/// Upper bound for the number of calls that a function makes for one message.
const MOST_CALLS: u64 = 30;

/// `docs/contract/invariants.md` F1.
#[tokio::test]
async fn channel_killed_at_any_call_sends_at_most_once_more() {
    run_scenario(async |suite| {
        for kind_of_fault in ["kill_before", "kill_after"] {
            let mut open: Vec<Channel> = CHANNELS.to_vec();
            for call in 0..MOST_CALLS {
                open = wave(suite, &open, kind_of_fault, call).await;
                if open.is_empty() {
                    break;
                }
            }
            assert!(open.is_empty(), "{open:?} make more than {MOST_CALLS} calls");
        }
    })
    .await;
}

/// Kills each channel at call number `call` and returns the channels that reached that call.
async fn wave(suite: &Suite, channels: &[Channel], kind_of_fault: &str, call: u64) -> Vec<Channel> {
    let mut jobs = Vec::new();
    for channel in channels {
        jobs.push(TestJob::by(suite, *channel).await);
    }
    let fault = |channel: &Channel| json!({ "function": channel.name(), "do": kind_of_fault, "skip": call, "times": 1 });
    let (began, faults) = (suite.proxy.now(), channels.iter().map(fault).collect::<Vec<_>>());
    suite.proxy.plan(suite.seed, &faults);
    for job in &jobs {
        job.send(suite).await;
    }
    let mut killed = vec![false; jobs.len()];
    until("everything stands", async || {
        let mut all = true;
        for (at, done) in suite.proxy.done().into_iter().enumerate() {
            let key = &jobs[at].job.key;
            // A killed sender no longer holds its claim, so its lease may end now.
            if done > 0 && !std::mem::replace(&mut killed[at], true) {
                suite.end_lease(key).await;
            }
            let row = suite.cloud.ledger.find(key).await.unwrap();
            all &= row.is_some_and(|row| row.status.is_final());
        }
        all.then_some(())
    })
    .await;
    suite.wait_until_idle().await;
    let done = suite.proxy.done();
    let journal = suite.proxy.journal(began);
    let mut hit = Vec::new();
    for (mut job, done) in jobs.into_iter().zip(done) {
        let channel = job.job.channel();
        let (row, sends) = check(suite, &mut job, usize::from(in_doubt(&journal, channel))).await;
        eprintln!("{} {kind_of_fault} {call}: {done} done, {:?}, {sends} sends", channel.name(), row.status);
        if done > 0 {
            hit.push(channel);
        }
    }
    hit
}

/// Whether the provider call had started when the function was killed.
fn in_doubt(journal: &[Call], channel: Channel) -> bool {
    let of = |call: &&Call| call.function.as_deref() == Some(channel.name());
    let Some(kill) = journal.iter().filter(of).find(|call| call.fault.is_some()) else { return false };
    // Each invocation claims first, so a send before the kill belongs to this claim.
    journal.iter().filter(of).any(|call| call.number <= kill.number && call.is_send())
}

/// `docs/contract/invariants.md` F1 for dispatch. Every call about an event contains its mark, so many events run at the same time.
#[tokio::test]
async fn dispatch_killed_at_any_call_decides_again_and_sends_once() {
    run_scenario(async |suite| {
        let (mut events, mut faults) = (Vec::new(), Vec::new());
        for (kind_of_fault, call) in
            ["kill_before", "kill_after"].iter().flat_map(|kind| (0..12).map(move |call| (kind, call)))
        {
            let event = HelloEvent::new(&suite.cloud).await;
            let fault = json!({
                "function": "dispatch", "contains": event.mark, "do": kind_of_fault, "skip": call, "times": 1,
            });
            faults.push(fault);
            events.push(event);
        }
        suite.set_max_receives(faults.len() as u64 + 1).await;
        suite.proxy.plan(suite.seed, &faults);
        for event in &events {
            event.put(&suite.cloud).await;
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        suite.wait_until_idle().await;
        let done = suite.proxy.done();
        eprintln!("dispatch was killed at its calls {done:?}");
        let (before, after) = done.split_at(done.len() / 2);
        assert!(before.contains(&0) && after.contains(&0), "it makes more calls than were tried: {done:?}");
        for event in &events {
            event.check(suite, 0).await;
        }
        check_records(suite, &events).await;
    })
    .await;
}
