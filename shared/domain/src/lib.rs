//! Carillon's core: events, rules, decisions, jobs and outcomes as pure values and functions.
//!
//! The crate has no clock, environment, randomness, network or AWS access, and builds for `wasm32-unknown-unknown`.
//! Data moves through the modules in this order:
//!
//! 1. [`bus`] parses an EventBridge event from a queue, and [`event`] its CloudEvents envelope.
//! 2. [`catalog`] holds the compiled rules. [`index`] finds the rules whose [`pattern`] matches.
//! 3. [`plan`] expands the recipients of the matching rules.
//! 4. [`decide`](mod@decide) decides each notification.
//! 5. [`render_checks`] checks rendered content, and [`job`] is the unit of work for a channel function.
//! 6. [`outcome`] records the result, and [`receipt`] reads the provider's later reports.
//!
//! Time: [`zone`] converts local time, [`quiet_hours`] defines quiet hours, [`recurrence`] and [`span`] define recurring
//! times and periods. Limits: [`counter`] implements throttles and caps, [`digest`] implements digest windows.
//!
//! Delivery: [`retry`] schedules retries, [`breaker`] is the circuit breaker of a provider, [`rate_limit`] limits the send
//! rate, and [`poison`] isolates poison messages.

pub mod audit;
pub mod base;
pub mod catalog;
pub mod decide;
pub mod delivery;
pub mod event;
pub mod feedback;
pub mod inbox;
pub mod limits;
pub mod pattern;
pub mod recipient;
pub mod time;
pub mod webhook;

pub use base::json::as_double;
pub use jiff::{SignedDuration, Timestamp};
