//! Mailboxes in e-mail headers: an address with an optional display name in any language.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::address::{EmailAddress, NotAnAddress, is_invisible, name_and_address};

/// Maximum length of a display name in characters.
pub const MAX_DISPLAY_NAME_CHARS: usize = 100;

/// Number of bytes of a name in one encoded word: 75 characters minus `=?UTF-8?B?` and `?=`, in groups of four.
///
/// Source: RFC 2047, section 2.
const ENCODED_WORD_BYTES: usize = 45;

/// The mailbox of an e-mail's sender or of its replies: `news@example.com` or `Café Central <news@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sender {
    name: Option<DisplayName>,
    /// The validated address. A sender's address is public, unlike a recipient's.
    address: String,
}

impl Sender {
    /// Reads a mailbox. The name has 1 to 100 printable characters of any language, with or without quotes.
    ///
    /// # Errors
    /// [`NotAnAddress`] with the fault. Line breaks and other control characters are refused. So are direction marks
    /// and encoded words, because a reader would see another name than the written one.
    pub fn parse(text: &str) -> Result<Sender, NotAnAddress> {
        if text.trim().chars().any(char::is_control) {
            return Err(NotAnAddress::because("there is a line break or another control character in it"));
        }
        let (name, address) = name_and_address(text)?;
        let address = String::from(EmailAddress::parse(address)?);
        let name = name.map(|name| unquoted(name).trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Sender { name: name.map(DisplayName::parse).transpose()?, address })
    }

    /// A mailbox without a name.
    #[must_use]
    pub fn of(address: &EmailAddress) -> Sender {
        Sender { name: None, address: address.expose().to_owned() }
    }

    /// The address and the optional name.
    ///
    /// # Errors
    /// None in practice, because the address has been validated.
    pub fn into_parts(self) -> Result<(EmailAddress, Option<DisplayName>), NotAnAddress> {
        Ok((EmailAddress::parse(&self.address)?, self.name))
    }

    /// The name, or the address if there is no name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or(&self.address, |name| &name.0)
    }

    /// The address without the name.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The mailbox for a header, in ASCII. The name is written as words, as a quoted string, or as encoded words.
    ///
    /// Source: RFC 5322, section 3.4 (`name-addr`); RFC 2047, section 5 (3).
    #[must_use]
    pub fn to_header(&self) -> String {
        match &self.name {
            None => self.address.clone(),
            Some(DisplayName(name)) if is_phrase(name) => format!("{name} <{}>", self.address),
            Some(DisplayName(name)) if name.is_ascii() => format!("{} <{}>", quoted(name), self.address),
            Some(DisplayName(name)) => format!("{} <{}>", encoded(name), self.address),
        }
    }

    /// Splits off the name if the last release cannot read it. The mailbox in the result is readable by that release.
    #[must_use]
    pub fn into_former(self) -> (Sender, Option<DisplayName>) {
        match self.name {
            Some(name) if !name.is_former() => (Sender { name: None, ..self }, Some(name)),
            name => (Sender { name, ..self }, None),
        }
    }

    /// The inverse of [`Sender::into_former`].
    #[must_use]
    pub fn with_name(self, name: Option<DisplayName>) -> Sender {
        Sender { name: name.or(self.name), address: self.address }
    }
}

/// The display name of a mailbox: 1 to 100 printable characters of any language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`NotAnAddress`] if the name could inject a header, or would be displayed differently than written.
    fn parse(name: String) -> Result<DisplayName, NotAnAddress> {
        let no = |why| Err(NotAnAddress::because(why));
        if name.is_empty() || name.chars().count() > MAX_DISPLAY_NAME_CHARS {
            return no("the name has more than 100 characters, or none");
        }
        if name.chars().any(|c| c.is_control() || is_invisible(c) || "\u{2028}\u{2029}".contains(c)) {
            return no("the name has a control character, a line break or an invisible character");
        }
        if name.contains("=?") {
            return no("the name is an encoded word; write the name itself");
        }
        Ok(DisplayName(name))
    }

    /// Whether the last release can read the name: ASCII letters, digits, spaces, dots and dashes, at most 60.
    fn is_former(&self) -> bool {
        self.0.len() <= 60 && self.0.chars().all(|c| c.is_ascii_alphanumeric() || " .-".contains(c))
    }
}

