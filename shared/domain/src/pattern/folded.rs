//! Case-insensitive comparison of text, character by character, as EventBridge does it.

/// A text in which each character accepts its lower and its upper case.
///
/// The relation is not symmetric: `straße` accepts `STRASSE`, because the upper case of ß is SS, but not the other
/// way round. For no character is one case a prefix or suffix of the other, so the first match is the only one.
///
/// Source: aws/event-ruler 2.0.1, `EqualsIgnoreCaseParser`. That implementation cannot read characters beyond U+FFFF.
/// Here they fold like all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folded(Vec<Letter>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Letter {
    lower: String,
    upper: String,
}

impl Folded {
    pub(super) fn new(text: &str) -> Folded {
        let fold = |c: char| Letter { lower: c.to_lowercase().collect(), upper: c.to_uppercase().collect() };
        Folded(text.chars().map(fold).collect())
    }

    /// The text in lower case, if neither case of any character contains a non-ASCII character.
    pub(super) fn ascii(&self) -> Option<String> {
        let is_ascii = self.0.iter().all(|letter| letter.lower.is_ascii() && letter.upper.is_ascii());
        is_ascii.then(|| self.0.iter().map(|letter| letter.lower.as_str()).collect())
    }

    pub(super) fn equals(&self, value: &str) -> bool {
        self.rest_of(value).is_some_and(str::is_empty)
    }

    pub(super) fn begins(&self, value: &str) -> bool {
        self.rest_of(value).is_some()
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

    /// The rest of `value` after this text. `None` if `value` does not begin with the text.
    fn rest_of<'v>(&self, value: &'v str) -> Option<&'v str> {
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
    fn no_case_is_a_prefix_or_suffix_of_the_other() {
        for letter in char::MIN..=char::MAX {
            let (lower, upper) = (letter.to_lowercase().to_string(), letter.to_uppercase().to_string());
            let apart = |one: &str, other: &str| !one.starts_with(other) && !one.ends_with(other);
            assert!(lower == upper || (apart(&lower, &upper) && apart(&upper, &lower)), "{letter:?}");
        }
    }

    #[test]
    fn case_may_change_the_length() {
        assert!(Folded::new("straße").equals("STRASSE"));
        assert!(Folded::new("straße").ends("DIE STRASSE"));
        assert!(!Folded::new("STRASSE").equals("straße"));
    }
}
