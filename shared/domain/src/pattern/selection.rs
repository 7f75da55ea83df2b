//! Lookup keys for patterns: the values, prefixes or suffixes that select a pattern without evaluating it.

use super::facts::Scalar;
use super::number;
use super::operator::Operator;
use super::paths::{Spot, print};

/// The operators of a pattern for one field. Any of them may hold.
#[derive(Clone, Copy)]
pub(crate) struct Wants<'p>(pub(super) &'p [Operator]);

/// The common property of all values that satisfy one operator. Some operators have a second one.
pub(crate) type Selections = (Selection, Option<Selection>);

/// A lookup key for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The fingerprint of path, kind and text.
    pub(crate) print: u64,
    pub(crate) kind: Kind,
}

/// The part of a value that has the fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Whole,
    /// The whole value, in lower case.
    Folded,
    /// The first `length` bytes, of which `edge` is the last.
    Prefix {
        length: usize,
        edge: u8,
    },
    /// The last `length` bytes, of which `edge` is the first.
    Suffix {
        length: usize,
        edge: u8,
    },
}

/// The seeds of the fingerprints, without the path.
const TEXT: u64 = 0;
const FOLDED: u64 = 1;
const PREFIX: u64 = 2;
const SUFFIX: u64 = 3;
const NUMBER: u64 = 4;
const OTHER: u64 = 5;

fn seed(spot: Spot, kind: u64) -> u64 {
    (spot.at() as u64) << 3 | kind
}

impl Wants<'_> {
    /// The lookup keys of each operator. `None` if an operator's values have nothing in common, or if no value
    /// satisfies it.
    pub(crate) fn selections(self, spot: Spot) -> Option<Vec<Selections>> {
        self.0.iter().map(|operator| selections(operator, spot)).collect()
    }

    /// Whether the operators accept this single value, or its absence.
    pub(crate) fn hold(self, value: Option<&Scalar<'_>>) -> bool {
        self.0.iter().any(|operator| match value {
            Some(value) => operator.holds(value),
            None => *operator == Operator::Absent,
        })
    }
}

fn selections(operator: &Operator, spot: Spot) -> Option<Selections> {
    let whole = |scalar: &Scalar<'_>| Some(Selection { print: of_scalar(scalar, spot), kind: Kind::Whole });
    let only = match operator {
        Operator::Null => whole(&Scalar::Null),
        Operator::Bool(flag) => whole(&Scalar::Bool(*flag)),
        Operator::Number(number) => whole(&Scalar::Number(number.clone())),
        Operator::Text(text) => whole(&Scalar::Text(text.as_str().into())),
        Operator::Prefix(text) => prefix(text, spot),
        Operator::Suffix(text) => suffix(text, spot),
        Operator::Folded(folded) => {
            folded.ascii().map(|ascii| Selection { print: of_folded(&ascii, spot), kind: Kind::Folded })
        }
        Operator::Wildcard(wildcard) => {
            let (first, last) = wildcard.ends();
            return match (prefix(first, spot), suffix(last, spot)) {
                (Some(first), last) => Some((first, last)),
                (None, last) => Some((last?, None)),
            };
        }
        Operator::Address(_)
        | Operator::PrefixFolded(_)
        | Operator::SuffixFolded(_)
        | Operator::Numeric(_)
        | Operator::Cidr(_)
        | Operator::Present
        | Operator::Absent
        | Operator::Not(_) => None,
    };
    only.map(|only| (only, None))
}

fn prefix(text: &str, spot: Spot) -> Option<Selection> {
    let edge = *text.as_bytes().last()?;
    let kind = Kind::Prefix { length: text.len(), edge };
    Some(Selection { print: of_prefix(text.as_bytes(), spot), kind })
}

fn suffix(text: &str, spot: Spot) -> Option<Selection> {
    let edge = *text.as_bytes().first()?;
    let kind = Kind::Suffix { length: text.len(), edge };
    Some(Selection { print: of_suffix(text.as_bytes(), spot), kind })
}

/// The fingerprint of a whole value. Equal numbers have the same fingerprint in any spelling.
pub(crate) fn of_scalar(value: &Scalar<'_>, spot: Spot) -> u64 {
    match value {
        Scalar::Text(text) => print(seed(spot, TEXT), text.as_bytes()),
        Scalar::Number(number) => match number::comparable(number) {
            // There are two zeros. Adding zero yields the positive one.
            Some(double) => print(seed(spot, NUMBER), &(double + 0.0).to_le_bytes()),
            None => print(seed(spot, NUMBER), number.to_string().as_bytes()),
        },
        Scalar::Null => print(seed(spot, OTHER), b"null"),
        Scalar::Bool(true) => print(seed(spot, OTHER), b"true"),
        Scalar::Bool(false) => print(seed(spot, OTHER), b"false"),
    }
}

/// The fingerprint of a text in lower case.
pub(crate) fn of_folded(text: &str, spot: Spot) -> u64 {
    print(seed(spot, FOLDED), text.as_bytes())
}

pub(crate) fn of_prefix(text: &[u8], spot: Spot) -> u64 {
    print(seed(spot, PREFIX), text)
}

pub(crate) fn of_suffix(text: &[u8], spot: Spot) -> u64 {
    print(seed(spot, SUFFIX), text)
}