impl TryFrom<String> for DisplayName {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<DisplayName, NotAnAddress> {
        DisplayName::parse(text)
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> String {
        name.0
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
        match &sender.name {
            None => sender.address,
            Some(name) if name.is_former() => format!("{} <{}>", name.0, sender.address),
            Some(name) => format!("{} <{}>", quoted(&name.0), sender.address),
        }
    }
}

/// The content of a quoted string. Any other text stays unchanged.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.extend(characters.next()),
            c => text.push(c),
        }
    }
    text
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether a name consists of `atext` words with single spaces between them, and needs no quotes.
fn is_phrase(name: &str) -> bool {
    let is_atom = |word: &str| {
        !word.is_empty()
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    };
    name.split(' ').all(is_atom)
}

fn encoded(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(ENCODED_WORD_BYTES));
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn display_names_become_ascii_headers() {
        for (written, header) in [
            ("o@example.com", "o@example.com"),
            ("Acme News <o@example.com>", "Acme News <o@example.com>"),
            ("O'Brien <o@example.com>", "O'Brien <o@example.com>"),
            ("Muller & Sohne <o@example.com>", "Muller & Sohne <o@example.com>"),
            ("Acme, Inc. <o@example.com>", "\"Acme, Inc.\" <o@example.com>"),
            ("\"Acme, Inc.\" <o@example.com>", "\"Acme, Inc.\" <o@example.com>"),
            ("St. Mary's <o@example.com>", "\"St. Mary's\" <o@example.com>"),
            ("Support (Billing) <o@example.com>", "\"Support (Billing)\" <o@example.com>"),
            ("\"a \\\"b\\\" c\" <o@example.com>", "\"a \\\"b\\\" c\" <o@example.com>"),
            ("Café Central <o@example.com>", "=?UTF-8?B?Q2Fmw6kgQ2VudHJhbA==?= <o@example.com>"),
            ("日本支店 <o@example.com>", "=?UTF-8?B?5pel5pys5pSv5bqX?= <o@example.com>"),
            ("<o@example.com>", "o@example.com"),
            ("Acme <o@exämple.com>", "Acme <o@xn--exmple-cua.com>"),
        ] {
            let sender = Sender::parse(written).unwrap();
            assert_eq!(sender.to_header(), header, "{written}");
            assert_eq!(Sender::parse(&String::from(sender.clone())).unwrap(), sender, "{written}");
        }
    }

    #[test]
    fn names_that_inject_headers_or_deceive_are_refused() {
        let long = format!("{} <o@example.com>", "é".repeat(MAX_DISPLAY_NAME_CHARS + 1));
        for bad in [
            "A\r\nBcc: x@example.com <o@example.com>",
            "A\r\n <o@example.com>",
            "\"A\r\n B\" <o@example.com>",
            "A\u{0} <o@example.com>",
            "A\u{202e}B <o@example.com>",
            "A\u{2028}B <o@example.com>",
            "=?UTF-8?B?QQ==?= <o@example.com>",
            "Ann <a@example.com>, Ben <b@example.com>",
            "Ann",
            "Ann <nowhere>",
            long.as_str(),
        ] {
            assert!(Sender::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn long_name_is_split_between_characters() {
        let header = Sender::parse(&format!("{} <o@example.com>", "支".repeat(100))).unwrap().to_header();
        let words: Vec<&str> = header.strip_suffix(" <o@example.com>").unwrap().split(' ').collect();
        assert!(words.iter().all(|word| word.len() <= 75), "{header}");
        let inner = |word: &str| STANDARD.decode(&word[10..word.len() - 2]).unwrap();
        let text: String = words.iter().map(|word| String::from_utf8(inner(word)).unwrap()).collect();
        assert_eq!(text, "支".repeat(100));
    }

    proptest! {
        #[test]
        fn accepted_sender_is_one_line_of_printable_ascii(text in "(?s).{0,60}( <[a-z@.]{1,9}>)?") {
            if let Ok(sender) = Sender::parse(&text) {
                prop_assert!(sender.to_header().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                prop_assert_eq!(Sender::parse(&String::from(sender.clone())).unwrap(), sender);
            }
        }
    }
}
