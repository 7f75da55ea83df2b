//! Corrections to ICU4X where its output differs from CLDR.
//!
//! ICU4X 2.4 builds dates from fields, while CLDR has a whole pattern for each length. ICU4X also lacks symbols for
//! money (`currencyGroup`, `currencyDecimal`), the percent signs of numbering systems, and symbols that equal the
//! currency code. The table beside this file lists the visible differences.
//!
//! Source: CLDR 48 as in ICU 78. `tests/interop/intl.py` compares the two.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use domain::base::locale::ancestors;

use super::patterns::Pattern;
use super::times::Style;

/// Each line has a locale, a subject, and CLDR's value: `pt-PT full EEEE, d 'de' MMMM 'de' y`. A locale without a
/// line uses those of its closest ancestor. `=` means no correction.
const TABLE: &str = include_str!("cldr/table.txt");

/// The lines by locale and subject.
fn table() -> &'static BTreeMap<(&'static str, &'static str), &'static str> {
    static LINES: OnceLock<BTreeMap<(&str, &str), &str>> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        let parts = lines.filter_map(|line| {
            let (locale, rest) = line.split_once(' ')?;
            let (subject, value) = rest.split_once(' ')?;
            Some(((locale, subject), value))
        });
        parts.collect()
    })
}

/// CLDR's value for a locale, if it differs from the output of ICU4X.
fn entry(tag: &str, subject: &str) -> Option<&'static str> {
    let found = ancestors(tag).iter().find_map(|name| table().get(&(name.as_str(), subject)).copied());
    found.filter(|value| *value != "=")
}

/// The pattern of a date.
pub(super) fn date_pattern(tag: &str, style: Style) -> Option<Pattern> {
    let subject = match style {
        Style::Short => "short",
        Style::Medium => "medium",
        Style::Long => "long",
        Style::Full => "full",
    };
    Pattern::read(entry(tag, subject)?).ok()
}

/// The pattern of a time of day.
pub(super) fn time_pattern(tag: &str) -> Option<Pattern> {
    Pattern::read(entry(tag, "time")?).ok()
}

/// Whether a currency is written by its code in this locale, although it has a symbol elsewhere.
pub(super) fn is_written_by_code(tag: &str, currency: &str) -> bool {
    entry(tag, "codes").is_some_and(|codes| codes.split(' ').any(|code| code == currency))
}

/// CLDR's marks for money: between digit groups, and before the fraction.
pub(super) fn money_marks(tag: &str) -> Option<(&'static str, &'static str)> {
    entry(tag, "money")?.split_once('/')
}

/// Replaces the percent sign that ICU4X writes.
pub(super) fn percent(tag: &str, text: String) -> String {
    let Some(sign) = entry(tag, "percent") else { return text };
    let marked =
        ["\u{200e}%\u{200e}", "٪\u{61c}", "٪", "%"].into_iter().find(|written| text.contains(written));
    marked.map_or_else(|| text.clone(), |written| text.replace(written, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_valid() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let parts: Vec<&str> = line.splitn(3, ' ').collect();
            let [locale, subject, value] = parts[..] else { panic!("{line}") };
            assert_eq!(ancestors(locale).first().map(String::as_str), Some(locale), "{line}");
            match subject {
                "short" | "medium" | "long" | "full" | "time" if value != "=" => {
                    assert!(Pattern::read(value).is_ok(), "{line}");
                }
                "short" | "medium" | "long" | "full" | "time" | "codes" | "money" | "percent" => {}
                _ => panic!("{line}"),
            }
        }
    }
}
