//! The fast matcher: for events with at most one value at each path of a pattern.

use crate::base::json::Scanner;
use crate::event::{Event, Extension};
use crate::pattern::facts::Scalar;
use crate::pattern::paths::Spot;

use super::{Candidates, Combination, Index};

/// The values of an event so far. A method returns `None` for an array, a name with dots or a duplicate name at a path
/// of a pattern. Such events need [`super::walk::Walk`].
pub(super) struct Glance<'i, 'e> {
    index: &'i Index,
    candidates: Candidates,
    /// Every visited position, with its value unless it is an object.
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
            && self.candidates.needs_data(index)
        {
            self.value(&mut Scanner::new(data.text()), spot)?;
        }
        Some(())
    }

    fn extensions(&mut self, detail: Spot, event: &'e Event) {
        for (name, value) in &event.extensions {
            if let Some(spot) = self.index.paths.follow(detail, name.as_bytes()) {
                let value = match value {
                    Extension::Bool(flag) => Scalar::Bool(*flag),
                    Extension::Integer(integer) => Scalar::Number((*integer).into()),
                    Extension::Text(text) => Scalar::Text(text.into()),
                };
                self.note(spot, value);
            }
        }
    }

    pub(super) fn text(&mut self, event: &'e str) -> Option<()> {
        let mut scanner = Scanner::new(event);
        // Only an object can match.
        scanner.peek().filter(|byte| *byte == b'{')?;
        self.value(&mut scanner, self.index.paths.root())?;
        scanner.is_at_end().then_some(())
    }

    /// The patterns that match the values.
    pub(super) fn matching(self) -> Vec<usize> {
        let Glance { index, candidates, seen } = self;
        candidates.matching(index, |number, combination| index.holds(number, combination, &seen))
    }

    /// Reads a value at `spot`. Recursion is limited by the depth of the patterns.
    fn value(&mut self, scanner: &mut Scanner<'e>, spot: Spot) -> Option<()> {
        let index = self.index;
        match scanner.peek()? {
            b'[' => None,
            b'{' => {
                self.visit(spot, None)?;
                scanner.members(|members, name| {
                    // An escaped name may contain a dot.
                    let name = name.plain_bytes()?;
                    match index.paths.follow(spot, name) {
                        Some(_) if name.contains(&b'.') => None,
                        Some(next) => self.value(members, next),
                        None => members.pass(),
                    }
                })
            }
            _ if index.paths.is_asked(spot) => {
                let value = Scalar::of(scanner.value()?)?;
                index.look_up(spot, &value, &mut self.candidates);
                self.visit(spot, Some(value))
            }
            _ => {
                self.visit(spot, None)?;
                scanner.pass()
            }
        }
    }

    fn visit(&mut self, spot: Spot, value: Option<Scalar<'e>>) -> Option<()> {
        if self.seen.iter().any(|seen| seen.0 == spot) {
            return None;
        }
        self.seen.push((spot, value));
        Some(())
    }

    /// Records an attribute and looks it up. Attribute names are unique.
    fn note(&mut self, spot: Spot, value: Scalar<'e>) {
        self.index.look_up(spot, &value, &mut self.candidates);
        self.seen.push((spot, Some(value)));
    }
}

impl Index {
    fn holds(&self, number: u32, combination: &Combination, seen: &[(Spot, Option<Scalar<'_>>)]) -> bool {
        let start = match number.checked_sub(1) {
            Some(before) => self.combinations[before as usize].fields_end,
            None => 0,
        };
        let pattern = &self.patterns[combination.pattern as usize];
        self.fields[start as usize..combination.fields_end as usize].iter().all(|field| {
            let value = seen.iter().find(|seen| seen.0 == field.spot).and_then(|seen| seen.1.as_ref());
            pattern.wants(field.number as usize).hold(value)
        })
    }
}
