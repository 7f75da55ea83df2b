//! The position of an event among the events of its source.

use std::fmt;

/// The `sequence` attribute: a text whose sort order is the order of the events.
///
/// Source: CloudEvents, "Sequence" extension: any text that is not empty and sorts in lexicographical order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence(Box<str>);

/// The width of a version, so that versions sort as text.
const DIGITS: usize = 20;

impl Sequence {
    /// The version of an outbox stream, from 1 on, with leading zeros.
    #[must_use]
    pub fn of_version(version: u64) -> Sequence {
        Sequence(format!("{version:0DIGITS$}").into())
    }

    /// A sequence from a checked text.
    pub(super) fn of_text(text: &str) -> Sequence {
        Sequence(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version: a whole number from 1 on, with or without leading zeros. `None` for any other text.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        let is_number = self.0.bytes().all(|byte| byte.is_ascii_digit());
        self.0.parse().ok().filter(|parsed| is_number && *parsed > 0)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
