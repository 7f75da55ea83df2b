//! The people function: stores updates of recipients, topics and tenants from the bus.
//!
//! Messages are parsed, the updates of a batch are applied together, and each message gets its own
//! result. `domain::recipient::recipient_changes` parses updates and orders versions. `store` holds the conditions of the
//! writes. The function sends no notifications.

mod config;
mod notice;
mod recipient_updater;

pub use config::Config;
pub use notice::read;
pub use recipient_updater::RecipientUpdater;
