//! socket: sends live messages to open WebSockets.
//!
//! What is for one person goes into their inbox first, unless it is ephemeral. [`Frame`] is what a client receives;
//! [`Fanout`] stores, finds the open sockets of a user or a room and posts to each.
//! Claiming, settling and retrying are [`delivery`]'s.

mod config;
mod fanout;
mod frame;

pub use config::Config;
pub use fanout::{Fanout, with_safe_links};
pub use frame::Frame;
