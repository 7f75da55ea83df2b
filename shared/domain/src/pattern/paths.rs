//! The paths of many patterns as one tree. The tree tells which values of an event are needed.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A tree of paths. A key with dots counts as several steps, as everywhere in patterns.
#[derive(Debug)]
pub(crate) struct Paths {
    steps: Vec<Step>,
}

/// The end of one path: an index into the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot(u32);

#[derive(Debug, Default)]
struct Step {
    /// The continuations of the path. Few names are searched in the list, many by their fingerprints.
    next: Vec<(Box<str>, Spot)>,
    by_print: HashMap<u64, u32, Prints>,
    /// One bit for the first byte of each name in `next`. Most names of an event are rejected by this test.
    firsts: u64,
    /// Whether a pattern tests the value at this path.
    is_asked: bool,
}

/// Up to this number of names, the list is searched one by one.
const FEW: usize = 8;

impl Default for Paths {
    fn default() -> Paths {
        Paths { steps: vec![Step::default()] }
    }
}

impl Paths {
    /// The number of steps in the tree.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(crate) fn root(&self) -> Spot {
        Spot(0)
    }

    /// Adds a path from the root and returns its end.
    pub(crate) fn add(&mut self, path: &str) -> Spot {
        let mut spot = self.root();
        for name in path.split('.') {
            spot = match self.step(spot, name.as_bytes()) {
                Some(step) => step,
                None => self.grow(spot, name),
            };
        }
        self.steps[spot.at()].is_asked = true;
        spot
    }

    fn grow(&mut self, from: Spot, name: &str) -> Spot {
        let spot = Spot(u32::try_from(self.steps.len()).expect("fewer paths than 2^32"));
        self.steps.push(Step::default());
        let step = &mut self.steps[from.at()];
        step.firsts |= first(name.as_bytes());
        step.next.push((name.into(), spot));
        let count = step.next.len();
        if count > FEW {
            let known = if count == FEW + 1 { 0 } else { count - 1 };
            for (index, (name, _)) in step.next.iter().enumerate().skip(known) {
                // Two names with the same fingerprint are practically impossible. The second name would not be found.
                step.by_print.insert(print(0, name.as_bytes()), u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
        spot
    }

    /// The step to which a member with this name leads, if there is one. A name with dots leads through several
    /// steps.
    #[inline]
    pub(crate) fn follow(&self, from: Spot, name: &[u8]) -> Option<Spot> {
        if self.steps[from.at()].firsts & first(name) == 0 {
            return None;
        }
        if let Some(step) = self.step(from, name) {
            return Some(step);
        }
        if !name.contains(&b'.') {
            return None;
        }
        name.split(|name| *name == b'.').try_fold(from, |spot, part| self.step(spot, part))
    }

    /// The end of a path that a pattern tests.
    pub(crate) fn find(&self, path: &str) -> Option<Spot> {
        let end = path.split('.').try_fold(self.root(), |spot, name| self.step(spot, name.as_bytes()));
        end.filter(|end| self.is_asked(*end))
    }

    /// Whether a pattern tests the value at the end of this path.
    pub(crate) fn is_asked(&self, spot: Spot) -> bool {
        self.steps[spot.at()].is_asked
    }

    fn step(&self, from: Spot, name: &[u8]) -> Option<Spot> {
        let step = &self.steps[from.at()];
        if step.next.len() <= FEW {
            return step.next.iter().find(|next| next.0.as_bytes() == name).map(|next| next.1);
        }
        let index = *step.by_print.get(&print(0, name))?;
        step.next.get(index as usize).filter(|next| next.0.as_bytes() == name).map(|next| next.1)
    }
}

impl Spot {
    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

/// A leading dot stands for an empty name, so the name `.x` leads through the empty name.
fn first(name: &[u8]) -> u64 {
    1 << (name.first().copied().unwrap_or(b'.') % 64)
}

/// A fingerprint of bytes: fast, the same on every machine, and well spread over 64 bits. Two texts may share one, so
/// callers compare the texts after a lookup.
#[inline]
pub(crate) fn print(seed: u64, bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(ODD).rotate_left(29);
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut sum = chunks.iter().fold(mix(ODD, seed), |sum, chunk| mix(sum, u64::from_le_bytes(*chunk)));
    let tail = rest.iter().rev().fold(1, |tail, byte| tail << 8 | u64::from(*byte));
    sum = mix(sum, tail);
    sum = mix(sum, bytes.len() as u64);
    sum ^ sum >> 32
}

/// The hasher of maps whose keys are fingerprints.
pub(crate) type Prints = BuildHasherDefault<IdentityHasher>;

#[derive(Debug, Default)]
pub(crate) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = print(self.0, bytes);
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}
