//! The WhatsApp channel: sends messages through AWS End User Messaging Social.
//!
//! [`Message`] shapes the message for WhatsApp's API. [`Social`] makes the call and reads the answer.
//! The crate [`delivery`] claims, settles and retries.

mod chat;
mod config;
mod social;

pub use chat::Message;
pub use config::Config;
pub use social::{Origination, Social};
