//! The quick way through an event: one value at most in every place that patterns ask for.

use crate::event::{Event, Extension};
use crate::json::Scanner;
use crate::pattern::facts::Scalar;
use crate::pattern::paths::Spot;

use super::{Candidates, Combination, Index};

/// What was seen of an event so far. Every method that returns `None` has come upon a list, a name with dots or a name
/// that was there before, in a place where patterns look: it takes a [`super::walk::Walk`] then.
pub(super) struct Glance<'i, 'e> {
    index: &'i Index,
    candidates: Candidates,
    /// Every place that was come to, and the value there if it is no object.
    seen: Vec<(Spot, Option<Scalar<'e>>)>,
}

impl<'i, 'e> Glance<'i, 'e> {
    pub(super) fn new(index: &'i Index) -> Glance<'i, 'e> {
        Glance { index, candidates: Candidates::of(index), seen: Vec::with_capacity(16) }
    }

    pub(super) fn event(&mut self, event: &'e Event) -> Option<()> {
        let index = self.index;
        for (attribute, spot) in &index.attributes {
            if let Some(value) = attribute.of(event) {
                self.note(*spot, value);
            }
        }
        if let Some(detail) = index.detail {
            self.extensions(detail, event);
        }
        if let (Some(spot), Some(data)) = (index.data, &event.data)
            && self.candidates.ask_data(index)
        {
            self.value(&mut Scanner::new(data.text()), spot)?;
        }
        Some(())
    }

    fn extensions(&mut self, detail: Spot, event: &'e Event) {
        for (name, value) in &event.extensions {
            if let Some(spot) = self.index.paths.follow(detail, name.as_bytes()) {
                let value = match value {
                    Extension::Bool(it) => Scalar::Bool(*it),
                    Extension::Integer(integer) => Scalar::Number((*integer).into()),
                    Extension::Text(text) => Scalar::Text(text.into()),
                };
                self.note(spot, value);
            }
        }
    }

    pub(super) fn text(&mut self, event: &'e str) -> Option<()> {
        let mut scanner = Scanner::new(event);
        // Nothing else than an object ever matches.
        scanner.peek().filter(|scanner| *scanner == b'{')?;
        self.value(&mut scanner, self.index.paths.root())?;
        scanner.is_at_end().then_some(())
    }

    /// The patterns that match what was seen.
    pub(super) fn matching(self) -> Vec<usize> {
        let Glance { index, candidates, seen } = self;
        candidates.matching(index, |at, combination| index.holds(at, combination, &seen))
    }

    /// Passes over a value at `spot`. No deeper than patterns go, for there is a name to follow for each level.
    fn value(&mut self, scanner: &mut Scanner<'e>, spot: Spot) -> Option<()> {
        let index = self.index;
        match scanner.peek()? {
            b'[' => None,
            b'{' => {
                self.come_to(spot, None)?;
                scanner.members(|it, name| {
                    // What is written with an escape may have a dot in it.
                    let name = name.plain_bytes()?;
                    match index.paths.follow(spot, name) {
                        Some(_) if name.contains(&b'.') => None,
                        Some(next) => self.value(it, next),
                        None => it.pass(),
                    }
                })
            }
            _ if index.paths.is_asked(spot) => {
                let value = Scalar::of(scanner.value()?)?;
                index.look_up(spot, &value, &mut self.candidates);
                self.come_to(spot, Some(value))
            }
            _ => {
                self.come_to(spot, None)?;
                scanner.pass()
            }
        }
    }

    fn come_to(&mut self, spot: Spot, value: Option<Scalar<'e>>) -> Option<()> {
        if self.seen.iter().any(|it| it.0 == spot) {
            return None;
        }
        self.seen.push((spot, value));
        Some(())
    }

    /// Notes an attribute down and looks it up. There are no two of a name.
    fn note(&mut self, spot: Spot, value: Scalar<'e>) {
        self.index.look_up(spot, &value, &mut self.candidates);
        self.seen.push((spot, Some(value)));
    }
}

impl Index {
    fn holds(&self, at: u32, combination: &Combination, seen: &[(Spot, Option<Scalar<'_>>)]) -> bool {
        let start = match at.checked_sub(1) {
            Some(before) => self.combinations[before as usize].fields_end,
            None => 0,
        };
        let pattern = &self.patterns[combination.pattern as usize];
        self.fields[start as usize..combination.fields_end as usize].iter().all(|field| {
            let value = seen.iter().find(|it| it.0 == field.spot).and_then(|it| it.1.as_ref());
            pattern.wants(field.number as usize).hold(value)
        })
    }
}
