//! The people function: stores updates of recipients, topics and tenants from the bus.
//!
//! Messages are parsed, the updates of a batch are applied together, and each message gets its own
//! result. `domain::registry` parses updates and orders versions. `store` holds the conditions of the
//! writes. The function sends no notifications.

mod config;
mod notice;
mod registrar;

pub use config::Config;
pub use notice::read;
pub use registrar::Registrar;
