//! Builds the index: chooses the most selective field of each combination.

use std::collections::HashMap;

use super::attribute::PATHS;
use super::{Affix, Combination, Entry, Field, Index, Look, NONE};
use crate::pattern::Pattern;
use crate::pattern::paths::{Prints, Spot};
use crate::pattern::selection::{Kind, Selection, Selections};

/// The path of the payload in [`crate::event::Event::document`].
const DATA: &str = "detail.data";

/// The number of candidates whose comparison costs as much as scanning a payload.
const PAYLOAD_SCAN_COST: usize = 16;

/// A field under which a combination can be indexed.
struct IndexableField {
    combination: u32,
    spot: Spot,
    is_data: bool,
    selections: Vec<Selections>,
}

/// The number of combinations with each selection.
#[derive(Default)]
struct Counts(HashMap<u64, usize, Prints>);

impl FromIterator<Pattern> for Index {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Index {
        let mut index = Index { patterns: patterns.into_iter().collect(), ..Index::default() };
        let mut fields = Vec::with_capacity(index.patterns.len() * 2);
        for position in 0..index.patterns.len() {
            let pattern = index.patterns[position].clone();
            for alternative in 0..pattern.alternatives() {
                index.add_combination(position, &pattern, alternative, &mut fields);
            }
        }
        let mut counts = Counts::default();
        for (first, second) in fields.iter().flat_map(|field| &field.selections) {
            counts.add(*first);
            second.iter().for_each(|selection| counts.add(*selection));
        }
        index.looks = vec![Look::default(); index.paths.len()];
        let mut rest = fields.as_slice();
        for combination in 0..number(index.combinations.len()) {
            let (own, others) =
                rest.split_at(rest.iter().take_while(|field| field.combination == combination).count());
            rest = others;
            match own.iter().min_by_key(|field| field.rank(&counts)) {
                Some(field) => index.file(field, &counts),
                None => index.unindexed.push(combination),
            }
        }
        let found = PATHS.iter().filter_map(|(path, attribute)| Some((*attribute, index.paths.find(path)?)));
        index.attributes = found.collect();
        index.detail = index.paths.follow(index.paths.root(), b"detail");
        index.data = index.detail.and_then(|detail| index.paths.follow(detail, b"data"));
        index
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 patterns, combinations and fields")
}

impl Index {
    /// Adds a combination, and collects the fields under which it can be indexed.
    fn add_combination(
        &mut self,
        position: usize,
        pattern: &Pattern,
        alternative: usize,
        fields: &mut Vec<IndexableField>,
    ) {
        let combination = number(self.combinations.len());
        let mut uses_data = false;
        pattern.fields(alternative, &mut |path, field| {
            let is_data =
                path.strip_prefix(DATA).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            uses_data |= is_data;
            let spot = self.paths.add(path);
            self.fields.push(Field { spot, number: number(field) });
            let selections = pattern.wants(field).selections(spot);
            fields.extend(selections.map(|selections| IndexableField {
                combination,
                spot,
                is_data,
                selections,
            }));
        });
        let fields_end = number(self.fields.len());
        let (pattern, alternative) = (number(position), number(alternative));
        self.combinations.push(Combination { pattern, alternative, fields_end, uses_data });
    }

    fn file(&mut self, field: &IndexableField, counts: &Counts) {
        self.indexes_data |= field.is_data;
        let look = &mut self.looks[field.spot.at()];
        for selection in field.selections.iter().map(|selection| counts.rarer(*selection)) {
            match selection.kind {
                Kind::Whole => look.whole = true,
                Kind::Folded => look.folded = true,
                Kind::Prefix { length, edge } => note(&mut look.prefixes, length, edge),
                Kind::Suffix { length, edge } => note(&mut look.suffixes, length, edge),
            }
            let entry = number(self.entries.len());
            let next = self.first.insert(selection.print, entry).unwrap_or(NONE);
            self.entries.push(Entry { combination: field.combination, next });
        }
    }
}

impl IndexableField {
    /// The cost of the field, lower is better: the number of combinations that share its values, and the work of the
    /// lookup.
    fn rank(&self, counts: &Counts) -> (usize, bool, bool) {
        let rarer = || self.selections.iter().map(|selection| counts.rarer(*selection));
        let shared = rarer().map(|rarer| counts.of(rarer)).max().unwrap_or(0);
        let least = if self.is_data { PAYLOAD_SCAN_COST } else { 1 };
        (shared.max(least), self.is_data, rarer().any(|selection| selection.kind != Kind::Whole))
    }
}

impl Counts {
    fn add(&mut self, selection: Selection) {
        *self.0.entry(selection.print).or_default() += 1;
    }

    fn of(&self, selection: Selection) -> usize {
        self.0.get(&selection.print).copied().unwrap_or(0)
    }

    /// The selection that fewer combinations have.
    fn rarer(&self, (first, second): Selections) -> Selection {
        second.filter(|second| self.of(*second) < self.of(first)).unwrap_or(first)
    }
}

fn note(affixes: &mut Vec<Affix>, length: usize, edge: u8) {
    match affixes.iter_mut().find(|affix| affix.length == length) {
        Some(affix) => affix.edges |= Affix::bit(edge),
        None => affixes.push(Affix { length, edges: Affix::bit(edge) }),
    }
}
