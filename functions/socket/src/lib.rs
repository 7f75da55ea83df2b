//! The WebSocket channel: sends in-app messages to open sockets.
//!
//! A message for one person is first stored in their inbox, unless it is ephemeral. [`Frame`] shapes the
//! text for clients. [`Fanout`] stores the message, finds the open sockets of a user or room and posts
//! to each. The crate [`delivery`] claims, settles and retries.

mod config;
mod fanout;
mod frame;

pub use config::Config;
pub use fanout::{Fanout, with_safe_links};
pub use frame::Frame;
