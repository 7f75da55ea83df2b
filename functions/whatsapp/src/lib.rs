//! whatsapp: sends WhatsApp messages through AWS End User Messaging Social.
//!
//! [`Message`] is the message as WhatsApp's own API takes it; [`Social`] hands it over and reads the answer. Claiming,
//! settling and retrying are [`delivery`]'s.

mod chat;
mod config;
mod social;

pub use chat::Message;
pub use config::Config;
pub use social::{Origination, Social};
