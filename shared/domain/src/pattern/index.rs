//! An index over many patterns. The cost of a match depends on the event and on the similar patterns, not on the
//! number of patterns.
//!
//! Each combination of a pattern is indexed under its most selective field: a value that the field must equal, begin
//! with or end with. The values of an event are looked up in the index, and only the found combinations are compared
//! with the whole event. Combinations without such a field (only `exists`, `anything-but`, ranges or addresses) are
//! compared with every event.
//!
//! Most events have at most one value at each path of a pattern. For them a list of values suffices ([`glance`]).
//! Arrays, names with dots and duplicate names need the tree of [`Pattern::matches`] ([`walk`]).

use std::collections::HashMap;

use crate::event::Event;
use crate::pattern::Pattern;
use crate::pattern::facts::Scalar;
use crate::pattern::paths::{Paths, Prints, Spot};
use crate::pattern::selection::{of_folded, of_prefix, of_scalar, of_suffix};

mod attribute;
mod build;
mod glance;
mod walk;

#[cfg(test)]
mod tests;

use attribute::Attribute;
use glance::Glance;
use walk::Walk;

/// Patterns by their position, compiled into one index.
#[derive(Debug, Default)]
pub struct Index {
    patterns: Vec<Pattern>,
    /// The combinations of all patterns, in their order.
    combinations: Vec<Combination>,
    /// The fields of each combination, one combination after the other.
    fields: Vec<Field>,
    /// All paths of the patterns.
    paths: Paths,
    /// The lookups at the end of each path, by [`Spot::at`].
    looks: Vec<Look>,
    /// The event attributes that patterns use.
    attributes: Vec<(Attribute, Spot)>,
    /// The position of the envelope and of the payload, if any pattern uses them.
    detail: Option<Spot>,
    data: Option<Spot>,
    /// The first entry of each fingerprint.
    first: HashMap<u64, u32, Prints>,
    entries: Vec<Entry>,
    /// Combinations without an indexable value.
    unindexed: Vec<u32>,
    /// Whether a combination is indexed under a payload value, so that each payload must be scanned.
    indexes_data: bool,
}

/// One combination of a pattern's `$or` arrays.
#[derive(Debug)]
struct Combination {
    pattern: u32,
    alternative: u32,
    /// The end of its fields, which begin at the end of the previous combination's fields.
    fields_end: u32,
    /// Whether the combination uses the payload.
    uses_data: bool,
}

/// A field of a combination: its path, and its number in the pattern.
#[derive(Debug)]
struct Field {
    spot: Spot,
    number: u32,
}

/// The lookups for a value.
#[derive(Debug, Default, Clone)]
struct Look {
    whole: bool,
    folded: bool,
    prefixes: Vec<Affix>,
    suffixes: Vec<Affix>,
}

/// All prefixes or suffixes of one length.
#[derive(Debug, Clone)]
struct Affix {
    length: usize,
    /// A bit for the inner edge byte of each of them.
    edges: u64,
}

/// A combination under a fingerprint, and the next entry of the same fingerprint.
#[derive(Debug)]
struct Entry {
    combination: u32,
    next: u32,
}

/// The end of a list of entries.
const NONE: u32 = u32::MAX;

impl Index {
    /// The patterns that match an event, in ascending order. The result equals [`Pattern::matches`] of each pattern on
    /// [`Event::document`].
    #[must_use]
    pub fn matching(&self, event: &Event) -> Vec<usize> {
        // Invalid attribute values are not fields of [`Event`], but patterns can match them.
        if !event.unusable.is_empty()
            && let Some(found) = self.matching_text(&event.document().to_string())
        {
            return found;
        }
        let mut glance = Glance::new(self);
        if glance.event(event).is_some() {
            return glance.matching();
        }
        let mut walk = Walk::new(self);
        walk.event(event);
        walk.matching()
    }

    /// The patterns that match a JSON text, such as an EventBridge event. `None` if the text is not JSON, nests deeper
    /// than 127 levels, or has an unrepresentable number or character at a path of a pattern.
    #[must_use]
    pub fn matching_text(&self, event: &str) -> Option<Vec<usize>> {
        let mut glance = Glance::new(self);
        if glance.text(event).is_some() {
            return Some(glance.matching());
        }
        let mut walk = Walk::new(self);
        walk.text(event)?;
        Some(walk.matching())
    }

    /// The number of patterns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Adds the combinations that are indexed under this value to `found`.
    fn look_up(&self, spot: Spot, value: &Scalar<'_>, found: &mut Candidates) {
        let look = &self.looks[spot.at()];
        if look.whole {
            self.take(of_scalar(value, spot), found);
        }
        let Scalar::Text(text) = value else {
            return;
        };
        if look.folded {
            self.take(of_folded(&text.to_ascii_lowercase(), spot), found);
        }
        let bytes = text.as_bytes();
        for Affix { length, edges } in &look.prefixes {
            if let Some(head @ [.., edge]) = bytes.get(..*length)
                && edges & Affix::bit(*edge) != 0
            {
                self.take(of_prefix(head, spot), found);
            }
        }
        for Affix { length, edges } in &look.suffixes {
            let start = bytes.len().checked_sub(*length);
            if let Some(tail @ [edge, ..]) = start.and_then(|start| bytes.get(start..))
                && edges & Affix::bit(*edge) != 0
            {
                self.take(of_suffix(tail, spot), found);
            }
        }
    }

    fn take(&self, print: u64, found: &mut Candidates) {
        let Some(first) = self.first.get(&print) else {
            return;
        };
        let mut next = *first;
        while let Some(entry) = self.entries.get(next as usize) {
            found.list.push(entry.combination);
            next = entry.next;
        }
        // An array in an event may contain one value many times.
        if found.list.len() > (self.combinations.len() + 32) * 2 {
            found.sort_and_dedup();
        }
    }
}

/// Combinations that may match.
struct Candidates {
    list: Vec<u32>,
}

impl Candidates {
    fn of(index: &Index) -> Candidates {
        let mut list = Vec::with_capacity(index.unindexed.len() + 16);
        list.extend_from_slice(&index.unindexed);
        Candidates { list }
    }

    /// Sorts the combinations and removes duplicates.
    fn sort_and_dedup(&mut self) {
        self.list.sort_unstable();
        self.list.dedup();
    }

    fn needs_data(&self, index: &Index) -> bool {
        index.indexes_data
            || self.list.iter().any(|combination| index.combinations[*combination as usize].uses_data)
    }

    /// The patterns of the matching combinations, sorted and without duplicates.
    fn matching(mut self, index: &Index, holds: impl Fn(u32, &Combination) -> bool) -> Vec<usize> {
        self.sort_and_dedup();
        let mut found: Vec<usize> = Vec::with_capacity(self.list.len());
        for number in self.list {
            let combination = &index.combinations[number as usize];
            let pattern = combination.pattern as usize;
            if found.last() != Some(&pattern) && holds(number, combination) {
                found.push(pattern);
            }
        }
        found
    }
}

impl Affix {
    fn bit(edge: u8) -> u64 {
        1 << (edge % 64)
    }
}
