//! The formats of strings that are enforced.

use crate::base::link::is_scheme;
use crate::event::read_time;
use crate::recipient::EmailAddress;

/// A value of `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// RFC 3339, section 5.6.
    DateTime,
    /// `full-date` of RFC 3339.
    Date,
    /// `partial-time` of RFC 3339, with or without an offset.
    Time,
    /// RFC 9562: 32 hexadecimal digits in five groups.
    Uuid,
    Email,
    /// A scheme and a colon before the rest (RFC 3986), without space.
    Uri,
}

impl Format {
    pub(super) const ALL: [Format; 6] =
        [Format::DateTime, Format::Date, Format::Time, Format::Uuid, Format::Email, Format::Uri];

    pub(super) fn name(self) -> &'static str {
        match self {
            Format::DateTime => "date-time",
            Format::Date => "date",
            Format::Time => "time",
            Format::Uuid => "uuid",
            Format::Email => "email",
            Format::Uri => "uri",
        }
    }

    pub(super) fn admits(self, text: &str) -> bool {
        match self {
            Format::DateTime => is_time(text),
            Format::Date => text.len() == 10 && is_time(&format!("{text}T00:00:00Z")),
            Format::Time => is_time(&format!("2000-01-01T{text}")) || is_time(&format!("2000-01-01T{text}Z")),
            Format::Uuid => is_uuid(text),
            Format::Email => EmailAddress::parse(text).is_ok(),
            Format::Uri => is_uri(text),
        }
    }
}

fn is_time(text: &str) -> bool {
    read_time(text).is_some()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    is_scheme(scheme) && !rest.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
