//! Suggestions of known words for misspelt ones.

/// Up to this number of known words, all are listed. Otherwise only the most similar ones.
const MAX_LISTED: usize = 30;

/// Number of listed words if there are too many.
const LISTED_OF_MANY: usize = 5;

/// Minimum similarity of a suggestion, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.6;

/// The known word that is most similar to `found`, if one is similar enough.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for word in known {
        let similarity = strsim::normalized_damerau_levenshtein(&found, &word.to_lowercase());
        if similarity >= MIN_SIMILARITY && best.is_none_or(|(most, _)| similarity > most) {
            best = Some((similarity, word));
        }
    }
    best.map(|(_, word)| word)
}

/// Returns "did you mean `x`?" if one word is similar. Otherwise lists the known words, or the most similar ones of
/// many.
#[must_use]
pub fn suggestion(found: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.len() <= MAX_LISTED => format!("it is one of {}", listed(known)),
        None => {
            let similar = most_similar(found, known);
            format!("the nearest of {} are {}", known.len(), listed(&similar))
        }
    }
}

/// The words that are most similar to `found`, in descending order.
fn most_similar<'a>(found: &str, known: &[&'a str]) -> Vec<&'a str> {
    let found = found.to_lowercase();
    let similarity = |word: &&str| strsim::jaro_winkler(&found, &word.to_lowercase());
    let mut similar: Vec<&str> = known.to_vec();
    similar.sort_by(|one, other| similarity(other).total_cmp(&similarity(one)));
    similar.truncate(LISTED_OF_MANY);
    similar
}

/// Words as a list in a sentence.
#[must_use]
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
