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

pub mod access;
pub mod address_change;
pub mod attachment;
pub mod batches;
pub mod breaker;
pub mod bus;
pub mod cancel;
pub mod catalog;
pub mod channel;
pub mod condition;
pub mod config_error;
pub mod continuation;
pub mod counter;
pub mod decide;
pub mod delivery_events;
pub mod digest;
pub mod digest_event;
pub mod endpoint;
pub mod endpoint_recovery;
pub mod event;
pub mod expose;
pub mod finding;
pub mod handling;
pub mod inbox;
pub mod index;
pub mod job;
mod json;
pub mod key;
pub mod keyed_hash;
pub mod layout;
pub mod link;
pub mod locale;
pub mod manual;
pub mod moment;
pub mod money;
pub mod origin;
pub mod outbox_mark;
pub mod outcome;
pub mod own_events;
pub mod path;
pub mod pattern;
pub mod plan;
pub mod poison;
pub mod policy;
pub mod preference;
pub mod producers;
pub mod push_options;
pub mod quiet_hours;
pub mod rate_limit;
pub mod receipt;
pub mod recipient;
pub mod recipient_changes;
pub mod recurrence;
pub mod render_checks;
pub mod replay;
pub mod retention;
pub mod retry;
pub mod rule;
pub mod schema;
pub mod seal;
pub mod sms_policy;
pub mod sms_segments;
pub mod sms_spend;
pub mod socket_target;
pub mod span;
pub mod stack_secret;
pub mod suggestions;
pub mod tenant;
mod time_of_day;
pub mod unsubscribe;
pub mod value_key;
pub mod zone;

pub use jiff::{SignedDuration, Timestamp};
pub use json::as_double;
