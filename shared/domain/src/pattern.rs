//! Amazon EventBridge's event pattern language: compiled once, then matched against JSON documents.
//! It knows nothing of rules, catalogs or envelopes; what it sees is one JSON tree.

mod address;
mod complexity;
pub(crate) mod facts;
mod folded;
mod glob;
mod number;
mod operand;
mod operator;
pub(crate) mod paths;
pub(crate) mod reading;
pub(crate) mod selection;
mod tree;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use facts::{Facts, Item, What};
use operator::Operator;
use serde_json::Value;
use tree::Branch;

pub use complexity::MAX_WILDCARD_BEGINNINGS;
pub(crate) use selection::Wants;

/// How deep a pattern may nest, counted in steps of its paths and in `$or` arrays. AWS names no limit; this one is ours
/// and keeps the stack small.
pub const MAX_DEPTH: usize = 100;

/// How long a pattern may be as compact JSON, in characters.
///
/// Source: Amazon EventBridge quotas, event pattern size (2,048 by default, 4,096 at most).
pub const MAX_LENGTH: usize = 4096;

/// How many combinations the `$or` arrays of a pattern may have: the product of their lengths.
///
/// Source: Amazon EventBridge user guide, comparison operators, "Or" matching.
pub const MAX_COMBINATIONS: usize = 1000;

/// The largest magnitude that `numeric` may compare with.
///
/// Source: Amazon EventBridge user guide, "Numeric matching": -5.0e9 to +5.0e9 inclusive.
pub const MAX_NUMERIC: f64 = 5.0e9;

/// An EventBridge event pattern, compiled. A clone is the same one, not a copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Arc<Compiled>);

#[derive(Debug, PartialEq)]
struct Compiled {
    /// What each field of the source asks for, one list per field: a value satisfies it if any operator holds.
    leaves: Vec<Vec<Operator>>,
    /// One tree per combination of the `$or` arrays; its leaves are indices into `leaves`.
    alternatives: Vec<Branch>,
}

/// Why a pattern was refused: where, what was found there, and what is wanted instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: found {found}, wanted {wanted}")]
pub struct Invalid {
    /// A path such as `detail.price` or `$or[1].detail.price[0]`; `the pattern` for the whole.
    pub at: String,
    /// The offending value or name, shortened.
    pub found: String,
    /// What stands there in a valid pattern.
    pub wanted: String,
}

impl Pattern {
    /// Reads a pattern as EventBridge would.
    ///
    /// Stricter than EventBridge in two places, because what it does there surprises: `$or` is never a field's name, and
    /// a path may be constrained once only (EventBridge keeps the constraint that is written last).
    ///
    /// # Errors
    /// [`Invalid`] for the first fault found: an empty object or array, a field that is not an array or an object, an
    /// unknown operator, an operator object without exactly one key, an operand of the wrong type, or a limit exceeded
    /// ([`MAX_DEPTH`], [`MAX_LENGTH`], [`MAX_COMBINATIONS`], [`MAX_NUMERIC`]).
    ///
    /// Source: Amazon EventBridge user guide, "Comparison operators for use in event patterns"; where it is silent,
    /// aws/event-ruler 2.0.1.
    pub fn compile(source: &Value) -> Result<Pattern, Invalid> {
        let reading = reading::read(source)?;
        let alternatives = reading
            .alternatives()
            .into_iter()
            .map(Branch::plant)
            .collect::<Result<Vec<Branch>, Invalid>>()?;
        Ok(Pattern(Arc::new(Compiled { leaves: reading.leaves, alternatives })))
    }

    /// Whether `event` satisfies the pattern: every field named, for at least one combination of the `$or` arrays.
    ///
    /// An array in the event stands for any of its elements, and fields below the same array have to be satisfied in the
    /// same element. `exists: false` holds for a path that no element has, or, once an earlier path (in alphabetical
    /// order) has chosen an element, that this element has not. An event that is no object never matches.
    ///
    /// Takes time in proportion to the pattern times the event. It can differ from EventBridge only where an event has a
    /// part of one object nested and a part under keys with dots, or where a pattern asks for a path both as a value and
    /// as an object and the event has that path in an array within an array.
    ///
    /// Source: aws/event-ruler 2.0.1, "JSON Array Matching" and `StructuredFinder`.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        let facts = Facts::of(event);
        (0..self.alternatives()).any(|it| self.holds(it, facts.root()))
    }

    /// How many combinations its `$or` arrays have.
    pub(crate) fn alternatives(&self) -> usize {
        self.0.alternatives.len()
    }

    /// Whether one of the combinations holds for an event.
    pub(crate) fn holds(&self, alternative: usize, event: Item<'_, '_>) -> bool {
        matches!(event.what(), What::Object)
            && self.0.alternatives[alternative].grows_in(event, &self.0.leaves)
    }

    /// Calls `each` with every path that a combination asks for, and the number under which [`Pattern::wants`] tells
    /// what it asks there.
    pub(crate) fn fields<'p>(&'p self, alternative: usize, each: &mut impl FnMut(&'p str, usize)) {
        self.0.alternatives[alternative].leaves(each);
    }

    pub(crate) fn wants(&self, field: usize) -> Wants<'_> {
        Wants(&self.0.leaves[field])
    }
}

impl Invalid {
    fn new(at: &str, found: impl Into<String>, wanted: impl Into<String>) -> Invalid {
        Invalid { at: at.to_owned(), found: found.into(), wanted: wanted.into() }
    }

    /// A refusal that shows the value it is about, in a few words.
    fn value(at: &str, found: &Value, wanted: impl Into<String>) -> Invalid {
        Invalid::new(at, shown(found), wanted)
    }
}

/// A value in a few words, however large it is.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(array) if array.is_empty() => "an empty array".to_owned(),
        Value::Array(array) => format!("an array of length {}", array.len()),
        Value::Object(object) if object.is_empty() => "an empty object".to_owned(),
        Value::Object(object) => {
            let keys: Vec<String> = object.keys().take(3).map(|key| quoted(key)).collect();
            let more = if object.len() > 3 { ", …" } else { "" };
            format!("an object with {}{more}", keys.join(", "))
        }
    }
}

/// A string in quotes, cut after 40 characters.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
