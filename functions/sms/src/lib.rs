//! sms: sends text messages through Amazon SNS, or through AWS End User Messaging.
//!
//! [`Text`] is what a provider is asked, exactly; [`Carrier`] is the provider that an operator chose. Claiming, settling
//! and retrying are [`delivery`]'s.

mod carrier;
mod config;
mod sms_voice;
mod text;

pub use carrier::Carrier;
pub use config::{Config, Origination, Provider};
pub use sms_voice::SmsVoice;
pub use text::{Alphabet, Measure, Purpose, Text, Wishes, measure};
