//! socket: sends live messages to open WebSockets.
//!
//! [`Frame`] is what a client receives; [`Fanout`] finds the open sockets of a user or a room and posts to each.
//! Claiming, settling and retrying are [`delivery`]'s.

mod config;
mod connections;
mod fanout;
mod frame;

pub use config::Config;
pub use connections::{Posted, Sockets};
pub use fanout::Fanout;
pub use frame::Frame;
