//! Crashes of the relay between the producer's table and the bus.

use domain::event::Event;
use publish::{Outbox, Stream};
use serde_json::json;
use store::{Events, Way};
use testkit::cloud::now;
use testkit::sweeping::sweep;
use testkit::until::until;

use crate::hello_events::{HelloEvent, check_records};
use crate::suite::{Suite, run_scenario};

const TABLE: &str = "carillon-local-events";

/// Number of streams, and of events in each.
const STREAMS: usize = 4;
const LONG: u64 = 5;

/// `docs/contract/invariants.md` F8: the relay is killed at every other call, and some `PutEvents` replies contain failed entries.
#[tokio::test]
async fn relay_killed_repeatedly_loses_no_event_and_sends_none_twice() {
    run_scenario(async |suite| {
        let relay = |kind_of_fault: &str, chance: f64, times: u32| {
            json!({ "function": "relay", "action": "PutEvents", "do": kind_of_fault, "chance": chance, "times": times })
        };
        let faults =
            [relay("kill_after", 0.5, 4), relay("kill_before", 0.6, 4), relay("fail_some", 0.7, 4)];
        suite.proxy.plan(suite.seed, &faults);
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            streams.push(append(suite).await);
        }
        let events: Vec<&HelloEvent> = streams.iter().flat_map(|(_, item)| item).collect();
        let table = Events::new(&store::client(&suite.cloud.config), TABLE.to_owned());
        until("everything was seen on the bus", async || {
            if suite.proxy.done().iter().take(2).sum::<u64>() >= 5 {
                sweep(&suite.cloud).await;
            }
            let mut pending = 0;
            for (stream, _) in &streams {
                let page = table.of_stream(stream, 1, Way::Forward, 100).await.unwrap();
                let versions: Vec<u64> = page.events.iter().map(|event| event.version).collect();
                assert_eq!(versions, (1..=LONG).collect::<Vec<_>>(), "G3: without a gap");
                pending += suite.pending(stream).await;
            }
            (pending == 0).then_some(())
        })
        .await;
        let done = suite.proxy.done();
        eprintln!("the relay was killed {} times, and heard a no {} times", done[0] + done[1], done[2]);
        assert!(done[0] + done[1] >= 5, "{done:?}");
        suite.proxy.clear();
        suite.wait_until_idle().await;
        for event in &events {
            event.check(suite, 0).await;
        }
        for (_, events) in streams {
            check_records(suite, &events).await;
        }
    })
    .await;
}

/// Appends the events of one stream, one transaction per event.
async fn append(suite: &Suite) -> (Stream, Vec<HelloEvent>) {
    let tables = store::client(&suite.cloud.config);
    let outbox = Outbox::new(TABLE.to_owned());
    let mut events = Vec::new();
    for version in 0..LONG {
        events.push(HelloEvent::new(&suite.cloud).await);
        let stream = Stream::new(None, &events[0].mark);
        let event = Event::parse(&events.last().unwrap().event().to_string()).unwrap();
        let mut transaction = Vec::new();
        let appended = outbox.append(&mut transaction, &stream, version, &[event], now()).unwrap();
        let call = tables.transact_write_items().set_transact_items(Some(transaction));
        call.client_request_token(&appended.token).send().await.unwrap();
    }
    (Stream::new(None, &events[0].mark), events)
}
