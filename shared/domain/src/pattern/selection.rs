//! How a pattern is found from a value, without asking the pattern: by what the value has to be, or begin or end with.

use super::facts::Scalar;
use super::number;
use super::operator::Operator;
use super::paths::{Spot, print};

/// What a pattern asks for in one place: any of these.
#[derive(Clone, Copy)]
pub(crate) struct Wants<'p>(pub(super) &'p [Operator]);

/// What every value that satisfies one operator has in common, and for some operators what else.
pub(crate) type Selections = (Selection, Option<Selection>);

/// Something that a value can be looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The fingerprint of place, kind and text.
    pub(crate) print: u64,
    pub(crate) kind: Kind,
}

/// Which part of a value the fingerprint is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Whole,
    /// All of it, in lower case.
    Folded,
    /// So many bytes at its beginning, the last of which is `edge`.
    Prefix {
        length: usize,
        edge: u8,
    },
    /// So many bytes at its end, the first of which is `edge`.
    Suffix {
        length: usize,
        edge: u8,
    },
}

/// The seeds of the fingerprints, apart from the place.
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
    /// The selections of each operator; `None` when an operator is satisfied by values that have nothing in common, or
    /// by no value at all.
    pub(crate) fn selections(self, spot: Spot) -> Option<Vec<Selections>> {
        self.0.iter().map(|it| selections(it, spot)).collect()
    }

    /// Whether they are satisfied by the one value that stands there, or by there being none.
    pub(crate) fn hold(self, value: Option<&Scalar<'_>>) -> bool {
        self.0.iter().any(|it| match value {
            Some(value) => it.holds(value),
            None => *it == Operator::Absent,
        })
    }
}

fn selections(operator: &Operator, spot: Spot) -> Option<Selections> {
    let whole = |scalar: &Scalar<'_>| Some(Selection { print: of_scalar(scalar, spot), kind: Kind::Whole });
    let only = match operator {
        Operator::Null => whole(&Scalar::Null),
        Operator::Bool(it) => whole(&Scalar::Bool(*it)),
        Operator::Number(number) => whole(&Scalar::Number(number.clone())),
        Operator::Text(text) => whole(&Scalar::Text(text.as_str().into())),
        Operator::Prefix(it) => prefix(it, spot),
        Operator::Suffix(it) => suffix(it, spot),
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

/// The fingerprint of a whole value. Equal values have the same, however a number is spelt.
pub(crate) fn of_scalar(value: &Scalar<'_>, spot: Spot) -> u64 {
    match value {
        Scalar::Text(text) => print(seed(spot, TEXT), text.as_bytes()),
        Scalar::Number(number) => match number::comparable(number) {
            // There are two zeros; the sum with one of them is always the positive one.
            Some(double) => print(seed(spot, NUMBER), &(double + 0.0).to_le_bytes()),
            None => print(seed(spot, NUMBER), number.to_string().as_bytes()),
        },
        Scalar::Null => print(seed(spot, OTHER), b"null"),
        Scalar::Bool(true) => print(seed(spot, OTHER), b"true"),
        Scalar::Bool(false) => print(seed(spot, OTHER), b"false"),
    }
}

/// `text` is in lower case.
pub(crate) fn of_folded(text: &str, spot: Spot) -> u64 {
    print(seed(spot, FOLDED), text.as_bytes())
}

pub(crate) fn of_prefix(text: &[u8], spot: Spot) -> u64 {
    print(seed(spot, PREFIX), text)
}

pub(crate) fn of_suffix(text: &[u8], spot: Spot) -> u64 {
    print(seed(spot, SUFFIX), text)
}
