//! The choice of the language for a recipient's message.
//!
//! Languages inherit as CLDR says: `zh-TW` from `zh-Hant` and never from `zh`, `es-MX` from `es-419`, `en-AU` from
//! `en-001`, `nn` from `no`. Outdated codes count as their successors (`iw` is `he`).
//!
//! Source: Unicode TS 35, "Locale Inheritance and Matching" and "Language Matching", with CLDR's data from ICU4X.

use icu_locale::fallback::LocaleFallbackConfig;
use icu_locale::subtags::{Region, region};
use icu_locale::{LanguageIdentifier, Locale, LocaleCanonicalizer, LocaleExpander, LocaleFallbacker};

/// The default language where the policy names none.
pub const DEFAULT: &str = "en";

/// Maximum length of a language tag in bytes.
///
/// Source: RFC 5646, section 4.4.1.
const MAX_TAG_BYTES: usize = 35;

/// Maximum number of inheritance steps. CLDR's longest chain has five.
const MAX_STEPS: usize = 10;

/// A tag in the usual spelling: language in lower case, a two-letter region in upper case, a script capitalised.
#[must_use]
pub fn normalized(tag: &str) -> Option<String> {
    let parts: Vec<&str> = tag.split(['-', '_']).collect();
    let fits = |part: &&str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    if parts.len() > 4 || !parts.iter().all(fits) || parts[0].len() < 2 {
        return None;
    }
    let spelt = parts.iter().enumerate().map(|(index, part)| match (index, part.len()) {
        (1.., 2) => part.to_ascii_uppercase(),
        (1.., 4) => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
        _ => part.to_ascii_lowercase(),
    });
    Some(spelt.collect::<Vec<_>>().join("-"))
}

/// Whether a tag names a language: `de`, `pt_BR`, `zh-Hant-TW`. POSIX and Java spellings are accepted.
#[must_use]
pub fn is_tag(tag: &str) -> bool {
    parsed(tag).is_some()
}

/// The languages in which a template or a page is available.
#[derive(Debug, Clone, Default)]
pub struct Languages {
    written: Vec<Written>,
}

/// One available language and its position in CLDR's tree.
#[derive(Debug, Clone)]
struct Written {
    name: String,
    lineage: Vec<String>,
    rank: u8,
}

impl Languages {
    /// The languages by their tags, such as folder names. Names that are not language tags are never chosen.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Languages {
        let written = names.into_iter().filter_map(|name| {
            let tag = parsed(name)?;
            Some(Written { name: name.to_owned(), lineage: lineage(&tag), rank: rank(&tag) })
        });
        Languages { written: written.collect() }
    }

    /// The languages that suit a reader of `preferred`, closest first, followed by those that suit a reader of
    /// `default`.
    ///
    /// The search follows the reader's language and its ancestors. At each ancestor it takes the language itself,
    /// then the other languages below it. So `en-AU` prefers `en-GB` to `en`, and `de-CH` gets `de-AT` where there is
    /// no `de`.
    #[must_use]
    pub fn choices(&self, preferred: Option<&str>, default: &str) -> Vec<&str> {
        let mut choices = Vec::new();
        for tag in preferred.into_iter().chain([default]) {
            self.suiting(tag, &mut choices);
        }
        choices
    }

    /// The language that suits a reader of `preferred` best, if there is one.
    #[must_use]
    pub fn closest(&self, preferred: &str) -> Option<&str> {
        let mut choices = Vec::new();
        self.suiting(preferred, &mut choices);
        choices.first().copied()
    }

    fn suiting<'a>(&'a self, tag: &str, choices: &mut Vec<&'a str>) {
        let Some(tag) = parsed(tag) else { return };
        for ancestor in lineage(&tag) {
            let below = self.written.iter().filter_map(|written| {
                let steps = written.lineage.iter().position(|name| *name == ancestor)?;
                // The name is the last criterion, so that the choice is deterministic.
                Some((steps, written.rank, written.name.as_str()))
            });
            let mut below: Vec<(usize, u8, &str)> = below.collect();
            below.sort_unstable();
            for (.., name) in below {
                if !choices.contains(&name) {
                    choices.push(name);
                }
            }
        }
    }
}

/// The locale that formats the numbers and dates of a text. This is the reader's own locale where it refines the
/// text's language, otherwise the text's. A German text for `de-CH` has Swiss numbers, an English text does not.
#[must_use]
pub fn refined(text: &str, preferred: Option<&str>) -> String {
    let own = preferred.and_then(parsed);
    match (parsed(text), own) {
        (Some(text), Some(own)) if text.language == own.language && script(&text) == script(&own) => {
            own.to_string()
        }
        (Some(text), _) => text.to_string(),
        (None, _) => text.to_owned(),
    }
}

/// A locale and its ancestors in CLDR, closest first, without the root. Empty for text that is not a tag.
#[must_use]
pub fn ancestors(tag: &str) -> Vec<String> {
    parsed(tag).map_or_else(Vec::new, |tag| lineage(&tag))
}

/// A canonical tag without extensions.
fn parsed(tag: &str) -> Option<LanguageIdentifier> {
    // POSIX writes `pt_BR.UTF-8@euro`, Java `zh_TW_#Hant`.
    let tag = tag.split(['.', '@', '#']).next().unwrap_or_default().trim_end_matches('_');
    if tag.is_empty() || tag.len() > MAX_TAG_BYTES {
        return None;
    }
    let mut locale = Locale::try_from_str(&tag.replace('_', "-")).ok()?;
    LocaleCanonicalizer::new_common().canonicalize(&mut locale);
    (!locale.id.language.is_unknown()).then_some(locale.id)
}

/// The language and its ancestors, closest first, without the root.
fn lineage(tag: &LanguageIdentifier) -> Vec<String> {
    let fallbacker = LocaleFallbacker::new().for_config(LocaleFallbackConfig::default());
    let mut steps = fallbacker.fallback_for(tag.into());
    let mut lineage = Vec::new();
    while !steps.get().is_unknown() && lineage.len() < MAX_STEPS {
        lineage.push(steps.get().to_string());
        steps.step();
    }
    lineage
}

/// The script of a language.
fn script(tag: &LanguageIdentifier) -> Option<String> {
    let mut whole = tag.clone();
    LocaleExpander::new_common().maximize(&mut whole);
    whole.script.map(|script| script.to_string())
}

/// The rank of a region among the regions of a language: first CLDR's likely region, then `GB`, then any other.
///
/// Source: CLDR, `likelySubtags`, and `paradigmLocales` of `languageMatching`.
fn rank(tag: &LanguageIdentifier) -> u8 {
    const BRITAIN: Region = region!("GB");
    let Some(region) = tag.region else { return 0 };
    let expander = LocaleExpander::new_common();
    let mut likely = tag.clone();
    // The script is determined first: `zh-TW` is a region of `zh-Hant`, not of `zh`.
    expander.maximize(&mut likely);
    likely.region = None;
    expander.maximize(&mut likely);
    match region {
        _ if likely.region == Some(region) => 1,
        BRITAIN => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests;
