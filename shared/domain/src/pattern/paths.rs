//! All the paths that some patterns ask for, as one tree: what of an event is worth looking at.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A tree of paths. Keys with dots are paths of their own, as everywhere in patterns.
#[derive(Debug)]
pub(crate) struct Paths {
    steps: Vec<Step>,
}

/// The end of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot(u32);

#[derive(Debug, Default)]
struct Step {
    /// What leads on from here: few names in a list, many by their fingerprint as well.
    next: Vec<(Box<str>, Spot)>,
    by_print: HashMap<u64, u32, Prints>,
    /// A bit for the first byte of each name in `next`; most names of an event need no further look.
    firsts: u64,
    /// A pattern asks for a value here.
    is_asked: bool,
}

/// So many names are compared one by one.
const FEW: usize = 8;

impl Default for Paths {
    fn default() -> Paths {
        Paths { steps: vec![Step::default()] }
    }
}

impl Paths {
    /// How many spots there are.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(crate) fn root(&self) -> Spot {
        Spot(0)
    }

    /// Where a path ends that begins with nothing.
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
            for (at, (name, _)) in step.next.iter().enumerate().skip(known) {
                // Two names of one fingerprint are as good as impossible; the second would only not be found.
                step.by_print.insert(print(0, name.as_bytes()), u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        spot
    }

    /// Where a member of this name leads to, if that is any path. A name with dots is several steps.
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
        name.split(|name| *name == b'.').try_fold(from, |spot, it| self.step(spot, it))
    }

    /// Where a path ends that a pattern asks for.
    pub(crate) fn find(&self, path: &str) -> Option<Spot> {
        let end = path.split('.').try_fold(self.root(), |spot, name| self.step(spot, name.as_bytes()));
        end.filter(|end| self.is_asked(*end))
    }

    /// Whether a pattern asks for a value at the end of this path itself.
    pub(crate) fn is_asked(&self, spot: Spot) -> bool {
        self.steps[spot.at()].is_asked
    }

    fn step(&self, from: Spot, name: &[u8]) -> Option<Spot> {
        let step = &self.steps[from.at()];
        if step.next.len() <= FEW {
            return step.next.iter().find(|it| it.0.as_bytes() == name).map(|it| it.1);
        }
        let at = *step.by_print.get(&print(0, name))?;
        step.next.get(at as usize).filter(|it| it.0.as_bytes() == name).map(|it| it.1)
    }
}

impl Spot {
    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

/// A dot stands for nothing before it: the name `.x` leads through the name without letters.
fn first(name: &[u8]) -> u64 {
    1 << (name.first().copied().unwrap_or(b'.') % 64)
}

/// A fingerprint of bytes: quick, the same on every machine, and well spread over all 64 bits. Whoever looks something
/// up by it compares what is found, for two texts may share one.
#[inline]
pub(crate) fn print(seed: u64, bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(ODD).rotate_left(29);
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut sum = chunks.iter().fold(mix(ODD, seed), |sum, it| mix(sum, u64::from_le_bytes(*it)));
    let tail = rest.iter().rev().fold(1, |tail, it| tail << 8 | u64::from(*it));
    sum = mix(sum, tail);
    sum = mix(sum, bytes.len() as u64);
    sum ^ sum >> 32
}

/// A map whose keys are fingerprints already.
pub(crate) type Prints = BuildHasherDefault<AsItIs>;

#[derive(Debug, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = print(self.0, bytes);
    }

    fn write_u64(&mut self, it: u64) {
        self.0 = it;
    }
}
