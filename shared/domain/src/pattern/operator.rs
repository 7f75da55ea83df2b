//! The operators of a pattern, which test one value.

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
    /// A literal IP address. An event may spell the address in another way.
    Address(IpAddr),
    Prefix(String),
    PrefixFolded(Folded),
    Suffix(String),
    SuffixFolded(Folded),
    Folded(Folded),
    Wildcard(Glob),
    Numeric(Range),
    Cidr(Block),
    /// `exists: true`: a value is present.
    Present,
    /// `exists: false`: no value is present. Only the tree can decide this. No value satisfies it.
    Absent,
    /// `anything-but`: a value is present and satisfies none of these operators.
    Not(Vec<Operator>),
}

impl Operator {
    /// Whether `value` satisfies the operator.
    pub(super) fn holds(&self, value: &Scalar<'_>) -> bool {
        match self {
            Operator::Null => *value == Scalar::Null,
            Operator::Bool(flag) => *value == Scalar::Bool(*flag),
            Operator::Number(number) => value.as_number().is_some_and(|own| number::equal(own, number)),
            Operator::Text(text) => value.as_text() == Some(text.as_str()),
            Operator::Address(address) => value.as_text().and_then(address::address_in) == Some(*address),
            Operator::Prefix(prefix) => value.as_text().is_some_and(|text| text.starts_with(prefix.as_str())),
            Operator::PrefixFolded(prefix_folded) => {
                value.as_text().is_some_and(|text| prefix_folded.begins(text))
            }
            Operator::Suffix(suffix) => value.as_text().is_some_and(|text| text.ends_with(suffix.as_str())),
            Operator::SuffixFolded(suffix_folded) => {
                value.as_text().is_some_and(|text| suffix_folded.ends(text))
            }
            Operator::Folded(folded) => value.as_text().is_some_and(|text| folded.equals(text)),
            Operator::Wildcard(wildcard) => value.as_text().is_some_and(|text| wildcard.matches(text)),
            Operator::Numeric(numeric) => value.as_number().is_some_and(|number| numeric.holds(number)),
            Operator::Cidr(cidr) => value.as_text().is_some_and(|text| cidr.contains(text)),
            Operator::Present => true,
            Operator::Absent => false,
            Operator::Not(operators) => !operators.iter().any(|operator| operator.holds(value)),
        }
    }

    /// The only string that satisfies the operator, if there is exactly one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Operator::Text(text) = self { Some(text) } else { None }
    }
}
