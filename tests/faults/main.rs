//! Fault tests: the real binaries on the local cloud, with a proxy that injects the faults.
//! Scenarios run one at a time. `invariants` checks the guarantees after each. Names and numbers are those of the
//! reliability contract:
//!
//! - `crashes`: a function is killed at each of its calls (F1)
//! - `deadlines`: a provider that is too slow for the whole batch (F2)
//! - `redelivery`: the same message is delivered several times (F3)
//! - `lost_replies`: a call takes effect but its reply is lost (F4)
//! - `partial_failures`: a share of all calls fails, or a part of one call fails (F5, F6)
//! - `malformed`: messages that no function can read, among good ones (F7)
//! - `poison_messages`: messages that crash their consumer, among good ones (F7)
//! - `relay`: crashes between the producer's table and the bus (F8)
//! - `timers`: throttles, digests and waits while dispatch is killed (F1)
//! - `outages`: a provider that is down (F9)
//! - `verification`: the audit of the whole run verifies (G4)
//!
//! During a scenario the visibility timeout is four seconds instead of three minutes. The suite also ends the lease of
//! a killed sender by hand. Both only shorten the time that passes anyway.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]
#![expect(clippy::print_stderr, reason = "what was broken where, for whoever looks at a test that failed")]

mod crashes;
mod deadlines;
mod hello_events;
mod invariants;
mod jobs;
mod lost_replies;
mod malformed;
mod outages;
mod partial_failures;
mod poison_messages;
mod proxy;
mod redelivery;
mod relay;
mod suite;
mod timers;
mod verification;
