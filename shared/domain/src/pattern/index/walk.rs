//! The complete matcher: builds a tree of all values that patterns use, including arrays.

use std::borrow::Cow;

use super::attribute::PATHS;
use super::{Candidates, Index};
use crate::base::json::Scanner;
use crate::event::{Event, Extension};
use crate::pattern::facts::{Facts, Scalar, What};
use crate::pattern::paths::Spot;

/// The deepest accepted nesting. Events have a lower limit when they are read.
const MAX_DEPTH: usize = 127;

pub(super) struct Walk<'i, 'e> {
    index: &'i Index,
    candidates: Candidates,
    facts: Facts<'e>,
}

impl<'i, 'e> Walk<'i, 'e> {
    pub(super) fn new(index: &'i Index) -> Walk<'i, 'e> {
        Walk { index, candidates: Candidates::of(index), facts: Facts::with_capacity(32) }
    }

    /// Reads an event in the form of [`Event::document`].
    pub(super) fn event(&mut self, event: &'e Event) {
        let root = self.index.paths.root();
        let document = self.facts.open(Cow::Borrowed(""), What::Object);
        self.attributes(root, "", event);
        if let Some(detail) = self.index.detail {
            let envelope = self.facts.open(Cow::Borrowed("detail"), What::Object);
            self.attributes(detail, "detail.", event);
            self.extensions(detail, event);
            if let (Some(spot), Some(data)) = (self.index.data, &event.data)
                && self.candidates.needs_data(self.index)
            {
                let seen = self.value(&mut Scanner::new(data.text()), Cow::Borrowed("data"), spot, 0);
                debug_assert!(seen.is_some(), "payloads are checked when they are read");
            }
            self.facts.close(&envelope);
        }
        self.facts.close(&document);
    }

    /// Reads the attributes directly below a path.
    fn attributes(&mut self, from: Spot, below: &str, event: &'e Event) {
        for (path, attribute) in PATHS {
            let name = path.strip_prefix(below).filter(|rest| !rest.contains('.'));
            let spot = name.and_then(|name| self.index.paths.follow(from, name.as_bytes()));
            if let (Some(name), Some(spot), Some(value)) = (name, spot, attribute.of(event)) {
                self.note(spot, Cow::Borrowed(name), value);
            }
        }
    }

    fn extensions(&mut self, detail: Spot, event: &'e Event) {
        for (name, value) in &event.extensions {
            if let Some(spot) = self.index.paths.follow(detail, name.as_bytes()) {
                let value = match value {
                    Extension::Bool(flag) => Scalar::Bool(*flag),
                    Extension::Integer(integer) => Scalar::Number((*integer).into()),
                    Extension::Text(text) => Scalar::Text(Cow::Borrowed(text)),
                };
                self.note(spot, Cow::Borrowed(name), value);
            }
        }
    }

    /// Reads a JSON text.
    pub(super) fn text(&mut self, event: &'e str) -> Option<()> {
        let mut scanner = Scanner::new(event);
        self.value(&mut scanner, Cow::Borrowed(""), self.index.paths.root(), 0)?;
        scanner.is_at_end().then_some(())
    }

    /// The patterns that match the values.
    pub(super) fn matching(self) -> Vec<usize> {
        let Walk { index, candidates, facts } = self;
        candidates.matching(index, |_, combination| {
            index.patterns[combination.pattern as usize].holds(combination.alternative as usize, facts.root())
        })
    }

    /// Reads a value at `spot` and records the values that patterns use.
    fn value(
        &mut self,
        scanner: &mut Scanner<'e>,
        name: Cow<'e, str>,
        spot: Spot,
        depth: usize,
    ) -> Option<()> {
        let index = self.index;
        match scanner.peek()? {
            b'{' | b'[' if depth == MAX_DEPTH => None,
            b'{' => {
                let object = self.facts.open(name, What::Object);
                scanner.members(|members, name| {
                    let name = name.text()?;
                    match index.paths.follow(spot, name.as_bytes()) {
                        Some(next) => self.value(members, name, next, depth + 1),
                        None => members.pass(),
                    }
                })?;
                self.facts.close(&object);
                Some(())
            }
            b'[' => {
                let array = self.facts.open(name, What::Array);
                scanner.elements(|scanner| self.value(scanner, Cow::Borrowed(""), spot, depth + 1))?;
                self.facts.close(&array);
                Some(())
            }
            _ if index.paths.is_asked(spot) => {
                let value = Scalar::of(scanner.value()?)?;
                self.note(spot, name, value);
                Some(())
            }
            _ => {
                // A scalar where patterns expect an object. It hides an earlier object of the same name.
                self.facts.push(name, Scalar::Null);
                scanner.pass()
            }
        }
    }

    /// Records a value and looks it up.
    fn note(&mut self, spot: Spot, name: Cow<'e, str>, value: Scalar<'e>) {
        self.index.look_up(spot, &value, &mut self.candidates);
        self.facts.push(name, value);
    }
}
