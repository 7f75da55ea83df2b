//! Carillon's core: what an event is, who a rule says should hear of it, and what is decided for each of them.
//!
//! Values in, values out. Nothing here knows a clock, the environment, chance, a network or AWS; all of it builds
//! for `wasm32-unknown-unknown`. Data moves through the modules in this order:
//!
//! [`bus`] an EventBridge event as a queue carries it → [`event`] the envelope → [`catalog`] the rules whose
//! [`pattern`] matches → [`plan`] whom they address → [`decide`](mod@decide) what happens to each → [`job`] what a
//! channel is asked to do, after what is asked in [`proof`] → [`outcome`] what came of it → [`receipt`] what the provider
//! says of it later.
//!
//! When and how often stand beside it: [`zone`] local time → [`window`] when somebody may be disturbed,
//! [`recurrence`] and [`span`] when something comes round and ends, [`counter`] how many are let through. For delivery:
//! [`retry`] how often something is tried, [`breaker`] whether a provider is asked at all, [`quota`] how fast, [`suspects`]
//! what is taken up by itself.

pub mod access;
pub mod address_change;
pub mod attachment;
pub mod batches;
pub mod breaker;
pub mod bus;
pub mod cancel;
pub mod catalog;
pub mod channel;
pub mod closing;
pub mod counter;
mod daytime;
pub mod decide;
pub mod digest;
pub mod endpoint;
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
pub mod moment;
pub mod money;
pub mod outbox_mark;
pub mod outcome;
pub mod path;
pub mod pattern;
pub mod plan;
pub mod policy;
pub mod preference;
pub mod producers;
pub mod proof;
pub mod push_options;
pub mod quota;
pub mod receipt;
pub mod recipient;
pub mod recurrence;
pub mod registry;
pub mod replay;
pub mod retention;
pub mod retry;
pub mod rule;
pub mod schema;
pub mod seal;
pub mod segments;
pub mod span;
pub mod stack_secret;
pub mod suggestions;
pub mod suspects;
pub mod texting;
pub mod told;
pub mod unsubscribe;
pub mod value_key;
pub mod wake;
pub mod window;
pub mod written;
pub mod zone;

pub use jiff::{SignedDuration, Timestamp};
pub use json::as_double;
