//! One event on its way through the index: what the patterns ask for is noted down, and looked up at once.

use std::borrow::Cow;

use super::{Affix, Candidate, Index, NONE};
use crate::event::{Event, Extension};
use crate::json::Scanner;
use crate::pattern::facts::{Facts, Scalar, What};
use crate::pattern::paths::Spot;
use crate::pattern::selection::{of_folded, of_prefix, of_scalar, of_suffix};

/// How deep a text may nest. An event is held to less when it is read.
const MAX_DEPTH: usize = 127;

pub(super) struct Walk<'i, 'e> {
    index: &'i Index,
    facts: Facts<'e>,
    candidates: Vec<Candidate>,
    /// When there are more candidates than this, there must be some twice.
    crowd: usize,
}

impl<'i, 'e> Walk<'i, 'e> {
    pub(super) fn new(index: &'i Index) -> Walk<'i, 'e> {
        let mut candidates = Vec::with_capacity(index.unfiled.len() + 16);
        candidates.extend_from_slice(&index.unfiled);
        let crowd = index.entries.len() + index.unfiled.len() + 64;
        Walk { index, facts: Facts::with_capacity(24), candidates, crowd }
    }

    /// Sees an event as [`Event::document`] shows it.
    pub(super) fn event(&mut self, event: &'e Event) {
        let root = self.index.paths.root();
        let open = self.facts.open(Cow::Borrowed(""), What::Object);
        self.text_member(root, "id", &event.id);
        self.text_member(root, "source", &event.source);
        self.text_member(root, "detail-type", &event.kind);
        self.made_member(root, "time", || event.time.to_string());
        if let Some(detail) = self.index.paths.follow(root, "detail") {
            let open = self.facts.open(Cow::Borrowed("detail"), What::Object);
            self.envelope(detail, event);
            self.payload(detail, event);
            self.facts.close(&open);
        }
        self.facts.close(&open);
    }

