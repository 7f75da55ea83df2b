//! The known word that somebody probably meant.

/// So many known words are all listed; of more only the nearest.
const LISTED: usize = 30;

/// How many of many are listed.
const NEAREST: usize = 5;

/// How alike two words have to be, 0 to 1, for one to be offered in place of the other.
const ALIKE: f64 = 0.6;

/// The known word most like `found`, if any is like it.
pub(crate) fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
pub(crate) fn suggestion(found: &str, known: &[&str]) -> String {
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

    #[test]
    fn of_many_words_only_the_nearest_are_listed() {
        let rules: Vec<String> = (0..93).map(|number| format!("rule-{number}")).collect();
        let known: Vec<&str> = rules.iter().map(String::as_str).chain(["rx-created", "rx-changed"]).collect();
        let said = suggestion("prescription-created-by-somebody", &known);
        assert!(said.starts_with("the nearest of 95 are ") && said.matches('`').count() == 10, "{said}");
        let said = suggestion("colour", &["rule", "channels"]);
        assert_eq!(said, "it is one of `rule`, `channels`");
    }

    #[track_caller]
    fn check(found: &str, expected: Option<&str>) {
        assert_eq!(nearest(found, ["rule", "channels", "template"]), expected, "{found}");
    }
}
