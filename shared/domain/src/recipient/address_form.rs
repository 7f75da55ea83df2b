//! Addresses of every channel, read by the form that the channel's spec names.

use super::{EmailAddress, PhoneNumber};
use crate::channel::{AddressForm, Channel};

/// Reads an address of a channel and returns its one spelling.
///
/// # Errors
/// The defect of the text, without a character of it.
pub fn parse_address(channel: Channel, text: &str) -> Result<String, &'static str> {
    let Some(address) = channel.address() else { return Err("the channel has no addresses") };
    match address.form {
        AddressForm::Email => EmailAddress::parse(text).map(String::from).map_err(|refused| refused.why()),
        AddressForm::Phone => PhoneNumber::parse(text).map(String::from).map_err(|refused| refused.why()),
        AddressForm::Id(parse) => parse(text),
    }
}
