//! Throttles, digests and waits while dispatch is killed at each of its calls.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use testkit::cloud::{Cloud, entry, now_text};
use workspace::unique;

use crate::suite::run_scenario;

/// Number of calls that dispatch makes for one event without faults, including its continuation.
const MOST_CALLS: u64 = 14;

const KINDS: [&str; 3] = ["demo.comment", "demo.alarm", "demo.appointment"];

/// An event that leads to one e-mail: at once, when its digest window closes, or after a wait.
struct TimedEvent {
    mark: String,
    kind: &'static str,
}

impl TimedEvent {
    async fn new(cloud: &Cloud, kind: &'static str) -> TimedEvent {
        let mark = unique("thing");
        let person =
            json!({ "id": format!("{mark}-ann"), "name": "Ann", "email": format!("{mark}@example.com") });
        cloud.new_recipient_with(person).await;
        TimedEvent { mark, kind }
    }

    async fn put(&self, cloud: &Cloud) {
        let event = json!({
            "specversion": "1.0", "id": self.mark, "source": "/carillon/demo", "type": self.kind, "time": now_text(),
            "data": { "to": [format!("{}-ann", self.mark)], "about": self.mark, "text": "It happened." },
        });
        cloud.put(&[entry("/carillon/demo", self.kind, &event)]).await;
    }

    fn emails(&self, cloud: &Cloud) -> usize {
        cloud.captured("email", &format!("{}@example.com", self.mark)).len()
    }
}

/// `docs/contract/invariants.md` F1 and G2.
#[tokio::test]
async fn digest_throttle_and_wait_survive_crashes_of_dispatch() {
    run_scenario(async |suite| {
        let (mut events, mut faults) = (Vec::new(), Vec::new());
        for kind in KINDS {
            for (kind_of_fault, call) in
                ["kill_before", "kill_after"].iter().flat_map(|kind| (0..MOST_CALLS).map(move |call| (kind, call)))
            {
                let event = TimedEvent::new(&suite.cloud, kind).await;
                let fault = json!({
                    "function": "dispatch", "contains": event.mark, "do": kind_of_fault, "skip": call, "times": 1,
                });
                faults.push(fault);
                events.push(event);
            }
        }
        suite.set_max_receives(faults.len() as u64 + 1).await;
        suite.proxy.plan(suite.seed, &faults);
        for some in events.chunks(4) {
            join_all(some.iter().map(|event| event.put(&suite.cloud))).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        // The last digest window closes.
        tokio::time::sleep(Duration::from_secs(7)).await;
        suite.wait_until_idle().await;
        let done = suite.proxy.done();
        eprintln!("dispatch was killed at its calls {done:?}");
        assert!(done.chunks(usize::try_from(MOST_CALLS).unwrap()).all(|chunk| chunk[0] == 1), "{done:?}");
        for event in &events {
            assert_eq!(event.emails(&suite.cloud), 1, "{} {}", event.kind, event.mark);
        }
    })
    .await;
}
