//! Commands of operators on the local cloud.
//!
//! - `commands`: publishing, tailing, importing, and the demo
//! - `dlq`: dead-letter queues listed, redriven and deleted
//! - `replay`: recorded events sent again, without duplicate notifications
//! - `recovery`: repair after an outage of a receiver
//! - `sealing`: changed audit records and seals are found and named
//! - `examples`: the receivers in `examples/webhooks`
//! - `upgrade`: new indexes of a deployed stack, and refused upgrades
//! - `example_programs`: producers, consumers, the browser page and the workflow of `examples`

mod commands;
mod dlq;
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
mod example_programs;
mod examples;
mod recovery;
mod replay;
mod sealing;
mod upgrade;
