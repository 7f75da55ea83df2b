//! Many patterns asked at once: what an event costs depends on the event and on the patterns that come close to it, not
//! on how many there are.
//!
//! Each combination of a pattern is filed under the field that tells it best from the others: a value that it must have,
//! begin with or end with. An event's values are looked up there; only what is found that way is held against the event
//! as a whole. What has no such field (`exists`, `anything-but`, ranges, addresses and nothing else) is asked for every
//! event.
//!
//! Most events have one value at most wherever a pattern looks. For them a list of values is enough ([`glance`]); for
//! lists, dots in names and names that come twice there is the tree that [`Pattern::matches`] works on ([`walk`]).

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

/// Patterns by their order, compiled into one.
#[derive(Debug, Default)]
pub struct Index {
    patterns: Vec<Pattern>,
    /// The combinations of all patterns, in their order.
    combinations: Vec<Combination>,
    /// What each combination asks for, one after the other.
    fields: Vec<Field>,
    /// Every path that any of them asks for.
    paths: Paths,
    /// What is to be looked up at the end of each path, by [`Spot::at`].
    looks: Vec<Look>,
    /// The attributes of an event that any of them asks for.
    attributes: Vec<(Attribute, Spot)>,
    /// Where the members of an event's envelope are, and its payload, if any pattern asks for them.
    detail: Option<Spot>,
    data: Option<Spot>,
    /// The first of the entries under each fingerprint.
    first: HashMap<u64, u32, Prints>,
    entries: Vec<Entry>,
    /// Combinations that cannot be found by a value.
    unfiled: Vec<u32>,
    /// Something is filed under a value in the payload, so each event's payload has to be looked at.
    files_data: bool,
}

/// One combination of a pattern's `$or` arrays.
#[derive(Debug)]
struct Combination {
    pattern: u32,
    alternative: u32,
    /// Where its fields end; they begin where those of the combination before it end.
    fields_end: u32,
    /// It asks for something in the payload.
    asks_data: bool,
}

/// A field of a combination: where to look, and its number in the pattern.
#[derive(Debug)]
struct Field {
    spot: Spot,
    number: u32,
}

/// In which ways a value is looked up.
#[derive(Debug, Default, Clone)]
struct Look {
    whole: bool,
    folded: bool,
    prefixes: Vec<Affix>,
    suffixes: Vec<Affix>,
}

/// All beginnings or endings of one length.
#[derive(Debug, Clone)]
struct Affix {
    length: usize,
    /// A bit for the byte at the inner end of each of them.
    edges: u64,
}

/// A combination that is filed under some fingerprint, and the entry after it.
#[derive(Debug)]
struct Entry {
    combination: u32,
    next: u32,
}

/// No entry.
const NONE: u32 = u32::MAX;

impl Index {
    /// Which patterns match an event, in ascending order. It is what [`Pattern::matches`] says of each of them and
    /// [`Event::document`].
    #[must_use]
    pub fn matching(&self, event: &Event) -> Vec<usize> {
        // Values that cannot be used stand in no field of the event; patterns see them all the same.
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

    /// The same for any JSON text, such as an event as EventBridge writes it. `None` when it is not JSON, nests deeper
    /// than 127 levels, or holds, where a pattern looks, a number or a character that nothing can hold.
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

    /// How many patterns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Adds the combinations to `found` that are filed under this value.
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
        // A list in an event may name one value a thousand times.
        if found.list.len() > (self.combinations.len() + 32) * 2 {
            found.settle();
        }
    }
}

/// Combinations that may hold.
struct Candidates {
    list: Vec<u32>,
}

impl Candidates {
    fn of(index: &Index) -> Candidates {
        let mut list = Vec::with_capacity(index.unfiled.len() + 16);
        list.extend_from_slice(&index.unfiled);
        Candidates { list }
    }

    /// Each once, in their order.
    fn settle(&mut self) {
        self.list.sort_unstable();
        self.list.dedup();
    }

    fn ask_data(&self, index: &Index) -> bool {
        index.files_data || self.list.iter().any(|it| index.combinations[*it as usize].asks_data)
    }

    /// The patterns of those that hold, each once, in their order.
    fn matching(mut self, index: &Index, holds: impl Fn(u32, &Combination) -> bool) -> Vec<usize> {
        self.settle();
        let mut found: Vec<usize> = Vec::with_capacity(self.list.len());
        for at in self.list {
            let combination = &index.combinations[at as usize];
            let pattern = combination.pattern as usize;
            if found.last() != Some(&pattern) && holds(at, combination) {
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
