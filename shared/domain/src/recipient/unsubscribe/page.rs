//! The unsubscribe page, which an installation may customize: HTML with placeholders, one file per language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The languages with built-in phrases. Files for other languages are refused.
pub const LANGUAGES: [&str; 4] = ["en", "de", "fr", "pt"];

/// The layout version of [`PagesFile`].
pub const PAGES_FORMAT: u32 = 1;

/// The placeholders of a page.
const PLACEHOLDERS: [&str; 5] = ["lang", "title", "sender", "text", "button"];

/// Elements that the page's content security policy blocks, or that could send a form elsewhere.
const FORBIDDEN: [&str; 7] = ["<script", "<form", "<iframe", "<object", "<embed", "<link", "<base"];

/// The pages of an installation, as `carillon check --pages` writes them for the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagesFile {
    pub format: u32,
    /// HTML by language, one of [`LANGUAGES`]. A language without a page uses the built-in one.
    pub unsubscribe: BTreeMap<String, String>,
}

/// The reason why a page cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPage {
    #[error(
        "`{{{{` opens no placeholder; the placeholders are {{{{ lang }}}}, {{{{ title }}}}, {{{{ sender }}}}, {{{{ text }}}} and {{{{ button }}}}"
    )]
    Placeholder,
    #[error("`{{{{ {0} }}}}` must stand in the page exactly once")]
    Once(&'static str),
    #[error("`{0}` is not allowed: the page loads and runs nothing, and the button is its only form")]
    Element(&'static str),
}

/// The values of a page's placeholders. All except `button` are text and are escaped.
pub struct Values<'a> {
    pub lang: &'a str,
    pub title: &'a str,
    /// The sender's name. Empty if it is unknown.
    pub sender: &'a str,
    pub text: &'a str,
    /// HTML with a form and its button, or an empty text.
    pub button: &'a str,
}

/// Checks that a page can be filled.
///
/// # Errors
/// [`BadPage`] with the fault.
pub fn check(html: &str) -> Result<(), BadPage> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(BadPage::Placeholder)?;
        let known = PLACEHOLDERS
            .into_iter()
            .find(|placeholder| *placeholder == name.trim())
            .ok_or(BadPage::Placeholder)?;
        *found.entry(known).or_default() += 1;
        rest = after;
    }
    if let Some(name) = ["text", "button"].into_iter().find(|name| found.get(name) != Some(&1)) {
        return Err(BadPage::Once(name));
    }
    let lower = html.to_ascii_lowercase();
    match FORBIDDEN.into_iter().find(|element| lower.contains(element)) {
        Some(element) => Err(BadPage::Element(element)),
        None => Ok(()),
    }
}

/// Fills a page. A placeholder that [`check`] does not know stays unchanged.
#[must_use]
pub fn fill(html: &str, values: &Values<'_>) -> String {
    let mut filled = String::with_capacity(html.len() + values.button.len() + values.text.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match name.trim() {
            "lang" => filled.push_str(&escaped(values.lang)),
            "title" => filled.push_str(&escaped(values.title)),
            "sender" => filled.push_str(&escaped(values.sender)),
            "text" => filled.push_str(&escaped(values.text)),
            "button" => filled.push_str(values.button),
            _ => filled.push_str(&format!("{{{{{name}}}}}")),
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "<html lang=\"{{ lang }}\"><h1>{{title}}</h1><p>{{ sender }}</p>{{ text }}{{ button }}</html>";

    #[test]
    fn fill_escapes_values() {
        assert_eq!(check(PAGE), Ok(()));
        let values = Values {
            lang: "en",
            title: "<b>",
            sender: "A & B",
            text: "{{ button }}",
            button: "<form></form>",
        };
        let expected = "<html lang=\"en\"><h1>&lt;b&gt;</h1><p>A &amp; B</p>{{ button }}<form></form></html>";
        assert_eq!(fill(PAGE, &values), expected);
    }

    #[test]
    fn invalid_pages_are_refused() {
        assert_eq!(check("{{ text }}"), Err(BadPage::Once("button")));
        assert_eq!(check("{{ button }}"), Err(BadPage::Once("text")));
        assert_eq!(check("{{ text }}{{ text }}{{ button }}"), Err(BadPage::Once("text")));
        assert_eq!(check("{{ text }}{{ button }}{{ recipient }}"), Err(BadPage::Placeholder));
        assert_eq!(check("{{ text }}{{ button }}{{"), Err(BadPage::Placeholder));
        for (page, element) in [("<SCRIPT>", "<script"), ("<form action=x>", "<form"), ("<link>", "<link")] {
            assert_eq!(
                check(&format!("{page}{{{{ text }}}}{{{{ button }}}}")),
                Err(BadPage::Element(element))
            );
        }
    }
}
