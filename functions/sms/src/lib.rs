//! The SMS channel: sends SMS through Amazon SNS or AWS End User Messaging.
//!
//! [`Text`] shapes the request. [`Carrier`] calls the configured provider and publishes
//! [opt-outs](fn@stop). The crate [`delivery`] claims, settles and retries.

mod carrier;
mod config;
mod sms_voice;
mod stop;
mod text;

pub use carrier::{Carrier, Service};
pub use config::{Config, MAX_SEGMENTS, Origination, Provider};
pub use sms_voice::SmsVoice;
pub use stop::stop;
pub use text::{Purpose, Text, Wishes};
