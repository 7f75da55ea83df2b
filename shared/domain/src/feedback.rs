//! Reports after a send: receipts of providers, and the events that Carillon publishes about deliveries.

pub mod delivery_events;
pub mod receipt;
