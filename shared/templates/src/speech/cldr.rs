//! What ICU4X writes otherwise than CLDR.
//!
//! ICU4X 2.4 builds dates from fields, where CLDR has a whole pattern for each length, and it knows no symbols of its own
//! for money (`currencyGroup`, `currencyDecimal`), no percent sign of a numbering system, and no symbol that is the code
//! itself. The table beside this file has the places where that is seen.
//!
//! Source: CLDR 48 as ICU 78 has it; `tests/interop/intl.py` compares the two.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use domain::locale::ancestors;

use super::patterns::Pattern;
use super::times::Style;

/// A line has a locale, what it is about, and what CLDR has: `pt-PT full EEEE, d 'de' MMMM 'de' y`. A locale without a
/// line has those of its closest ancestor; `=` is as ICU4X writes it.
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

/// What CLDR has for a locale, where that is not as ICU4X writes it.
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

/// Whether a currency is written by its code, although it has a symbol elsewhere.
pub(super) fn is_written_by_code(tag: &str, currency: &str) -> bool {
    entry(tag, "codes").is_some_and(|codes| codes.split(' ').any(|code| code == currency))
}

/// The marks of a number in money, as CLDR has them: what stands between groups, and before the fraction.
pub(super) fn money_marks(tag: &str) -> Option<(&'static str, &'static str)> {
    entry(tag, "money")?.split_once('/')
}

/// The sign for percent, in place of the one that ICU4X writes.
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
    fn every_line_of_the_table_is_read() {
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
