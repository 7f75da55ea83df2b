//! Addresses: checked once, and never logged.

use serde::{Deserialize, Serialize};

/// An e-mail address that was checked once and need not be checked again. No `Debug`, no `Display`: it is never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// A text that is no e-mail address. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address: {0}")]
pub struct NotAnAddress(&'static str);

impl NotAnAddress {
    /// What is wrong with it, without a character of it.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.0
    }
}

impl EmailAddress {
    /// `local@domain` in ASCII, as SES takes it: no display name, no quotes, no comment.
    ///
    /// # Errors
    /// [`NotAnAddress`] says what is wrong with it.
    ///
    /// Source: RFC 5321, sections 4.1.2 and 4.5.3.1 (64 bytes before the `@`, 254 in all).
    pub fn parse(text: &str) -> Result<EmailAddress, NotAnAddress> {
        let no = |why| Err(NotAnAddress(why));
        let Some((local, domain)) = text.split_once('@') else {
            return no("there is no @ in it");
        };
        if text.len() > 254 || local.len() > 64 {
            return no("it is too long");
        }
        let in_local = |it: char| it.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(it);
        if local.is_empty() || !local.chars().all(in_local) {
            return no("what stands before the @ is empty or has characters that need quoting");
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return no("a dot before the @ has no letter beside it");
        }
        let labels: Vec<&str> = domain.split('.').collect();
        let is_label = |it: &&str| {
            (1..=63).contains(&it.len())
                && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !it.starts_with('-')
                && !it.ends_with('-')
        };
        if labels.len() < 2 || !labels.iter().all(is_label) {
            return no("what follows the @ is not a domain name");
        }
        Ok(EmailAddress(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<EmailAddress, NotAnAddress> {
        EmailAddress::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0
    }
}

/// Whom a letter comes from: an address, or a name and an address, `Clinic News <news@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sender(String);

impl Sender {
    /// The name is 1 to 60 ASCII letters, digits, spaces, dots and dashes, so that no header needs another encoding.
    ///
    /// # Errors
    /// [`NotAnAddress`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Sender, NotAnAddress> {
        let Some((name, address)) = text.strip_suffix('>').and_then(|it| it.split_once(" <")) else {
            return EmailAddress::parse(text).map(|it| Sender(it.0));
        };
        let in_name = |it: char| it.is_ascii_alphanumeric() || " .-".contains(it);
        if name.trim().is_empty() || name.len() > 60 || !name.chars().all(in_name) {
            return Err(NotAnAddress(
                "the name has more than letters, digits, spaces, dots and dashes, or more than 60",
            ));
        }
        EmailAddress::parse(address)?;
        Ok(Sender(text.to_owned()))
    }

    /// The name, where the sender has one, and the address otherwise.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once(" <").map_or(&self.0, |(name, _)| name)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sender {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<Sender, NotAnAddress> {
        Sender::parse(&text)
    }
}

impl From<Sender> for String {
    fn from(sender: Sender) -> String {
        sender.0
    }
}

/// A phone number in the international form. No `Debug`, no `Display`: it is never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// A text that is no phone number. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number: {0}")]
pub struct NotAPhone(&'static str);

impl NotAPhone {
    /// What is wrong with it, without a character of it.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.0
    }
}

impl PhoneNumber {
    /// `+` and 7 to 15 digits; spaces, dots, dashes and brackets between them are left out.
    ///
    /// # Errors
    /// [`NotAPhone`] says what is wrong with it.
    ///
    /// Source: ITU-T E.164, section 6.2.1 (15 digits at most, no country code begins with 0).
    pub fn parse(text: &str) -> Result<PhoneNumber, NotAPhone> {
        let Some(rest) = text.trim().strip_prefix('+') else {
            return Err(NotAPhone("it does not begin with + and the country code"));
        };
        let digits: String = rest.chars().filter(|it| !" .-()\u{a0}".contains(*it)).collect();
        if !digits.chars().all(|it| it.is_ascii_digit()) {
            return Err(NotAPhone("there is something other than digits in it"));
        }
        if !(7..=15).contains(&digits.len()) || digits.starts_with('0') {
            return Err(NotAPhone("it has not 7 to 15 digits, or begins with 0"));
        }
        Ok(PhoneNumber(format!("+{digits}")))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = NotAPhone;

    fn try_from(text: String) -> Result<PhoneNumber, NotAPhone> {
        PhoneNumber::parse(&text)
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> String {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_has_one_local_part_and_one_domain_name() {
        check("ann@example.com", true);
        check("ann.lee+bell@mail.example.co", true);
        check("o'neil@example.org", true);
        for bad in [
            "",
            "no-at-sign",
            "@example.com",
            "ann@",
            "ann@localhost",
            "ann@@example.com",
            "ann@ex ample.com",
            "ann lee@example.com",
            ".ann@example.com",
            "ann..lee@example.com",
            "ann@-example.com",
            "ann@example..com",
            "Ann <ann@example.com>",
            "ann@example.com\r\nBcc: all@example.com",
            "änn@example.com",
        ] {
            check(bad, false);
        }
        check(&format!("{}@example.com", "a".repeat(64)), true);
        check(&format!("{}@example.com", "a".repeat(65)), false);
    }

    #[test]
    fn a_phone_number_is_international_and_its_decoration_does_not_count() {
        for (text, expected) in [
            ("+44 20 7946 0000", Some("+442079460000")),
            ("+1 (555) 010-9999", Some("+15550109999")),
            ("020 7946 0000", None),
            ("+0123456789", None),
            ("+44 CALL ME", None),
            ("+123456", None),
            ("+1234567890123456", None),
            ("", None),
        ] {
            let found = PhoneNumber::parse(text).ok();
            assert_eq!(found.as_ref().map(PhoneNumber::as_str), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_can_stand_in_a_header(text in ".{0,80}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().is_ascii());
                prop_assert!(!address.as_str().contains(['\r', '\n', ' ', ',', '<', '>', '"']));
            }
        }
    }

    #[track_caller]
    fn check(text: &str, fits: bool) {
        assert_eq!(EmailAddress::parse(text).is_ok(), fits, "{text:?}");
    }
}
