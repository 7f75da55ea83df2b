//! Filing patterns: which field of each combination tells it best from all others.

use std::collections::HashMap;

use super::attribute::PATHS;
use super::{Affix, Combination, Entry, Field, Index, Look, NONE};
use crate::pattern::Pattern;
use crate::pattern::paths::{Prints, Spot};
use crate::pattern::selection::{Kind, Selection, Selections};

/// The path of an event's payload in [`crate::event::Event::document`].
const DATA: &str = "detail.data";

/// So many candidates are asked more cheaply than a payload is looked through.
const WORTH_A_PAYLOAD: usize = 16;

/// A field that a combination can be filed under.
struct Drawer {
    combination: u32,
    spot: Spot,
    is_data: bool,
    selections: Vec<Selections>,
}

/// How many combinations have a selection.
#[derive(Default)]
struct Counts(HashMap<u64, usize, Prints>);

impl FromIterator<Pattern> for Index {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Index {
        let mut index = Index { patterns: patterns.into_iter().collect(), ..Index::default() };
        let mut drawers = Vec::with_capacity(index.patterns.len() * 2);
        for at in 0..index.patterns.len() {
            let pattern = index.patterns[at].clone();
            for alternative in 0..pattern.alternatives() {
                index.survey(at, &pattern, alternative, &mut drawers);
            }
        }
        let mut counts = Counts::default();
        for (first, second) in drawers.iter().flat_map(|drawer| &drawer.selections) {
            counts.add(*first);
            second.iter().for_each(|it| counts.add(*it));
        }
        index.looks = vec![Look::default(); index.paths.len()];
        let mut rest = drawers.as_slice();
        for at in 0..number(index.combinations.len()) {
            let (own, others) = rest.split_at(rest.iter().take_while(|it| it.combination == at).count());
            rest = others;
            match own.iter().min_by_key(|it| it.rank(&counts)) {
                Some(drawer) => index.file(drawer, &counts),
                None => index.unfiled.push(at),
            }
        }
        let found = PATHS.iter().filter_map(|(path, it)| Some((*it, index.paths.find(path)?)));
        index.attributes = found.collect();
        index.detail = index.paths.follow(index.paths.root(), b"detail");
        index.data = index.detail.and_then(|detail| index.paths.follow(detail, b"data"));
        index
    }
}

fn number(it: usize) -> u32 {
    u32::try_from(it).expect("fewer than 2^32 patterns, combinations and fields")
}

impl Index {
    /// Takes a combination in, and finds the fields that it could be filed under.
    fn survey(&mut self, at: usize, pattern: &Pattern, alternative: usize, drawers: &mut Vec<Drawer>) {
        let combination = number(self.combinations.len());
        let mut asks_data = false;
        pattern.fields(alternative, &mut |path, field| {
            let is_data =
                path.strip_prefix(DATA).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            asks_data |= is_data;
            let spot = self.paths.add(path);
            self.fields.push(Field { spot, number: number(field) });
            let selections = pattern.wants(field).selections(spot);
            drawers.extend(selections.map(|selections| Drawer { combination, spot, is_data, selections }));
        });
        let fields_end = number(self.fields.len());
        let (pattern, alternative) = (number(at), number(alternative));
        self.combinations.push(Combination { pattern, alternative, fields_end, asks_data });
    }

    fn file(&mut self, drawer: &Drawer, counts: &Counts) {
        self.files_data |= drawer.is_data;
        let look = &mut self.looks[drawer.spot.at()];
        for selection in drawer.selections.iter().map(|selection| counts.rarer(*selection)) {
            match selection.kind {
                Kind::Whole => look.whole = true,
                Kind::Folded => look.folded = true,
                Kind::Prefix { length, edge } => note(&mut look.prefixes, length, edge),
                Kind::Suffix { length, edge } => note(&mut look.suffixes, length, edge),
            }
            let at = number(self.entries.len());
            let next = self.first.insert(selection.print, at).unwrap_or(NONE);
            self.entries.push(Entry { combination: drawer.combination, next });
        }
    }
}

impl Drawer {
    /// The lower, the better: how many others share its values, and how much work it is to look there.
    fn rank(&self, counts: &Counts) -> (usize, bool, bool) {
        let rarer = || self.selections.iter().map(|selection| counts.rarer(*selection));
        let shared = rarer().map(|rarer| counts.of(rarer)).max().unwrap_or(0);
        let least = if self.is_data { WORTH_A_PAYLOAD } else { 1 };
        (shared.max(least), self.is_data, rarer().any(|it| it.kind != Kind::Whole))
    }
}

impl Counts {
    fn add(&mut self, selection: Selection) {
        *self.0.entry(selection.print).or_default() += 1;
    }

    fn of(&self, selection: Selection) -> usize {
        self.0.get(&selection.print).copied().unwrap_or(0)
    }

    /// The one of two selections that fewer have.
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
