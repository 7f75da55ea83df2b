//! Addresses of every channel, parsed by the form in the channel's spec.

use super::{EmailAddress, PhoneNumber};
use crate::base::channel::{AddressForm, Channel};

/// Parses an address of a channel and returns its canonical spelling.
///
/// # Errors
/// The defect of the text. It does not quote the text.
pub fn parse_address(channel: Channel, text: &str) -> Result<String, &'static str> {
    let Some(address) = channel.address() else { return Err("the channel has no addresses") };
    match address.form {
        AddressForm::Email => EmailAddress::parse(text).map(String::from).map_err(|refused| refused.why()),
        AddressForm::Phone => PhoneNumber::parse(text).map(String::from).map_err(|refused| refused.why()),
        AddressForm::Id(parse) => parse(text),
    }
}
