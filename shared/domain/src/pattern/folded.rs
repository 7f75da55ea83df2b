//! Text compared without regard to case, letter by letter, as EventBridge does it.

/// A text whose every letter stands for its lower and its upper case.
///
/// The relation is not symmetric: `straße` accepts `STRASSE`, for the upper case of ß is SS, and not the other way round.
/// No letter's two spellings begin or end with one another, so the first that fits is the only one.
///
/// Source: aws/event-ruler 2.0.1, `EqualsIgnoreCaseParser`. Letters beyond U+FFFF, which it cannot read, fold like others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folded(Vec<Letter>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Letter {
    lower: String,
    upper: String,
}

impl Folded {
    pub(super) fn new(text: &str) -> Folded {
        let fold =
            |it: char| Letter { lower: it.to_lowercase().collect(), upper: it.to_uppercase().collect() };
        Folded(text.chars().map(fold).collect())
    }

    /// The text in lower case, if no letter beyond ASCII is or equals any of its letters.
    pub(super) fn ascii(&self) -> Option<String> {
        let is_ascii = self.0.iter().all(|it| it.lower.is_ascii() && it.upper.is_ascii());
        is_ascii.then(|| self.0.iter().map(|it| it.lower.as_str()).collect())
    }

    pub(super) fn equals(&self, value: &str) -> bool {
        self.after(value).is_some_and(str::is_empty)
    }

    pub(super) fn begins(&self, value: &str) -> bool {
        self.after(value).is_some()
    }

    pub(super) fn ends(&self, value: &str) -> bool {
        let mut rest = Some(value);
        for Letter { lower, upper } in self.0.iter().rev() {
            rest = rest.and_then(|rest| {
                rest.strip_suffix(lower.as_str()).or_else(|| rest.strip_suffix(upper.as_str()))
            });
        }
        rest.is_some()
    }

    /// What is left of `value` behind this text, if it begins with it.
    fn after<'v>(&self, value: &'v str) -> Option<&'v str> {
        let mut rest = value;
        for Letter { lower, upper } in &self.0 {
            rest = rest.strip_prefix(lower.as_str()).or_else(|| rest.strip_prefix(upper.as_str()))?;
        }
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_letter_has_a_case_that_begins_or_ends_with_the_other() {
        for letter in char::MIN..=char::MAX {
            let (lower, upper) = (letter.to_lowercase().to_string(), letter.to_uppercase().to_string());
            let apart = |one: &str, other: &str| !one.starts_with(other) && !one.ends_with(other);
            assert!(lower == upper || (apart(&lower, &upper) && apart(&upper, &lower)), "{letter:?}");
        }
    }

    #[test]
    fn a_letter_may_change_its_length_with_its_case() {
        assert!(Folded::new("straße").equals("STRASSE"));
        assert!(Folded::new("straße").ends("DIE STRASSE"));
        assert!(!Folded::new("STRASSE").equals("straße"));
    }
}
