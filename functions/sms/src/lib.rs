//! sms: sends text messages through Amazon SNS, or through AWS End User Messaging.
//!
//! [`Text`] is what a provider is asked, exactly; [`Carrier`] is the provider that an operator chose, and tells the bus
//! of those who said [`stop`](fn@stop). Claiming, settling and retrying are [`delivery`]'s.

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
