//! The relay function: publishes changes of the tables.
//!
//! The stream of the events table contains new outbox entries. They go to the bus in the order of their
//! aggregates, and critical ones also to dispatch directly. The stream of the ledger contains outcomes
//! of notifications. They go to the bus as `carillon.delivery.*` and `communication.sent`. The relay
//! writes no status. The audit acknowledges an outbox entry when it sees the event on the bus. Events
//! can be published twice, with the same ids.

mod config;
mod delivery_events;
mod intake;
mod outbox;
mod relay;
mod shard;

pub use config::Config;
pub use relay::{Answer, Relay};

#[cfg(test)]
mod tests;
