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
            Operator::Number(it) => value.as_number().is_some_and(|found| number::equal(found, it)),
            Operator::Text(it) => value.as_text() == Some(it.as_str()),
            Operator::Address(it) => value.as_text().and_then(address::address_in) == Some(*it),
            Operator::Prefix(it) => value.as_text().is_some_and(|found| found.starts_with(it.as_str())),
            Operator::PrefixFolded(it) => value.as_text().is_some_and(|found| it.begins(found)),
            Operator::Suffix(it) => value.as_text().is_some_and(|found| found.ends_with(it.as_str())),
            Operator::SuffixFolded(it) => value.as_text().is_some_and(|found| it.ends(found)),
            Operator::Folded(it) => value.as_text().is_some_and(|found| it.equals(found)),
            Operator::Wildcard(it) => value.as_text().is_some_and(|found| it.matches(found)),
            Operator::Numeric(it) => value.as_number().is_some_and(|found| it.holds(found)),
            Operator::Cidr(it) => value.as_text().is_some_and(|found| it.contains(found)),
            Operator::Present => true,
            Operator::Absent => false,
            Operator::Not(these) => !these.iter().any(|it| it.holds(value)),
        }
    }

    /// The one string that satisfies it, if there is exactly one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Operator::Text(it) = self { Some(it) } else { None }
    }
}
