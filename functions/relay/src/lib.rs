//! relay: publishes what the tables say.
//!
//! The events table's stream brings what producers put into the outbox: it goes on the bus, in the order of its
//! aggregate, and what is critical straight to dispatch as well. The ledger's stream brings what became of
//! notifications: it goes on the bus as `carillon.delivery.*` and `communication.sent`. The relay writes no status: the
//! audit, seeing an event come back, takes it off the list. All of it may be published twice: it has the same ids.

mod config;
mod intake;
mod outbox;
mod relay;
mod shard;
mod told;

pub use config::Config;
pub use relay::{Answer, Relay};

#[cfg(test)]
mod tests;
