//! Digest windows, policies, summaries, and a simulation of concurrent writers.

mod policies;
mod simulation;
mod summaries;
mod windows;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::DigestPolicy;

/// This many seconds after noon.
fn at(second: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(second)
}

/// A valid policy.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
fn policy(written: Value) -> DigestPolicy {
    serde_json::from_value(written.clone()).unwrap_or_else(|error| panic!("{error}: {written}"))
}
