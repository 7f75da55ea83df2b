//! Keyed hashes: the names of addresses and event values in tables, keys, logs and events.
//!
//! Phone numbers have so few digits that an attacker can compute the plain hashes of all numbers in seconds. Every
//! hash of a short value is therefore an HMAC (RFC 2104) with a key of the stack. Each use has a label, and thereby
//! its own key. `docs/security/privacy.md` lists all uses, and the digests that stay plain.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::channel::{AddressForm, Channel};
use crate::base::stack_secret::{DerivedKey, StackSecret};
use crate::event::key::hash_of;
use crate::recipient::{PhoneNumber, parse_address};

/// Length of a hash in bytes: 160 bits, 27 characters of URL-safe base64.
const NAME_BYTES: usize = 20;

/// The secret of local tools: decision tests, `explain` of a file, simulation and benchmarks. It protects no data. A
/// deployed function never uses it.
pub const DEVELOPMENT_SECRET: &str = "carillon-development-secret-that-protects-nothing";

/// Computes keyed hashes.
#[derive(Clone)]
pub struct KeyedHashes {
    address: DerivedKey,
    caller: DerivedKey,
    value: DerivedKey,
    cancel: DerivedKey,
    collapse: DerivedKey,
}

impl KeyedHashes {
    /// The keyed hashes of a stack.
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

    /// The keyed hashes of local tools, with the fixed [`DEVELOPMENT_SECRET`].
    #[must_use]
    pub fn development() -> KeyedHashes {
        let secret = StackSecret::read(DEVELOPMENT_SECRET).expect("the constant is longer than 32 bytes");
        KeyedHashes::of(&secret)
    }

    /// The hash of a channel's address. Letter case and the punctuation of phone numbers do not change it.
    #[must_use]
    pub fn address(&self, channel: Channel, address: &str) -> String {
        named(&self.address, &[channel.name(), &normal(channel, address)])
    }

    /// All hashes under which rows about an address may be stored: the current one first, then those of earlier
    /// releases.
    #[must_use]
    pub fn hashes_of_address(&self, channel: Channel, address: &str) -> Vec<String> {
        let mut names = vec![self.address(channel, address)];
        names.push(former::address(channel, address));
        let spelling = former::normal(channel, address);
        if spelling != normal(channel, address) {
            names.push(named(&self.address, &[channel.name(), &spelling]));
            names.push(hash_of(&["address", channel.name(), &spelling]));
        }
        names
    }

    /// The hash of a WhatsApp number that sent us a message.
    #[must_use]
    pub fn caller(&self, number: &PhoneNumber) -> String {
        named(&self.caller, &[number.expose()])
    }

    /// The hash of an event's value, for the keys of throttles and digests.
    #[must_use]
    pub fn value(&self, value: &str) -> String {
        named(&self.value, &[value])
    }

    /// The hash of a cancel key's parts.
    pub(crate) fn cancel(&self, parts: &[&str]) -> String {
        named(&self.cancel, parts)
    }

    /// The collapse id of a push notification. The push service can read it.
    pub(crate) fn collapse(&self, parts: &[&str]) -> String {
        named(&self.collapse, parts)
    }
}

fn named(key: &DerivedKey, parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    URL_SAFE_NO_PAD.encode(&key.mac(&parts)[..NAME_BYTES])
}

/// The canonical form of an address, for comparison, counting and hashing. A text that is not an address stays as
/// written.
pub(crate) fn normal(channel: Channel, address: &str) -> String {
    let text = address.trim();
    let parsed = parse_address(channel, text);
    match channel.address().map(|address| address.form) {
        Some(AddressForm::Phone | AddressForm::Id(_)) => parsed.unwrap_or_else(|_| text.to_owned()),
        Some(AddressForm::Email) | None => parsed.as_deref().unwrap_or(text).to_lowercase(),
    }
}

/// The plain hashes of release 0.1. This release reads them, so that suppressions, cancellations and claims of the
/// last release keep their effect. Only cancellations are still written with them, for jobs that carry the old key.
///
/// `docs/security/privacy.md` says when this module can be removed.
pub mod former {
    use sha2::{Digest as _, Sha256};

    use super::{AddressForm, Channel, PhoneNumber, hash_of};

    /// The former hash of an address in ledger rows, suppressed addresses and suppressions of recipients.
    #[must_use]
    pub fn address(channel: Channel, address: &str) -> String {
        hash_of(&["address", channel.name(), &super::normal(channel, address)])
    }

    /// The canonical form in the last release: a phone number kept the 0 of `+44 (0)20 …`.
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

    /// The former name of a recipient that consists of an address only.
    #[must_use]
    pub fn recipient(channel: Channel, address: &str) -> String {
        let hash = Sha256::digest(address.trim().to_lowercase());
        let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("address:{}:{hex}", channel.name())
    }

    /// The former hash of a WhatsApp number that sent us a message.
    #[must_use]
    pub fn caller(number: &PhoneNumber) -> String {
        hash_of(&["whatsapp", number.expose()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const PHONE: &str = "+447911123456";

    #[test]
    fn spellings_of_an_address_hash_alike_and_channels_differ() {
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
    fn punctuation_does_not_change_the_hash_of_an_address() {
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
    fn hashes_of_the_last_release_are_found() {
        let hashes = hashes(SECRET);
        let names = hashes.hashes_of_address(Channel::Sms, "+44 (0)20 7946 0102");
        let of_number = |number: &str| named(&hashes.address, &["sms", number]);
        let plain = |number: &str| hash_of(&["address", "sms", number]);
        for number in ["+442079460102", "+4402079460102"] {
            assert!(names.contains(&of_number(number)) && names.contains(&plain(number)), "{number}");
        }
        assert_eq!(hashes.hashes_of_address(Channel::Sms, "+44 20 7946 0102").len(), 2);
        assert_eq!(hashes.hashes_of_address(Channel::Email, " Ann@example.org").len(), 2);
    }

    #[test]
    fn hash_of_a_phone_number_depends_on_the_secret() {
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
    fn hashes_differ_by_use() {
        let hashes = hashes(SECRET);
        assert_ne!(hashes.value("x"), hashes.cancel(&["x"]));
        assert_ne!(hashes.cancel(&["x"]), hashes.collapse(&["x"]));
    }

    fn hashes(secret: &str) -> KeyedHashes {
        KeyedHashes::of(&StackSecret::read(secret).unwrap())
    }
}
