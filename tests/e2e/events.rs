//! From an event to its notifications.
//!
//! - `end_to_end`: an event becomes an e-mail, an in-app message and an audit record
//! - `delivery`: one send for duplicates and abandoned claims
//! - `engine`: digests, throttles, quiet hours, escalations, cancellations, large audiences
//! - `bad_input`: bad input has an outcome with a reason and does not affect other messages
//! - `patterns`: the pattern matcher compared with the local cloud's `TestEventPattern`
//! - `replaced_systems`: events in the forms of the systems that Carillon replaces

mod bad_input;
mod delivery;
mod end_to_end;
mod engine;
mod patterns;
mod replaced_systems;
