//! feedback: what providers say of a message after they took it over.
//!
//! Read → find the notification → what it closes → how far it got → a verdict for each message. What a receipt says, and
//! what becomes of a notification that hears it, is `domain::receipt`'s; the conditions under which tables are written are
//! `store`'s. It sends nothing and decides about nobody.

mod clerk;
mod config;
mod post;

pub use clerk::Clerk;
pub use config::Config;
