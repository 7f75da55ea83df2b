//! Who can be told something, and how they are reached.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A person as a producer's own user table knows them. No `Debug`: it holds names and addresses.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The id that events carry: 1 to 256 bytes.
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As it was given; it may turn out to be no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// An IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The tenants whose events may reach this person; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tenants: BTreeSet<String>,
}

impl Recipient {
    /// Whether an event of `tenant` may reach this person.
    #[must_use]
    pub fn belongs_to(&self, tenant: Option<&str>) -> bool {
        match tenant {
            Some(it) => self.tenants.is_empty() || self.tenants.contains(it),
            None => true,
        }
    }
}

/// What was found out about the people that an event addresses. Who is not in it is not known.
pub type Recipients = BTreeMap<String, Recipient>;

/// An e-mail address that was checked once and need not be checked again. No `Debug`, no `Display`: it is never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// A text that is no e-mail address. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address: {0}")]
pub struct NotAnAddress(&'static str);

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
