//! The operations of the routes, one file for each subject.

mod deliveries;
mod devices;
mod endpoints;
mod events;
mod inbox;
mod lookups;
mod messages;
mod preferences;
mod recipients;
mod retry;
mod sockets;
mod tenants;
mod tickets;
mod verification;
