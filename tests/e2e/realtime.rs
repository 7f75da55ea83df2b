//! Sockets, rooms and inboxes.
//!
//! - `gateway`: tickets, rooms, and messages to clients
//! - `broadcast`: live events to rooms and users, which are not stored
//! - `inbox`: in-app messages that are read later
//! - `resume`: messages that a client missed while it was away
//! - `sessions`: sockets end with their token, person or tenant, or on request
//! - `limits`: limits on endpoints, pings and sockets

mod broadcast;
mod gateway;
pub(crate) mod inbox;
mod limits;
mod resume;
mod sessions;
