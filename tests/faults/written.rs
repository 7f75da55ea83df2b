//! What was recorded while everything broke. Its name puts it last: it looks at what all others left behind.

use std::process::Command;
use std::time::Duration;

use domain::Timestamp;
use domain::seal::minute_of;
use serde_json::Value;

use crate::cloud::{now, root};
use crate::hellos::Hello;
use crate::suite::play;

/// How much of the time since the first scenario is looked at.
const SPAN: Duration = Duration::from_secs(120);

/// A minute is sealed three minutes after its end, by a schedule of a minute; a slow machine takes a little longer.
const SEALED_AFTER: Duration = Duration::from_secs(270);

/// Reliability G4: the chain verifies.
#[tokio::test]
async fn what_was_recorded_while_everything_broke_is_as_it_was_sealed() {
    play(async |suite| {
        let hello = Hello::new(&suite.cloud).await;
        suite.cloud.put(&[hello.entry()]).await;
        hello.check(suite, 0).await;
        let from = minute_of(suite.since);
        let to = from + SPAN;
        let wait = (to + SEALED_AFTER).duration_since(now());
        tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
        let said = verify(from, to);
        assert_eq!(said["findings"], 0, "{said}");
        assert!(said["records"].as_u64() > Some(0) && said["seals"].as_u64() > Some(0), "{said}");
    })
    .await;
}

fn verify(from: Timestamp, to: Timestamp) -> Value {
    let mut carillon = Command::new(root().join("target/local/carillon"));
    let (from, to) = (from.to_string(), to.to_string());
    carillon.args(["--json", "audit", "verify", "--from", &from, "--to", &to]).current_dir(root());
    let said = carillon.output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout);
    serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap()
}
