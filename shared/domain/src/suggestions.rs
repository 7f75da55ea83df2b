//! The known word that a writer probably meant.

/// So many known words are all listed; of more only the nearest.
const LISTED: usize = 30;

/// How many of many are listed.
const NEAREST: usize = 5;

/// How alike two words have to be, 0 to 1, for one to be offered in place of the other.
const ALIKE: f64 = 0.6;

/// The known word most like `found`, if any is like it.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for word in known {
        let likeness = strsim::normalized_damerau_levenshtein(&found, &word.to_lowercase());
        if likeness >= ALIKE && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, word));
        }
    }
    best.map(|(_, word)| word)
}

/// "did you mean `x`?" where one word is near, and what there is where none is: the nearest where that is much.
#[must_use]
pub fn suggestion(found: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.len() <= LISTED => format!("it is one of {}", listed(known)),
        None => {
            let near = most_alike(found, known);
            format!("the nearest of {} are {}", known.len(), listed(&near))
        }
    }
}

/// The words that are most like `found`, the most alike first.
fn most_alike<'a>(found: &str, known: &[&'a str]) -> Vec<&'a str> {
    let found = found.to_lowercase();
    let likeness = |word: &&str| strsim::jaro_winkler(&found, &word.to_lowercase());
    let mut near: Vec<&str> = known.to_vec();
    near.sort_by(|one, other| likeness(other).total_cmp(&likeness(one)));
    near.truncate(NEAREST);
    near
}

/// Words as a sentence lists them.
#[must_use]
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
