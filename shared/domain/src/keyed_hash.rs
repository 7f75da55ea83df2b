//! Keyed hashes: the names that addresses and event values have in tables, keys, logs and events.
//!
//! A phone number has so few digits that a plain hash of all numbers is computed in seconds. Every hash of a short
//! value is therefore an HMAC (RFC 2104) with a key of the stack. Each use has a label and with it a key of its own.
//! `docs/security/privacy.md` lists all uses, and the digests that stay plain.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::channel::{AddressForm, Channel};
use crate::key::hash_of;
use crate::recipient::{PhoneNumber, parse_address};
use crate::stack_secret::{DerivedKey, StackSecret};

/// How many bytes of an HMAC a name has: 160 bits, 27 characters of URL-safe base64.
const NAME_BYTES: usize = 20;

/// The secret of local tools: decision tests, `explain` of a file, simulation and benchmarks. It protects nothing.
/// A deployed function never uses it.
pub const DEVELOPMENT_SECRET: &str = "carillon-development-secret-that-protects-nothing";

/// Makes keyed hashes. It has no `Debug`, `Display` or `Serialize`: it holds keys.
#[derive(Clone)]
pub struct KeyedHashes {
    address: DerivedKey,
    caller: DerivedKey,
    value: DerivedKey,
    cancel: DerivedKey,
    collapse: DerivedKey,
}

impl KeyedHashes {
    /// The hashes of a stack.
    #[must_use]
    pub fn of(secret: &StackSecret) -> KeyedHashes {
        KeyedHashes {
            address: secret.derive("address"),
            caller: secret.derive("whatsapp caller"),
            value: secret.derive("event value"),
            cancel: secret.derive("cancel"),
            collapse: secret.derive("push collapse"),
        }
    }

    /// The hashes of local tools, with the fixed [`DEVELOPMENT_SECRET`].
    #[must_use]
    pub fn development() -> KeyedHashes {
        let secret = StackSecret::read(DEVELOPMENT_SECRET).expect("the constant is longer than 32 bytes");
        KeyedHashes::of(&secret)
    }

    /// The name of an address of a channel. Upper case and the decoration of phone numbers do not count.
    #[must_use]
    pub fn address(&self, channel: Channel, address: &str) -> String {
        named(&self.address, &[channel.name(), &normal(channel, address)])
    }

    /// Every name under which rows about an address may lie: today's first, then those that earlier releases gave.
    #[must_use]
    pub fn names_of_address(&self, channel: Channel, address: &str) -> Vec<String> {
        let mut names = vec![self.address(channel, address)];
        names.push(former::address(channel, address));
        let spelling = former::normal(channel, address);
        if spelling != normal(channel, address) {
            names.push(named(&self.address, &[channel.name(), &spelling]));
            names.push(hash_of(&["address", channel.name(), &spelling]));
        }
        names
    }

    /// The name of a WhatsApp number that wrote to us.
    #[must_use]
    pub fn caller(&self, number: &PhoneNumber) -> String {
        named(&self.caller, &[number.as_str()])
    }

    /// The name of a value of an event, in the keys of throttles and digests.
    #[must_use]
    pub fn value(&self, value: &str) -> String {
        named(&self.value, &[value])
    }

    /// The name of what one cancellation takes back.
    pub(crate) fn cancel(&self, parts: &[&str]) -> String {
        named(&self.cancel, parts)
    }

    /// The name under which a push notification replaces an earlier one. The push service reads it.
    pub(crate) fn collapse(&self, parts: &[&str]) -> String {
        named(&self.collapse, parts)
    }
}

fn named(key: &DerivedKey, parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    URL_SAFE_NO_PAD.encode(&key.mac(&parts)[..NAME_BYTES])
}

/// An address as it is compared, counted and hashed: however it is written, one address has one form. A text that is no
/// address is hashed as it is written.
pub(crate) fn normal(channel: Channel, address: &str) -> String {
    let text = address.trim();
    let parsed = parse_address(channel, text);
    match channel.address().map(|address| address.form) {
        Some(AddressForm::Phone | AddressForm::Id(_)) => parsed.unwrap_or_else(|_| text.to_owned()),
        Some(AddressForm::Email) | None => parsed.as_deref().unwrap_or(text).to_lowercase(),
    }
}

/// The plain hashes of release 0.1. This release reads them, so that suppressions, cancellations and claims of the
/// last release count. Only cancellations are written under them, for jobs that still carry the old key.
///
/// `docs/security/privacy.md` says when this module can be removed.
pub mod former {
    use sha2::{Digest as _, Sha256};

    use super::{AddressForm, Channel, PhoneNumber, hash_of};

    /// The former name of an address: in ledger rows, in rows of closed addresses and in suppressions of people.
    #[must_use]
    pub fn address(channel: Channel, address: &str) -> String {
        hash_of(&["address", channel.name(), &super::normal(channel, address)])
    }

