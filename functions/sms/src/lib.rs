//! The SMS channel: sends SMS through Amazon SNS or AWS End User Messaging.
//!
//! [`Text`] shapes the request. [`SmsSender`] calls the configured provider and publishes
//! [opt-outs](fn@opt_out_event). The crate [`delivery`] claims, settles and retries.

mod carrier;
mod config;
mod opt_out_event;
mod sms_voice;
mod text;

pub use carrier::{Service, SmsSender};
pub use config::{Config, MAX_SEGMENTS, Origination, Provider};
pub use opt_out_event::opt_out_event;
pub use sms_voice::SmsVoice;
pub use text::{Purpose, SmsSettings, Text};
