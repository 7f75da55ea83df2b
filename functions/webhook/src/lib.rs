//! The webhook channel: sends signed HTTP requests to the systems of tenants.
//!
//! [`Courier`] handles an endpoint's settings and interprets its answers. [`Http`] sends requests and
//! protects our network. [`Alarm`] publishes events about the health of endpoints. The crate
//! [`delivery`] claims, settles and defers.

mod alarm;
mod config;
mod courier;
mod memory;
mod proof;
mod request;

pub use alarm::alarm;
pub use config::Config;
pub use courier::Courier;
pub use https::{Http, Names, Reply};
pub use request::{MAX_BODY_BYTES, Request, content};

#[cfg(test)]
mod http_tests;
