//! Journeys: the notifications that each sample event leads to, as snapshots. No cloud is needed.
//! `INSTA_UPDATE=always` stores changed snapshots. `snapshots` rejects those that no test asserts.

#![expect(clippy::unwrap_used, reason = "a test stops at the first error and shows its place")]

mod emails;
mod engine_run;
mod samples;
mod snapshots;
