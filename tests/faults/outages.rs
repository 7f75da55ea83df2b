//! A provider that is down, and one beside it that is well.

use std::time::Duration;

use domain::breaker::Breaker;
use domain::channel::Channel;
use domain::outcome::Status;
use serde_json::json;

use crate::cloud::now;
use crate::invariants::check;
use crate::parcels::Parcel;
use crate::suite::{Suite, play};

/// How many letters wait, and how many notes are sent meanwhile.
const LETTERS: usize = 20;
const NOTES: usize = 10;

/// Reliability F9. That an emergency falls over to a text once is `failover`'s.
#[tokio::test]
async fn while_letters_cannot_be_sent_notes_are_as_quick_as_ever_and_later_all_letters_go_once() {
    play(async |suite| {
        nothing_is_known(suite).await;
        notes(suite).await;
        let well = notes(suite).await;
        let mut letters = Vec::new();
        for _ in 0..LETTERS {
            letters.push(Parcel::by(suite, Channel::Email).await);
        }
        suite.proxy.plan(suite.seed, &[json!({ "service": "ses", "do": "error" })]);
        for it in &letters {
            it.send(suite).await;
        }
        let ill = notes(suite).await;
        assert!(ill * 10 <= well * 12 + Duration::from_secs(2), "{ill:?} a note, where {well:?} is usual");
        tokio::time::sleep(Duration::from_secs(8)).await;
        let began = suite.proxy.now();
        tokio::time::sleep(Duration::from_secs(15)).await;
        let probes = suite.proxy.journal(began).iter().filter(|it| it.is_send()).count();
        assert!(probes <= 3, "{probes} letters in 15 s to a provider that is down");
        suite.proxy.clear();
        // What the first success and a minute do.
        nothing_is_known(suite).await;
        suite.peace().await;
        for it in &mut letters {
            let (row, sends) = check(suite, it, 0).await;
            assert_eq!((row.status, sends), (Status::Sent, 1));
        }
    })
    .await;
}

/// How long a note takes from its queue to its device, in the middle.
async fn notes(suite: &Suite) -> Duration {
    let mut took = Vec::new();
    for _ in 0..NOTES {
        let mut note = Parcel::by(suite, Channel::Push).await;
        let began = now();
        note.send(suite).await;
        while note.arrived(suite).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        took.push(now().duration_since(began).unsigned_abs());
    }
    took.sort();
    took[NOTES / 2]
}

/// Forgets what is known of the provider of letters, in every process: they go by what they read for five seconds.
async fn nothing_is_known(suite: &Suite) {
    let counters = &suite.cloud.counters;
    let read = counters.breaker("ses").await.unwrap();
    counters.keep_breaker("ses", &read, Breaker::default(), now()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
}
