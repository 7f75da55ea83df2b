//! Filing patterns: which field of each combination tells it best from all others.

use std::collections::HashMap;

use super::{Affix, Candidate, Entry, Index, Look, NONE};
use crate::pattern::paths::{Paths, Prints, Spot};
use crate::pattern::{Kind, Pattern, Selection};

/// The path of an event's payload in [`crate::event::Event::document`].
const DATA: &str = "detail.data";

/// So many candidates are asked more cheaply than a payload is looked through.
const WORTH_A_PAYLOAD: usize = 16;

/// A field that a combination can be filed under.
struct Field {
    spot: Spot,
    is_data: bool,
    selections: Vec<Selection>,
}

impl FromIterator<Pattern> for Index {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Index {
        let patterns: Vec<Pattern> = patterns.into_iter().collect();
        let mut paths = Paths::default();
        let mut combinations = Vec::with_capacity(patterns.len());
        let mut counts: HashMap<u64, usize, Prints> = HashMap::default();
        for (at, pattern) in patterns.iter().enumerate() {
            for alternative in 0..pattern.alternatives() {
                let (candidate, fields) = survey(at, pattern, alternative, &mut paths);
                for it in fields.iter().flat_map(|it| &it.selections) {
                    *counts.entry(it.print).or_default() += 1;
                }
                combinations.push((candidate, fields));
            }
        }
        let mut index =
            Index { patterns, looks: vec![Look::default(); paths.len()], paths, ..Index::default() };
        for (candidate, fields) in combinations {
            match fields.into_iter().min_by_key(|it| it.rank(&counts)) {
                Some(field) => index.file(candidate, &field),
                None => index.unfiled.push(candidate),
            }
        }
        index
    }
}

/// What a combination asks for, and by which fields it could be found.
fn survey(at: usize, pattern: &Pattern, alternative: usize, paths: &mut Paths) -> (Candidate, Vec<Field>) {
    let mut fields = Vec::new();
    let mut asks_data = false;
    pattern.fields(alternative, &mut |path, wants| {
        let is_data = path.strip_prefix(DATA).is_some_and(|it| it.is_empty() || it.starts_with('.'));
        asks_data |= is_data;
        let spot = paths.add(path);
        fields.extend(wants.selections(spot).map(|selections| Field { spot, is_data, selections }));
    });
    let number = |it: usize| u32::try_from(it).expect("fewer patterns and combinations than 2^32");
    (Candidate { pattern: number(at), alternative: number(alternative), asks_data }, fields)
}

impl Field {
    /// The lower, the better: how many others share its values, and how much work it is to look there.
    fn rank(&self, counts: &HashMap<u64, usize, Prints>) -> (usize, bool, bool) {
        let shared = self.selections.iter().map(|it| counts.get(&it.print).copied().unwrap_or(0)).max();
        let least = if self.is_data { WORTH_A_PAYLOAD } else { 1 };
        let is_part = self.selections.iter().any(|it| it.kind != Kind::Whole);
        (shared.unwrap_or(0).max(least), self.is_data, is_part)
    }
}

impl Index {
    fn file(&mut self, candidate: Candidate, field: &Field) {
        self.files_data |= field.is_data;
        let look = &mut self.looks[field.spot.at()];
        for selection in &field.selections {
            match selection.kind {
                Kind::Whole => look.whole = true,
                Kind::Folded => look.folded = true,
                Kind::Prefix { length, edge } => note(&mut look.prefixes, length, edge),
                Kind::Suffix { length, edge } => note(&mut look.suffixes, length, edge),
            }
            let at = u32::try_from(self.entries.len()).expect("fewer values than 2^32");
            let next = self.first.insert(selection.print, at).unwrap_or(NONE);
            self.entries.push(Entry { candidate, next });
        }
    }
}

fn note(affixes: &mut Vec<Affix>, length: usize, edge: u8) {
    match affixes.iter_mut().find(|it| it.length == length) {
        Some(it) => it.edges |= Affix::bit(edge),
        None => affixes.push(Affix { length, edges: Affix::bit(edge) }),
    }
}
