//! End-to-end tests on the local cloud. One module per subject:
//!
//! - `events`: from an event to its notifications: one send for duplicates, digests, waits, large audiences, bad input
//! - `producers`: publishing by the outbox and by other means, and events of hostile producers
//! - `channels`: messages as their providers receive them, receipts, fallback channels
//! - `realtime`: sockets, rooms, inboxes, sessions and their limits
//! - `people`: updates of people and tenants, privacy, tenants kept apart
//! - `api`: the HTTP API
//! - `operating`: commands of operators: dead letters, replays, seals
//!
//! `make test` starts the local cloud first. Clients of it are in the crate `testkit`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first error and shows its place")]

mod api;
mod channels;
mod events;
mod operating;
mod people;
mod producers;
mod realtime;
