//! Carillon's core: events, rules, decisions, jobs and outcomes as pure values and functions.
//!
//! The crate has no clock, environment, randomness, network or AWS access, and builds for `wasm32-unknown-unknown`.
//! The folders show the flow. A file imports only from its own folder and those before it in this list:
//!
//! | folder | content |
//! |---|---|
//! | [`base`] | JSON, paths, channels, languages, money, outcomes |
//! | [`time`] | zones, quiet hours, recurring times and periods |
//! | [`event`](mod@event) | events of the bus, their CloudEvents envelope, keys and producers |
//! | [`pattern`] | patterns, conditions, and the index that finds the matching rules |
//! | [`audit`] | access records and seals |
//! | [`recipient`] | recipients, their changes, preferences and unsubscribe links |
//! | [`webhook`] | endpoints of tenants |
//! | [`limits`] | throttles, caps, digest windows, cancellations |
//! | [`catalog`] | rules, policy, schemas |
//! | [`feedback`] | receipts of providers, and delivery events |
//! | [`decide`](mod@decide) | the plan of an event, and the decision about each notification |
//! | [`delivery`] | jobs, render checks, retries, breakers, rate limits, poison messages |
//! | [`inbox`] | in-app messages |

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
