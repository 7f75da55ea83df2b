//! The known word that somebody probably meant.

/// How alike two words have to be, 0 to 1, for one to be offered in place of the other.
const ALIKE: f64 = 0.6;

/// The known word most like `found`, if any is like it.
#[must_use]
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

/// "did you mean `x`?" where one word is near, and all of them where none is.
pub(crate) fn suggestion(found: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("it is one of {}", listed(known)),
    }
}

/// Words as a sentence lists them.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|it| format!("`{it}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_a_far_one_is_not() {
        check("chanels", Some("channels"));
        check("Channels", Some("channels"));
        check("tempalte", Some("template"));
        check("colour", None);
        check("", None);
    }

    #[track_caller]
    fn check(found: &str, expected: Option<&str>) {
        assert_eq!(nearest(found, ["rule", "channels", "template"]), expected, "{found}");
    }
}
