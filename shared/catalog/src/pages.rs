//! The installation's own pages: `pages/unsubscribe/<language>.html`, the page behind unsubscribe links. Without a
//! file the API shows its built-in page.

use std::collections::BTreeMap;

use domain::recipient::unsubscribe::page::{LANGUAGES, check};

use crate::problem::{PAGES, Problem};

/// The largest page, in bytes. An HTTP API response contains the whole page.
const MAX_PAGE_BYTES: usize = 64 * 1024;

/// Checks the files below `pages/` and returns the pages by language.
pub(crate) fn read(files: BTreeMap<String, String>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for (path, html) in files {
        let name = path.strip_prefix(PAGES).and_then(|rest| rest.strip_prefix("/unsubscribe/"));
        let language = name.and_then(|name| name.strip_suffix(".html"));
        let Some(language) = language.filter(|language| LANGUAGES.contains(language)) else {
            let fix =
                format!("name it `{PAGES}/unsubscribe/<language>.html`; languages: {}", LANGUAGES.join(", "));
            problems.push(Problem::of_file(&path, "this file is not read", fix));
            continue;
        };
        if html.len() > MAX_PAGE_BYTES {
            let what = format!("the page has more than {} KB", MAX_PAGE_BYTES / 1024);
            problems.push(Problem::of_file(&path, what, "make its pictures smaller"));
            continue;
        }
        match check(&html) {
            Ok(()) => drop(pages.insert(language.to_owned(), html)),
            Err(bad) => {
                let fix = "docs/security/privacy.md describes a page";
                problems.push(Problem::of_file(&path, bad.to_string(), fix));
            }
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_known_languages_are_accepted() {
        let page = "<p>{{ text }}</p>{{ button }}";
        let large = format!("{page}{}", "x".repeat(MAX_PAGE_BYTES));
        let files = [
            ("pages/unsubscribe/de.html", page),
            ("pages/unsubscribe/fr.html", "<p>{{ text }}</p>"),
            ("pages/unsubscribe/pt.html", &large),
            ("pages/unsubscribe/xx.html", page),
            ("pages/other/de.html", page),
            ("pages/unsubscribe/en.txt", page),
        ];
        let files = files.map(|(path, html)| (path.to_owned(), html.to_owned()));
        let mut problems = Vec::new();
        let pages = read(BTreeMap::from(files), &mut problems);
        assert_eq!(pages.keys().collect::<Vec<_>>(), ["de"]);
        assert_eq!(problems.len(), 5);
    }
}
