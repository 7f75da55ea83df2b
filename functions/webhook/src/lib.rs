//! The webhook channel: sends signed HTTP requests to the systems of tenants.
//!
//! [`WebhookSender`] handles an endpoint's settings and interprets its answers. [`Http`] sends requests and
//! protects our network. `Alarm` publishes events about the health of endpoints. The crate
//! [`delivery`] claims, settles and defers.

mod attempt_log;
mod config;
mod endpoint_event;
mod proof;
mod request;
mod sender;

pub use config::Config;
pub use endpoint_event::alarm;
pub use https::{Http, Names, Reply};
pub use request::{MAX_BODY_BYTES, Request, content};
pub use sender::WebhookSender;

#[cfg(test)]
mod http_tests;
