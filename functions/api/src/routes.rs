//! What each route does, a file for each subject.

mod deliveries;
mod devices;
mod events;
mod preferences;
mod recipients;
mod retry;
mod tenants;
mod tickets;
