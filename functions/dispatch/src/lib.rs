//! dispatch: reads events and continuations from its queues, and writes jobs, outcomes and continuations.
//!
//! `intake` reads a message, `tables` are the facts of the engine, `rate` limits the events of a second, `writer`
//! writes the output. The decisions are made by the `engine` crate. Dispatch claims no notification. A batch that is
//! delivered twice makes the same jobs under the same keys, and the ledger admits one of each.

mod config;
mod dispatcher;
mod intake;
mod lane;
mod rate;
mod tables;
mod warnings;
mod writer;

pub use config::{CatalogUnusable, Config, Lanes, Targets, links, load_catalog};
pub use dispatcher::Dispatcher;
pub use intake::{Intake, read};
pub use writer::row;

#[cfg(test)]
mod tests;
