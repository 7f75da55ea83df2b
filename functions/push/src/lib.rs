//! The push channel: sends push notifications to phones and tablets through Amazon SNS.
//!
//! [`Note`] shapes the request. [`Devices`] makes the call and reports unregistered devices. The crate
//! [`delivery`] claims, settles and retries.

mod config;
mod devices;
mod farewell;
mod note;

pub use config::Config;
pub use devices::Devices;
pub use farewell::{UNREGISTERED, farewell};
pub use note::{MAX_PAYLOAD_BYTES, Note};
