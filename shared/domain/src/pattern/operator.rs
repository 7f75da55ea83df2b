//! What a pattern asks of one value.

use std::net::IpAddr;

use serde_json::Number;

use super::address::{self, Block};
use super::facts::Scalar;
use super::folded::Folded;
use super::glob::Glob;
use super::number::{self, Range};

/// One entry of a field's list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operator {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// A literal that is an IP address, which an event may spell in another way.
    Address(IpAddr),
    Prefix(String),
    PrefixFolded(Folded),
    Suffix(String),
    SuffixFolded(Folded),
    Folded(Folded),
    Wildcard(Glob),
    Numeric(Range),
    Cidr(Block),
    /// `exists: true`: there is a value.
    Present,
    /// `exists: false`: there is none. Only the tree can tell; no value satisfies it.
    Absent,
    /// `anything-but`: there is a value and it satisfies none of these.
    Not(Vec<Operator>),
}

impl Operator {
    /// Whether `value` satisfies it.
    pub(super) fn holds(&self, value: &Scalar<'_>) -> bool {
        match self {
            Operator::Null => *value == Scalar::Null,
            Operator::Bool(it) => *value == Scalar::Bool(*it),
            Operator::Number(number) => value.as_number().is_some_and(|found| number::equal(found, number)),
            Operator::Text(text) => value.as_text() == Some(text.as_str()),
            Operator::Address(address) => value.as_text().and_then(address::address_in) == Some(*address),
            Operator::Prefix(prefix) => {
                value.as_text().is_some_and(|found| found.starts_with(prefix.as_str()))
            }
            Operator::PrefixFolded(prefix_folded) => {
                value.as_text().is_some_and(|found| prefix_folded.begins(found))
            }
            Operator::Suffix(suffix) => value.as_text().is_some_and(|found| found.ends_with(suffix.as_str())),
            Operator::SuffixFolded(suffix_folded) => {
                value.as_text().is_some_and(|found| suffix_folded.ends(found))
            }
            Operator::Folded(folded) => value.as_text().is_some_and(|found| folded.equals(found)),
            Operator::Wildcard(wildcard) => value.as_text().is_some_and(|found| wildcard.matches(found)),
            Operator::Numeric(numeric) => value.as_number().is_some_and(|found| numeric.holds(found)),
            Operator::Cidr(cidr) => value.as_text().is_some_and(|found| cidr.contains(found)),
            Operator::Present => true,
            Operator::Absent => false,
            Operator::Not(these) => !these.iter().any(|it| it.holds(value)),
        }
    }

    /// The one string that satisfies it, if there is exactly one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Operator::Text(text) = self { Some(text) } else { None }
    }
}