    fn envelope(&mut self, detail: Spot, event: &'e Event) {
        self.text_member(detail, "specversion", "1.0");
        self.text_member(detail, "id", &event.id);
        self.text_member(detail, "source", &event.source);
        self.text_member(detail, "type", &event.kind);
        self.made_member(detail, "time", || event.time.to_string());
        let texts = [
            ("subject", &event.subject),
            ("dataschema", &event.dataschema),
            ("tenant", &event.tenant),
            ("correlationid", &event.correlation_id),
            ("causationid", &event.causation_id),
            ("actor", &event.actor),
            ("traceparent", &event.traceparent),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                self.text_member(detail, name, value);
            }
        }
        if let Some(priority) = event.priority {
            self.text_member(detail, "priority", priority.name());
        }
        if let Some(sequence) = event.sequence {
            self.made_member(detail, "sequence", || sequence.to_string());
        }
        if let Some(expiry) = event.expiry_time {
            self.made_member(detail, "expirytime", || expiry.to_string());
        }
        for (name, value) in &event.extensions {
            let scalar = match value {
                Extension::Bool(it) => Scalar::Bool(*it),
                Extension::Integer(it) => Scalar::Number((*it).into()),
                Extension::Text(it) => Scalar::Text(Cow::Borrowed(it)),
            };
            self.member(detail, name, || scalar);
        }
    }

    /// Looks into the payload if anything is filed there, or if what was found so far asks for it.
    fn payload(&mut self, detail: Spot, event: &'e Event) {
        let Some(data) = &event.data else {
            return;
        };
        self.text_member(detail, "datacontenttype", "application/json");
        let Some(spot) = self.index.paths.follow(detail, "data") else {
            return;
        };
        if self.index.files_data || self.candidates.iter().any(|it| it.asks_data) {
            let mut scanner = Scanner::new(data.text());
            let seen = self.value(&mut scanner, Cow::Borrowed("data"), spot, 0);
            debug_assert!(seen.is_some(), "a payload is JSON that can be held");
        }
    }

    /// Sees a JSON text.
    pub(super) fn text(&mut self, event: &'e str) -> Option<()> {
        let mut scanner = Scanner::new(event);
        self.value(&mut scanner, Cow::Borrowed(""), self.index.paths.root(), 0)?;
        scanner.is_at_end().then_some(())
    }

    /// The patterns that match what was seen.
    pub(super) fn matching(mut self) -> Vec<usize> {
        self.settle();
        let mut found: Vec<usize> = Vec::with_capacity(self.candidates.len());
        for it in &self.candidates {
            let at = it.pattern as usize;
            // One combination is enough.
            if found.last() != Some(&at)
                && self.index.patterns[at].holds(it.alternative as usize, self.facts.root())
            {
                found.push(at);
            }
        }
        found
    }

    fn settle(&mut self) {
        self.candidates.sort_unstable();
        self.candidates.dedup();
    }

    fn text_member(&mut self, from: Spot, name: &'static str, text: &'e str) {
        self.member(from, name, || Scalar::Text(Cow::Borrowed(text)));
    }

    fn made_member(&mut self, from: Spot, name: &'static str, make: impl FnOnce() -> String) {
        self.member(from, name, || Scalar::Text(Cow::Owned(make())));
    }

    fn member(&mut self, from: Spot, name: &'e str, value: impl FnOnce() -> Scalar<'e>) {
        if let Some(spot) = self.index.paths.follow(from, name) {
            self.note(spot, Cow::Borrowed(name), value());
        }
    }

    /// Passes over a value that stands at `spot`, noting down what is asked for.
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
                let open = self.facts.open(name, What::Object);
                scanner.members(|it, name| {
                    let name = name.text()?;
                    match index.paths.follow(spot, &name) {
                        Some(next) => self.value(it, name, next, depth + 1),
                        None => it.value().map(drop),
                    }
                })?;
                self.facts.close(&open);
                Some(())
            }
            b'[' => {
                let open = self.facts.open(name, What::Array);
                scanner.elements(|it| self.value(it, Cow::Borrowed(""), spot, depth + 1))?;
                self.facts.close(&open);
                Some(())
            }
            _ => {
                let raw = scanner.value()?;
                if index.paths.is_asked(spot) {
                    self.note(spot, name, Scalar::of(raw)?);
                } else {
                    // It stands where patterns ask for an object, and hides an object of that name before it.
                    self.facts.push(name, Scalar::Null);
                }
                Some(())
            }
        }
    }

    /// Notes a value down and looks it up.
    fn note(&mut self, spot: Spot, name: Cow<'e, str>, value: Scalar<'e>) {
        self.look_up(spot, &value);
        self.facts.push(name, value);
    }

    fn look_up(&mut self, spot: Spot, value: &Scalar<'_>) {
        let index = self.index;
        let look = &index.looks[spot.at()];
        if look.whole {
            self.find(of_scalar(value, spot));
        }
        let Scalar::Text(text) = value else {
            return;
        };
        if look.folded {
            self.find(of_folded(&text.to_ascii_lowercase(), spot));
        }
        let bytes = text.as_bytes();
        for Affix { length, edges } in &look.prefixes {
            if let Some(head @ [.., edge]) = bytes.get(..*length)
                && edges & Affix::bit(*edge) != 0
            {
                self.find(of_prefix(head, spot));
            }
        }
        for Affix { length, edges } in &look.suffixes {
            let start = bytes.len().checked_sub(*length);
            if let Some(tail @ [edge, ..]) = start.and_then(|it| bytes.get(it..))
                && edges & Affix::bit(*edge) != 0
            {
                self.find(of_suffix(tail, spot));
            }
        }
    }

    /// Takes everything that is filed under a fingerprint.
    fn find(&mut self, print: u64) {
        let index = self.index;
        let mut next = index.first.get(&print).copied().unwrap_or(NONE);
        while let Some(entry) = index.entries.get(next as usize) {
            self.candidates.push(entry.candidate);
            next = entry.next;
        }
        // A list in an event may name one value a thousand times.
        if self.candidates.len() > self.crowd * 2 {
            self.settle();
        }
    }
}
