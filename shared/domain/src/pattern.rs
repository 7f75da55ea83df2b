//! Amazon EventBridge's event pattern language. A pattern is compiled once and then matched against JSON documents.
//! This module knows neither rules nor catalogs nor envelopes.

mod address;
mod complexity;
pub mod condition;
pub(crate) mod facts;
mod folded;
mod glob;
pub mod index;
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

use crate::base::config_error::shown;
use facts::{Facts, Item, What};
use operator::Operator;
use serde_json::Value;
use tree::Branch;

pub use complexity::MAX_WILDCARD_BEGINNINGS;
pub(crate) use selection::Wants;

/// Maximum nesting depth of a pattern, counted in path steps and `$or` arrays. AWS documents no limit. Ours keeps the
/// stack small.
pub const MAX_DEPTH: usize = 100;

/// Maximum length of a pattern as compact JSON, in characters.
///
/// Source: Amazon EventBridge quotas, event pattern size (2,048 by default, 4,096 at most).
pub const MAX_LENGTH: usize = 4096;

/// Maximum number of combinations of a pattern's `$or` arrays: the product of their lengths.
///
/// Source: Amazon EventBridge user guide, comparison operators, "Or" matching.
pub const MAX_COMBINATIONS: usize = 1000;

/// The largest magnitude that `numeric` may compare with.
///
/// Source: Amazon EventBridge user guide, "Numeric matching": -5.0e9 to +5.0e9 inclusive.
pub const MAX_NUMERIC: f64 = 5.0e9;

/// A compiled EventBridge event pattern. Clones share the compiled form.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Arc<Compiled>);

#[derive(Debug, PartialEq)]
struct Compiled {
    /// The operators for each field of the source. A value satisfies a field if any of its operators holds.
    leaves: Vec<Vec<Operator>>,
    /// One tree per combination of the `$or` arrays. Its leaves are indices into `leaves`.
    alternatives: Vec<Branch>,
}

/// The reason why a pattern was refused: the location, the found value and the wanted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: found {found}, wanted {wanted}")]
pub struct Invalid {
    /// A path such as `detail.price` or `$or[1].detail.price[0]`, or `the pattern` for the whole pattern.
    pub at: String,
    /// The invalid value or name, shortened.
    pub found: String,
    /// The form that a valid pattern has at this location.
    pub wanted: String,
}

impl Pattern {
    /// Compiles a pattern in EventBridge's language.
    ///
    /// Two rules are stricter than in EventBridge, where the behaviour is surprising: `$or` is never a field name,
    /// and a path may be constrained only once. EventBridge keeps the last constraint of a path.
    ///
    /// # Errors
    /// [`Invalid`] for the first fault: an empty object or array, a field that is not an array or an object, an
    /// unknown operator, an operator object without exactly one key, an operand of the wrong type, or a limit
    /// exceeded ([`MAX_DEPTH`], [`MAX_LENGTH`], [`MAX_COMBINATIONS`], [`MAX_NUMERIC`]).
    ///
    /// Source: Amazon EventBridge user guide, "Comparison operators for use in event patterns". Where the guide is
    /// silent, aws/event-ruler 2.0.1.
    pub fn compile(source: &Value) -> Result<Pattern, Invalid> {
        let reading = reading::read(source)?;
        let alternatives = reading
            .alternatives()
            .into_iter()
            .map(Branch::build)
            .collect::<Result<Vec<Branch>, Invalid>>()?;
        Ok(Pattern(Arc::new(Compiled { leaves: reading.leaves, alternatives })))
    }

    /// Whether `event` satisfies all fields of the pattern, for at least one combination of the `$or` arrays.
    ///
    /// An array in the event stands for any of its elements. Fields below the same array must be satisfied by the
    /// same element. `exists: false` holds for a path that no element has. Once an earlier path (in alphabetical
    /// order) has selected an element, the path must be missing in that element only. An event that is not an object
    /// never matches.
    ///
    /// The time is proportional to the pattern's size times the event's size. Results differ from EventBridge in two
    /// cases only. In the first, an event has parts of one object both nested and under keys with dots. In the
    /// second, a pattern constrains a path both as a value and as an object, and the event has that path in an array
    /// within an array.
    ///
    /// Source: aws/event-ruler 2.0.1, "JSON Array Matching" and `StructuredFinder`.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        let facts = Facts::of(event);
        (0..self.alternatives()).any(|alternative| self.holds(alternative, facts.root()))
    }

    /// The number of combinations of its `$or` arrays.
    pub(crate) fn alternatives(&self) -> usize {
        self.0.alternatives.len()
    }

    /// Whether one combination holds for an event.
    pub(crate) fn holds(&self, alternative: usize, event: Item<'_, '_>) -> bool {
        matches!(event.what(), What::Object)
            && self.0.alternatives[alternative].matches(event, &self.0.leaves)
    }

    /// Calls `each` with every path of a combination and the field's number for [`Pattern::wants`].
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

    /// A refusal that shows the found value in shortened form.
    fn value(at: &str, found: &Value, wanted: impl Into<String>) -> Invalid {
        Invalid::new(at, shown(found), wanted)
    }
}
