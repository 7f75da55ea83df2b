//! Commands of operators on the local cloud.
//!
//! - `commands`: publishing, tailing, importing, and the demo
//! - `dlq`: dead-letter queues listed, redriven and deleted
//! - `replay`: recorded events sent again, without duplicate notifications
//! - `recovery`: repair after an outage of a receiver
//! - `sealing`: changed audit records and seals are found and named
//! - `examples`: the receivers in `examples/webhooks`

mod commands;
mod dlq;
mod examples;
mod recovery;
mod replay;
mod sealing;
