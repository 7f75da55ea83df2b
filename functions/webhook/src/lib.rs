//! webhook: tells tenants' own systems of events, by signed HTTP requests.
//!
//! [`Courier`] knows what an endpoint wants and what its answers mean; [`Http`] asks it, and guards our own network;
//! [`Alarm`] tells the bus how endpoints do. Claiming, settling and putting back are [`delivery`]'s.

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
