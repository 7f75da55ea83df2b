//! What happens when things break: the real binaries on the local cloud, with a proxy that does the harm.
//!
//! Each scenario plays alone, and is held to what must always be so (`invariants`). Names and numbers are those of the
//! reliability contract:
//!
//! - `crashes`: a function is killed at every call it makes (F1)
//! - `deadlines`: a provider that is too slow for the whole batch (F2)
//! - `repeats`: the same message again and again, at once and later (F3)
//! - `lost_replies`: it was done, and nobody was told (F4)
//! - `storms`: a part of all calls fails; a part of a call fails (F5, F6)
//! - `poison`: what nobody can handle, between neighbours (F7)
//! - `killers`: what nobody survives, between neighbours (F7)
//! - `relays`: what dies between the producer's table and the bus (F8)
//! - `waits`: what is counted, gathered or left for later, while dispatch is killed (F1)
//! - `outages`: a provider that is down (F9)
//! - `written`: whether the audit of all this verifies (G4)
//!
//! Queues show a message again after four seconds instead of three minutes while a scenario plays, and the lease of a
//! sender that was killed is ended by hand: both are what time alone would do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]
#![expect(clippy::print_stderr, reason = "what was broken where, for whoever looks at a test that failed")]

#[path = "../it/client.rs"]
#[expect(dead_code, reason = "shared with the other end-to-end tests")]
mod client;
#[path = "../it/cloud.rs"]
#[expect(dead_code, reason = "shared with the other end-to-end tests")]
mod cloud;
#[path = "../it/sweeping.rs"]
mod sweeping;
#[path = "../it/until.rs"]
#[expect(dead_code, reason = "shared with the other end-to-end tests")]
mod until;

mod crashes;
mod deadlines;
mod hellos;
mod invariants;
mod killers;
mod lost_replies;
mod outages;
mod parcels;
mod poison;
mod proxy;
mod relays;
mod repeats;
mod storms;
mod suite;
mod waits;
mod written;
