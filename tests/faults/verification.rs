//! Verification of the audit records of the run. The module's name sorts last, so all other scenarios have run before.

use std::process::Command;
use std::time::Duration;

use domain::Timestamp;
use domain::audit::seal::minute_of;
use serde_json::Value;
use testkit::cloud::now;
use workspace::root;

use crate::hello_events::HelloEvent;
use crate::suite::run_scenario;

/// Span of the run that is verified.
const SPAN: Duration = Duration::from_secs(120);

/// Delay until a minute is sealed. The schedule runs every minute and seals three minutes after a minute's end; a slow
/// machine takes longer.
const SEALED_AFTER: Duration = Duration::from_secs(270);

/// `docs/contract/invariants.md` G4: the chain of seals verifies.
#[tokio::test]
async fn audit_records_written_during_faults_verify_against_their_seals() {
    run_scenario(async |suite| {
        let event = HelloEvent::new(&suite.cloud).await;
        suite.cloud.put(&[event.entry()]).await;
        event.check(suite, 0).await;
        let from = minute_of(suite.since);
        let to = from + SPAN;
        let wait = (to + SEALED_AFTER).duration_since(now());
        tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
        let output = verify(from, to);
        assert_eq!(output["findings"], 0, "{output}");
        assert!(output["records"].as_u64() > Some(0) && output["seals"].as_u64() > Some(0), "{output}");
    })
    .await;
}

fn verify(from: Timestamp, to: Timestamp) -> Value {
    let mut carillon = Command::new(root().join("target/local/carillon"));
    let (from, to) = (from.to_string(), to.to_string());
    carillon.args(["--json", "audit", "verify", "--from", &from, "--to", &to]).current_dir(root());
    let output = carillon.output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(output.lines().last().unwrap_or_default()).unwrap()
}
