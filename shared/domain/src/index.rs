//! Many patterns asked at once: what an event costs depends on the event and on the patterns that come close to it, not
//! on how many there are.
//!
//! Each combination of a pattern is filed under the field that tells it best from the others: a value that it must have,
//! begin with or end with. An event's values are looked up there; only what is found that way is held against the event
//! as a whole. What has no such field (`exists`, `anything-but`, ranges, addresses and nothing else) is asked for every
//! event.

use std::collections::HashMap;

use crate::event::Event;
use crate::pattern::Pattern;
use crate::pattern::paths::{Paths, Prints};

mod build;
mod walk;

#[cfg(test)]
mod tests;

use walk::Walk;

/// Patterns by their order, compiled into one.
#[derive(Debug, Default)]
pub struct Index {
    patterns: Vec<Pattern>,
    /// Every path that any of them asks for.
    paths: Paths,
    /// What is to be looked up at the end of each path, by [`crate::pattern::paths::Spot::at`].
    looks: Vec<Look>,
    /// The first of the entries under each fingerprint.
    first: HashMap<u64, u32, Prints>,
    entries: Vec<Entry>,
    /// What cannot be found by a value.
    unfiled: Vec<Candidate>,
    /// Something is filed under a value in the payload, so each event's payload has to be looked at.
    files_data: bool,
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
    candidate: Candidate,
    next: u32,
}

/// No entry.
const NONE: u32 = u32::MAX;

/// A combination of a pattern that may match. Ordered as the patterns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    pattern: u32,
    alternative: u32,
    /// It asks for something in the payload.
    asks_data: bool,
}

impl Index {
    /// Which patterns match an event, in ascending order. It is what [`Pattern::matches`] says of each of them and
    /// [`Event::document`].
    #[must_use]
    pub fn matching(&self, event: &Event) -> Vec<usize> {
        let mut walk = Walk::new(self);
        walk.event(event);
        walk.matching()
    }

    /// The same for any JSON text, such as an event as EventBridge writes it. `None` when it is not JSON, nests deeper
    /// than 127 levels, or holds a number or a character that nothing can hold.
    #[must_use]
    pub fn matching_text(&self, event: &str) -> Option<Vec<usize>> {
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
}

impl Affix {
    fn bit(edge: u8) -> u64 {
        1 << (edge % 64)
    }
}
