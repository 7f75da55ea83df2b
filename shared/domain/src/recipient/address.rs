//! E-mail addresses. They are validated once.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

use crate::base::sensitive::Sensitive;

/// A valid e-mail address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(Sensitive<String>);

/// A text that is not an e-mail address. The error does not quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address: {0}")]
pub struct NotAnAddress(&'static str);

impl NotAnAddress {
    /// The fault, without any part of the text.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.0
    }
}

impl EmailAddress {
    /// Reads an address as people paste it, and normalizes it for SES: `local@domain` in ASCII.
    ///
    /// Surrounding whitespace, invisible characters, `mailto:` and the name in `Ann Lee <ann@example.com>` are
    /// removed. An internationalized domain becomes its A-labels (`exämple.org` is `xn--exmple-cua.org`).
    ///
    /// # Errors
    /// [`NotAnAddress`] with the fault. A local part that is not ASCII is refused, because SES does not send to it.
    ///
    /// Source: RFC 5321, sections 4.1.2 and 4.5.3.1 (64 bytes before the `@`, 254 in all); RFC 5322, section 3.4
    /// (`name-addr`); RFC 5891 and UTS #46 (domains).
    pub fn parse(text: &str) -> Result<EmailAddress, NotAnAddress> {
        if text.trim().chars().any(char::is_control) {
            return refuse("there is a line break or another control character in it");
        }
        let (_, address) = name_and_address(text)?;
        let text = address.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        let text = match text.split_at_checked(MAILTO.len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(MAILTO) => rest,
            Some(_) | None => text,
        };
        let Some((local, domain)) = text.split_once('@') else {
            return refuse("there is no @ in it");
        };
        let domain = in_ascii(domain)?;
        if local.len() + 1 + domain.len() > 254 || local.len() > 64 {
            return refuse("it is too long");
        }
        let in_local = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if local.is_empty() || !local.chars().all(in_local) {
            return refuse("the part before the @ is empty or has characters that need quoting");
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return refuse("a dot before the @ is at the edge or doubled");
        }
        let labels: Vec<&str> = domain.split('.').collect();
        let is_label = |label: &&str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if labels.len() < 2 || !labels.iter().all(is_label) {
            return refuse("the part after the @ is not a domain name");
        }
        Ok(EmailAddress(Sensitive::new(format!("{local}@{domain}"))))
    }

    /// The address, for sending, storing and comparing.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
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
        address.0.into_exposed()
    }
}

const MAILTO: &str = "mailto:";

fn refuse<T>(why: &'static str) -> Result<T, NotAnAddress> {
    Err(NotAnAddress(why))
}

impl NotAnAddress {
    /// The error of a mailbox whose fault is not in its address.
    pub(super) const fn because(why: &'static str) -> NotAnAddress {
        NotAnAddress(why)
    }
}

/// Splits a text into the display name, as written, and the address. `Ann Lee <ann@example.com>` has a name.
///
/// # Errors
/// The text contains more than one address.
pub(super) fn name_and_address(text: &str) -> Result<(Option<&str>, &str), NotAnAddress> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let Some((name, address)) = text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) else {
        return Ok((None, text));
    };
    let name = name.trim();
    let is_quoted = name.len() > 1 && name.starts_with('"') && name.ends_with('"');
    let is_list = !is_quoted && (name.contains(['<', '>', ';']) || has_another_address(name));
    if is_list {
        return refuse("there is more than one address");
    }
    Ok(((!name.is_empty()).then_some(name), address.trim()))
}

/// Whether an unquoted name is the start of a list of addresses: `ann@example.com, Ben`.
fn has_another_address(name: &str) -> bool {
    name.split_once(',').is_some_and(|(first, _)| first.contains('@'))
}

/// A domain as its A-labels. ASCII domains stay as written.
fn in_ascii(domain: &str) -> Result<String, NotAnAddress> {
    if domain.is_ascii() {
        return Ok(domain.to_owned());
    }
    let verify = (AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
    match Uts46::new().to_ascii(domain.as_bytes(), verify.0, verify.1, verify.2) {
        Ok(ascii) => Ok(ascii.into_owned()),
        Err(_) => refuse("the part after the @ is not a domain name"),
    }
}

/// Whether a character is invisible: direction marks, zero-width spaces, soft hyphens. Clients copy them along with
/// an address. Joiners are not included, because some scripts need them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn address_has_one_local_part_and_one_domain() {
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
            "ann@example.com\r\nBcc: all@example.com",
            "Ann\n<ann@example.com>",
            "änn@example.com",
            "ann@example.com, ben@example.com",
            "ann@example.com, Ben <ben@example.com>",
            "Ann <ann@example.com>, Ben <ben@example.com>",
            "Ann <ann@example.com> <ben@example.com>",
            "<>",
            "Ann <>",
            "ann@exa_mple.org.é",
            "ann@xn--a-ecp.ru.é..",
        ] {
            check(bad, false);
        }
        check(&format!("{}@example.com", "a".repeat(64)), true);
        check(&format!("{}@example.com", "a".repeat(65)), false);
    }

    #[test]
    fn pasted_addresses_are_normalized() {
        for (text, expected) in [
            (" ann@example.org ", "ann@example.org"),
            ("\tann@example.org\r\n", "ann@example.org"),
            ("\u{feff}ann@example.org\u{200b}", "ann@example.org"),
            ("\u{202a}ann@example.org\u{202c}", "ann@example.org"),
            ("\u{a0}ann@example.org\u{a0}", "ann@example.org"),
            ("mailto:ann@example.org", "ann@example.org"),
            ("MailTo:ann@example.org", "ann@example.org"),
            ("Ann Lee <ann@example.org>", "ann@example.org"),
            ("Ann Lee < ann@example.org >", "ann@example.org"),
            ("\"Lee, Ann\" <ann@example.org>", "ann@example.org"),
            ("Lee, Ann <ann@example.org>", "ann@example.org"),
            ("ann@example.org <ann@example.org>", "ann@example.org"),
            ("<ann@example.org>", "ann@example.org"),
            ("Änn Lée <ann@example.org>", "ann@example.org"),
            ("ann@exämple.org", "ann@xn--exmple-cua.org"),
            ("Ann <ann@EXÄMPLE.org>", "ann@xn--exmple-cua.org"),
            ("ann@faß.de", "ann@xn--fa-hia.de"),
            ("ann@例え.jp", "ann@xn--r8jz45g.jp"),
            ("ann@例え。jp", "ann@xn--r8jz45g.jp"),
            ("Ann@Example.org", "Ann@Example.org"),
        ] {
            let found = EmailAddress::parse(text).ok();
            assert_eq!(found.as_ref().map(EmailAddress::expose), Some(expected), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn accepted_addresses_are_safe_in_headers(text in ".{0,80}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.expose().is_ascii());
                prop_assert!(!address.expose().contains(['\r', '\n', ' ', ',', '<', '>', '"']));
            }
        }

        #[test]
        fn parsing_is_idempotent(text in "[ a-zé]{0,9}<?[a-z.]{1,5}@[a-zéß]{1,9}[.][a-z]{2}>?") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let again = EmailAddress::parse(address.expose()).ok();
                prop_assert_eq!(again.as_ref().map(EmailAddress::expose), Some(address.expose()));
            }
        }
    }

    #[track_caller]
    fn check(text: &str, fits: bool) {
        assert_eq!(EmailAddress::parse(text).is_ok(), fits, "{text:?}");
    }
}