    /// An address as the last release hashed it: a phone number kept the 0 of `+44 (0)20 …`.
    pub(super) fn normal(channel: Channel, address: &str) -> String {
        let text = address.trim();
        match channel.address().map(|address| address.form) {
            Some(AddressForm::Phone) => {
                let digits =
                    text.strip_prefix('+').map(|rest| rest.replace([' ', '.', '-', '(', ')', '\u{a0}'], ""));
                let is_number = |digits: &String| {
                    (7..=15).contains(&digits.len())
                        && digits.bytes().all(|digit| digit.is_ascii_digit())
                        && !digits.starts_with('0')
                };
                digits.filter(is_number).map_or_else(|| text.to_owned(), |digits| format!("+{digits}"))
            }
            Some(AddressForm::Email | AddressForm::Id(_)) | None => text.to_lowercase(),
        }
    }

    /// The former name of a recipient that is an address and nothing else.
    #[must_use]
    pub fn recipient(channel: Channel, address: &str) -> String {
        let hash = Sha256::digest(address.trim().to_lowercase());
        let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("address:{}:{hex}", channel.name())
    }

    /// The former name of a WhatsApp number that wrote to us.
    #[must_use]
    pub fn caller(number: &PhoneNumber) -> String {
        hash_of(&["whatsapp", number.as_str()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const PHONE: &str = "+447911123456";

    #[test]
    fn address_has_one_name_however_it_is_written_and_another_on_each_channel() {
        let hashes = hashes(SECRET);
        let email = |address| hashes.address(Channel::Email, address);
        assert_eq!(email("Ann@Example.com "), email("ann@example.com"));
        assert_ne!(email("ann@example.com"), email("ben@example.com"));
        let number = "+44 20 7946 0000";
        assert_eq!(hashes.address(Channel::Sms, number), hashes.address(Channel::Sms, "+442079460000"));
        assert_ne!(hashes.address(Channel::Sms, number), hashes.address(Channel::Whatsapp, number));
        assert_eq!(email("ann@example.com").len(), 27);
    }

    #[test]
    fn name_of_an_address_does_not_depend_on_its_decoration() {
        let hashes = hashes(SECRET);
        for (channel, spellings) in [
            (
                Channel::Sms,
                &["+447700900124", "+44 (0)7700 900124", "tel:+44-7700-900124", " +44\u{2011}7700 900124"][..],
            ),
            (Channel::Whatsapp, &["+4915112345678", "\u{ff0b}49 (0)151 12345678"]),
            (Channel::Email, &["ann@xn--exmple-cua.org", " Ann@EXÄMPLE.org", "Ann Lee <ann@exämple.org>"]),
        ] {
            for spelling in spellings {
                assert_eq!(
                    hashes.address(channel, spelling),
                    hashes.address(channel, spellings[0]),
                    "{spelling}"
                );
            }
        }
    }

    #[test]
    fn rows_that_the_last_release_wrote_about_a_number_are_found_under_its_spelling_of_it() {
        let hashes = hashes(SECRET);
        let names = hashes.names_of_address(Channel::Sms, "+44 (0)20 7946 0102");
        let of_number = |number: &str| named(&hashes.address, &["sms", number]);
        let plain = |number: &str| hash_of(&["address", "sms", number]);
        for number in ["+442079460102", "+4402079460102"] {
            assert!(names.contains(&of_number(number)) && names.contains(&plain(number)), "{number}");
        }
        assert_eq!(hashes.names_of_address(Channel::Sms, "+44 20 7946 0102").len(), 2);
        assert_eq!(hashes.names_of_address(Channel::Email, " Ann@example.org").len(), 2);
    }

    #[test]
    fn hash_of_a_phone_number_needs_the_stacks_secret() {
        let (ours, other) = (hashes(SECRET), hashes(&SECRET.replace('0', "1")));
        let number = PhoneNumber::parse(PHONE).ok().unwrap();
        assert_ne!(ours.address(Channel::Sms, PHONE), former::address(Channel::Sms, PHONE));
        assert_ne!(ours.address(Channel::Sms, PHONE), other.address(Channel::Sms, PHONE));
        assert_ne!(ours.caller(&number), former::caller(&number));
        assert_ne!(ours.caller(&number), other.caller(&number));
        assert_ne!(ours.value(PHONE), hash_of(&[PHONE]));
        assert_ne!(ours.value(PHONE), other.value(PHONE));
        assert_ne!(ours.cancel(&["t", "r", PHONE]), hash_of(&["t", "r", PHONE]));
        assert_ne!(ours.collapse(&["note", PHONE]), hash_of(&["note", PHONE]));
    }

    #[test]
    fn names_of_one_use_say_nothing_in_another() {
        let hashes = hashes(SECRET);
        assert_ne!(hashes.value("x"), hashes.cancel(&["x"]));
        assert_ne!(hashes.cancel(&["x"]), hashes.collapse(&["x"]));
    }

    fn hashes(secret: &str) -> KeyedHashes {
        KeyedHashes::of(&StackSecret::read(secret).unwrap())
    }
}
