//! people: what the bus says about people, topics and tenants goes into the people table.
//!
//! Read → change, all of a batch together → a verdict for each message. The reading, and what an older or repeated
//! event may still change, is `domain::registry`'s; the conditions under which the table is written are `store`'s. It
//! decides about nobody and tells nobody.

mod config;
mod notice;
mod registrar;

pub use config::Config;
pub use notice::read;
pub use registrar::Registrar;
