//! The push channel: sends push notifications to phones and tablets through Amazon SNS.
//!
//! [`Note`] shapes the request. [`Devices`] makes the call and reports unregistered devices. The crate
//! [`delivery`] claims, settles and retries.

mod config;
mod device_unregistered;
mod devices;
mod note;

pub use config::Config;
pub use device_unregistered::device_unregistered;
pub use devices::Devices;
pub use note::{MAX_PAYLOAD_BYTES, Note};
