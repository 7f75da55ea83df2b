//! The unsubscribe page in a browser: no script, no external file, in the browser's language if
//! supported. An installation can bring its own pages, which `domain::recipient::unsubscribe::page` checks and
//! fills.

use std::collections::BTreeMap;
use std::path::Path;

use domain::recipient::unsubscribe::page::{BadPage, PAGES_FORMAT, PagesFile, Values, check, fill};

use super::phrases::Language;
pub(super) use super::phrases::Text;

/// An answer in HTML.
pub struct Page {
    pub status: u16,
    pub html: String,
}

/// The headers of every answer. They forbid external resources, framing, `Referer`, caches and search
/// engines.
pub(crate) const HEADERS: [(&str, &str); 6] = [
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("x-robots-tag", "noindex"),
];

/// The installation's own pages, by language.
#[derive(Default)]
pub struct Pages(BTreeMap<String, String>);

/// The function's file of pages is unusable.
#[derive(Debug, thiserror::Error)]
#[error("the pages in {path} are not usable: {why}; write them with `carillon check --pages`")]
pub struct PagesUnusable {
    path: String,
    why: String,
}

impl Pages {
    /// Reads `pages.json` in the function's folder. Without the file the built-in page is shown.
    ///
    /// # Errors
    /// [`PagesUnusable`] if the file exists and has another format.
    pub fn load(path: &Path) -> Result<Pages, PagesUnusable> {
        let unusable = |why: String| PagesUnusable { path: path.display().to_string(), why };
        if !path.exists() {
            return Ok(Pages::default());
        }
        let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        Pages::read(&text).map_err(unusable)
    }

    fn read(text: &str) -> Result<Pages, String> {
        let file: PagesFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.format != PAGES_FORMAT {
            return Err(format!("their format is {}, wanted {PAGES_FORMAT}", file.format));
        }
        for (language, html) in &file.unsubscribe {
            check(html).map_err(|bad: BadPage| format!("{language}: {bad}"))?;
        }
        Ok(Pages(file.unsubscribe))
    }
}

impl Page {
    pub(super) fn new(
        status: u16,
        language: Language,
        sender: Option<&str>,
        text: Text<'_>,
        pages: &Pages,
    ) -> Page {
        let (title, words) = language.words(text);
        let button = match text.asks() {
            true => format!(
                "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
                 <button type=\"submit\">{}</button></form>",
                language.button()
            ),
            false => String::new(),
        };
        let values = Values {
            lang: language.tag(),
            title,
            sender: sender.unwrap_or_default(),
            text: &words,
            button: &button,
        };
        let html = pages.0.get(language.tag()).map_or(BUILT_IN, String::as_str);
        Page { status, html: fill(html, &values) }
    }

    /// The answer to `HEAD`: the same status and headers.
    pub(super) fn without_body(self) -> Page {
        Page { html: String::new(), ..self }
    }
}

const BUILT_IN: &str = "\
<!doctype html>
<html lang=\"{{ lang }}\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>{{ title }}</title>
<style>\
:root{color-scheme:light dark}\
body{margin:0;background:#f3f1ec;color:#1d232c;font:1.0625rem/1.6 system-ui,sans-serif}\
main{max-width:32rem;margin:12vh auto 0;padding:2.5rem;background:#fff;border-radius:12px}\
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.3}\
p{margin:0 0 1.5rem}\
.sender{margin:0 0 .5rem;font-size:.9375rem;opacity:.75}\
.sender:empty{display:none}\
button{padding:.8rem 1.6rem;border:0;border-radius:8px;background:#8a6420;color:#fff;font:inherit;font-weight:600;cursor:pointer}\
button:focus-visible{outline:3px solid #1d5fbf;outline-offset:3px}\
@media(prefers-color-scheme:dark){body{background:#14171c;color:#e8eaee}main{background:#1e232b}}\
</style>
</head>
<body>
<main>
<p class=\"sender\">{{ sender }}</p>
<h1>{{ title }}</h1>
<p>{{ text }}</p>
{{ button }}
</main>
</body>
</html>
";

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recipient::unsubscribe::Scope;

    #[test]
    fn only_a_page_that_asks_has_a_button_and_no_page_loads_anything() {
        let scope = Scope::Category("<script>alert(1)</script>".to_owned());
        for language in Language::ALL {
            for (text, asks) in [
                (Text::Question(&scope), true),
                (Text::Done(&scope), false),
                (Text::Spent(&scope), false),
                (Text::Forged, false),
                (Text::Later, true),
            ] {
                let html = Page::new(200, language, Some("A & B"), text, &Pages::default()).html;
                assert_eq!(html.contains("<form method=\"post\">"), asks, "{html}");
                assert_eq!(html.contains("name=\"List-Unsubscribe\" value=\"One-Click\""), asks);
                for foreign in ["<script", "src=", "href=", "url(", "http", "{{"] {
                    assert!(!html.contains(foreign), "{foreign} in {html}");
                }
                assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
                assert!(html.contains("A &amp; B"), "the sender is named");
                assert_eq!(html.matches("<h1>").count(), 1);
            }
        }
    }

    #[test]
    fn built_in_page_passes_the_check_of_an_installations_pages() {
        assert_eq!(check(BUILT_IN), Ok(()));
    }

    #[test]
    fn installations_page_takes_the_place_of_the_built_in_one_in_its_language() {
        let file = r#"{"format":1,"unsubscribe":{"de":"<b>Westend</b>{{ text }}{{ button }}"}}"#;
        let pages = Pages::read(file).unwrap();
        let page = |language| Page::new(200, language, None, Text::Later, &pages).html;
        assert!(page(Language::German).starts_with("<b>Westend</b>Bitte"));
        assert!(page(Language::English).starts_with("<!doctype html>"));
        assert!(Pages::read(r#"{"format":2,"unsubscribe":{}}"#).is_err());
        assert!(Pages::read(r#"{"format":1,"unsubscribe":{"de":"no placeholder"}}"#).is_err());
    }

    #[test]
    fn page_forbids_framing_and_referrer() {
        let header = |name| HEADERS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        assert!(header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(header("referrer-policy"), Some("no-referrer"));
        assert_eq!(header("cache-control"), Some("no-store"));
    }
}
