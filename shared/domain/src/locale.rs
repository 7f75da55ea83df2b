//! Which language a recipient reads.

/// Spoken by a template that has nothing closer.
pub const DEFAULT: &str = "en";

/// The locales to try, closest first: `pt-BR` → `pt-BR`, `pt`, `en`. Case and `_` against `-` do not matter
/// (BCP 47, section 2.1.1), and what is no language tag counts as none.
#[must_use]
pub fn chain(preferred: Option<&str>) -> Vec<String> {
    let mut chain = Vec::new();
    if let Some(tag) = preferred.and_then(normalized) {
        let mut rest = tag.as_str();
        loop {
            chain.push(rest.to_owned());
            let Some((shorter, _)) = rest.rsplit_once('-') else {
                break;
            };
            rest = shorter;
        }
    }
    if !chain.iter().any(|it| it == DEFAULT) {
        chain.push(DEFAULT.to_owned());
    }
    chain
}

/// A tag in the usual spelling: language in lower case, a two-letter region in upper case, a script capitalised.
#[must_use]
pub fn normalized(tag: &str) -> Option<String> {
    let parts: Vec<&str> = tag.split(['-', '_']).collect();
    let fits = |it: &&str| (1..=8).contains(&it.len()) && it.chars().all(|c| c.is_ascii_alphanumeric());
    if parts.len() > 4 || !parts.iter().all(fits) || parts[0].len() < 2 {
        return None;
    }
    let spelt = parts.iter().enumerate().map(|(at, part)| match (at, part.len()) {
        (1.., 2) => part.to_ascii_uppercase(),
        (1.., 4) => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
        _ => part.to_ascii_lowercase(),
    });
    Some(spelt.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_falls_back_to_its_language_and_then_to_the_default() {
        check(Some("pt-BR"), &["pt-BR", "pt", "en"]);
        check(Some("zh_hant_tw"), &["zh-Hant-TW", "zh-Hant", "zh", "en"]);
        check(Some("en-GB"), &["en-GB", "en"]);
        check(None, &["en"]);
        check(Some("../../etc"), &["en"]);
        check(Some(""), &["en"]);
    }

    #[track_caller]
    fn check(preferred: Option<&str>, expected: &[&str]) {
        assert_eq!(chain(preferred), expected, "{preferred:?}");
    }
}
