//! Crash tests: a function is killed at each of its calls, before the request arrives or before the reply comes back.
//! The number of calls is not fixed in advance. Wave n kills at call n. The waves end when no function makes that many
//! calls.

use std::time::Duration;

use domain::channel::Channel;
use serde_json::json;

use crate::hellos::{Hello, check_books};
use crate::invariants::check;
use crate::parcels::{CHANNELS, Parcel};
use crate::proxy::Call;
use crate::suite::{Suite, play};
use crate::until::until;

/// Upper bound for the number of calls that a function makes for one message.
const MOST_CALLS: u64 = 30;

/// Reliability F1.
#[tokio::test]
async fn channel_killed_at_any_call_sends_at_most_once_more() {
    play(async |suite| {
        for deed in ["kill_before", "kill_after"] {
            let mut open: Vec<Channel> = CHANNELS.to_vec();
            for call in 0..MOST_CALLS {
                open = wave(suite, &open, deed, call).await;
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
async fn wave(suite: &Suite, channels: &[Channel], deed: &str, call: u64) -> Vec<Channel> {
    let mut parcels = Vec::new();
    for channel in channels {
        parcels.push(Parcel::by(suite, *channel).await);
    }
    let fault =
        |channel: &Channel| json!({ "function": channel.name(), "do": deed, "skip": call, "times": 1 });
    let (began, faults) = (suite.proxy.now(), channels.iter().map(fault).collect::<Vec<_>>());
    suite.proxy.plan(suite.seed, &faults);
    for parcel in &parcels {
        parcel.send(suite).await;
    }
    let mut killed = vec![false; parcels.len()];
    until("everything stands", async || {
        let mut all = true;
        for (at, done) in suite.proxy.done().into_iter().enumerate() {
            let key = &parcels[at].job.key;
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
    suite.peace().await;
    let done = suite.proxy.done();
    let journal = suite.proxy.journal(began);
    let mut hit = Vec::new();
    for (mut parcel, done) in parcels.into_iter().zip(done) {
        let channel = parcel.job.channel();
        let (row, sends) = check(suite, &mut parcel, usize::from(in_doubt(&journal, channel))).await;
        eprintln!("{} {deed} {call}: {done} done, {:?}, {sends} sends", channel.name(), row.status);
        if done > 0 {
            hit.push(channel);
        }
    }
    hit
}

/// Whether the provider call had started when the function was killed.
fn in_doubt(journal: &[Call], channel: Channel) -> bool {
    let of = |call: &&Call| call.function.as_deref() == Some(channel.name());
    let Some(kill) = journal.iter().filter(of).find(|it| it.fault.is_some()) else { return false };
    // Each invocation claims first, so a send before the kill belongs to this claim.
    journal.iter().filter(of).any(|it| it.number <= kill.number && it.is_send())
}

/// Reliability F1 for dispatch. Every call about an event contains its mark, so many events run at the same time.
#[tokio::test]
async fn dispatch_killed_at_any_call_decides_again_and_sends_once() {
    play(async |suite| {
        let (mut hellos, mut faults) = (Vec::new(), Vec::new());
        for (deed, call) in
            ["kill_before", "kill_after"].iter().flat_map(|it| (0..12).map(move |at| (it, at)))
        {
            let hello = Hello::new(&suite.cloud).await;
            let fault = json!({
                "function": "dispatch", "contains": hello.mark, "do": deed, "skip": call, "times": 1,
            });
            faults.push(fault);
            hellos.push(hello);
        }
        suite.try_often(faults.len() as u64 + 1).await;
        suite.proxy.plan(suite.seed, &faults);
        for hello in &hellos {
            hello.put(&suite.cloud).await;
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        suite.peace().await;
        let done = suite.proxy.done();
        eprintln!("dispatch was killed at its calls {done:?}");
        let (before, after) = done.split_at(done.len() / 2);
        assert!(before.contains(&0) && after.contains(&0), "it makes more calls than were tried: {done:?}");
        for hello in &hellos {
            hello.check(suite, 0).await;
        }
        check_books(suite, &hellos).await;
    })
    .await;
}
