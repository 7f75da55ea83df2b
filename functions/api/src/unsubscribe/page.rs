//! The page as a browser shows it: no script, no file from elsewhere, in the browser's language where it is one of ours.

use domain::unsubscribe::Scope;

/// An answer in HTML.
pub struct Page {
    pub status: u16,
    pub html: String,
}

/// What the page's answer is sent with: nothing from elsewhere is loaded, nobody learns the link from a `Referer`, no
/// cache and no search engine keeps it.
pub(crate) const HEADERS: [(&str, &str); 5] = [
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("x-robots-tag", "noindex"),
];

/// The languages the page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    French,
    Portuguese,
}

/// What the page says.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    /// Do you want this? With the button.
    Question(&'a Scope),
    Done(&'a Scope),
    /// The link is not ours, or too old.
    Forged,
    /// It did not work, and may in a moment. With the button.
    Later,
}

impl Language {
    /// The first of `Accept-Language` that we have; English, where there is none.
    ///
    /// Source: RFC 9110, section 12.5.4; browsers write the languages in the order in which they are preferred.
    pub(super) fn of(accepted: Option<&str>) -> Language {
        let tags = accepted.unwrap_or_default().split(',').take(20);
        let known = tags.filter_map(|it| {
            let tag = it.split(';').next()?.trim();
            match tag.split('-').next()?.to_ascii_lowercase().as_str() {
                "en" => Some(Language::English),
                "de" => Some(Language::German),
                "fr" => Some(Language::French),
                "pt" => Some(Language::Portuguese),
                _ => None,
            }
        });
        known.into_iter().next().unwrap_or(Language::English)
    }

    fn phrases(self) -> &'static Phrases {
        match self {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
            Language::French => &FRENCH,
            Language::Portuguese => &PORTUGUESE,
        }
    }
}

/// A language's words. `{}` stands for what is left, and within `category` for the category's name.
struct Phrases {
    tag: &'static str,
    button: &'static str,
    commercial: &'static str,
    category: &'static str,
    /// Title and paragraph.
    question: (&'static str, &'static str),
    done: (&'static str, &'static str),
    forged: (&'static str, &'static str),
    later: (&'static str, &'static str),
}

const ENGLISH: Phrases = Phrases {
    tag: "en",
    button: "Unsubscribe",
    commercial: "offers and news",
    category: "messages of the kind “{}”",
    question: (
        "Unsubscribe?",
        "You will not get {} any more. What concerns you in person still reaches you.",
    ),
    done: ("You are unsubscribed", "You will not get {} any more."),
    forged: (
        "This link does not work",
        "It is incomplete, or older than a year. Take the one in a newer message.",
    ),
    later: ("That did not work", "Please try again in a moment."),
};

const GERMAN: Phrases = Phrases {
    tag: "de",
    button: "Abmelden",
    commercial: "Angebote und Neuigkeiten",
    category: "Nachrichten der Art „{}“",
    question: (
        "Abmelden?",
        "Sie erhalten {} dann nicht mehr. Was Sie persönlich betrifft, erreicht Sie weiterhin.",
    ),
    done: ("Sie sind abgemeldet", "Sie erhalten {} nicht mehr."),
    forged: (
        "Dieser Link gilt nicht",
        "Er ist unvollständig oder älter als ein Jahr. Nehmen Sie den einer neueren Nachricht.",
    ),
    later: ("Das hat nicht geklappt", "Bitte versuchen Sie es gleich noch einmal."),
};

const FRENCH: Phrases = Phrases {
    tag: "fr",
    button: "Se désinscrire",
    commercial: "les offres et les nouveautés",
    category: "les messages de la catégorie « {} »",
    question: (
        "Se désinscrire ?",
        "Vous ne recevrez plus {}. Ce qui vous concerne personnellement vous parviendra toujours.",
    ),
    done: ("Vous êtes désinscrit", "Vous ne recevrez plus {}."),
    forged: (
        "Ce lien n’est pas valable",
        "Il est incomplet ou date de plus d’un an. Prenez celui d’un message plus récent.",
    ),
    later: ("Cela n’a pas fonctionné", "Veuillez réessayer dans un instant."),
};

const PORTUGUESE: Phrases = Phrases {
    tag: "pt",
    button: "Cancelar a subscrição",
    commercial: "ofertas e novidades",
    category: "mensagens da categoria “{}”",
    question: (
        "Cancelar a subscrição?",
        "Deixará de receber {}. O que lhe diz respeito continuará a chegar.",
    ),
    done: ("Subscrição cancelada", "Deixará de receber {}."),
    forged: (
        "Esta ligação não é válida",
        "Está incompleta ou tem mais de um ano. Use a de uma mensagem mais recente.",
    ),
    later: ("Não funcionou", "Tente novamente dentro de momentos."),
};

impl Phrases {
    /// Title and paragraph, as HTML.
    fn words(&self, text: Text<'_>) -> (&'static str, String) {
        let about = |(title, words): (&'static str, &str), scope: &Scope| {
            let what = match scope {
                Scope::Commercial => self.commercial.to_owned(),
                Scope::Category(name) => self.category.replace("{}", &escaped(name)),
            };
            (title, words.replace("{}", &what))
        };
        match text {
            Text::Question(scope) => about(self.question, scope),
            Text::Done(scope) => about(self.done, scope),
            Text::Forged => (self.forged.0, self.forged.1.to_owned()),
            Text::Later => (self.later.0, self.later.1.to_owned()),
        }
    }
}

impl Page {
    pub(super) fn new(status: u16, language: Language, text: Text<'_>) -> Page {
        let phrases = language.phrases();
        let (title, words) = phrases.words(text);
        let button = match text {
            Text::Question(_) | Text::Later => format!(
                "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
                 <button type=\"submit\">{}</button></form>\n",
                phrases.button
            ),
            Text::Done(_) | Text::Forged => String::new(),
        };
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{words}</p>\n{button}</main>\n</body>\n</html>\n",
            phrases.tag,
        );
        Page { status, html }
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;background:#f3f1ec;color:#1d232c;font:1.0625rem/1.6 system-ui,sans-serif}\
main{max-width:32rem;margin:12vh auto 0;padding:2.5rem;background:#fff;border-radius:12px}\
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.3}\
p{margin:0 0 1.5rem}\
button{padding:.8rem 1.6rem;border:0;border-radius:8px;background:#8a6420;color:#fff;font:inherit;font-weight:600;cursor:pointer}\
button:focus-visible{outline:3px solid #1d5fbf;outline-offset:3px}\
@media(prefers-color-scheme:dark){body{background:#14171c;color:#e8eaee}main{background:#1e232b}}";

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(it),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_speaks_the_first_language_that_it_knows() {
        for (accepted, expected) in [
            (None, Language::English),
            (Some(""), Language::English),
            (Some("de-AT,de;q=0.9,en;q=0.8"), Language::German),
            (Some("ja, fr-CH;q=0.9"), Language::French),
            (Some("pt-BR"), Language::Portuguese),
            (Some("*"), Language::English),
        ] {
            assert_eq!(Language::of(accepted), expected, "{accepted:?}");
        }
    }

    #[test]
    fn only_a_page_that_asks_has_a_button_and_no_page_loads_anything() {
        let scope = Scope::Category("<script>alert(1)</script>".to_owned());
        for language in [Language::English, Language::German, Language::French, Language::Portuguese] {
            for (text, asks) in [
                (Text::Question(&scope), true),
                (Text::Done(&scope), false),
                (Text::Forged, false),
                (Text::Later, true),
            ] {
                let html = Page::new(200, language, text).html;
                assert_eq!(html.contains("<form method=\"post\">"), asks, "{html}");
                assert_eq!(html.contains("name=\"List-Unsubscribe\" value=\"One-Click\""), asks);
                for foreign in ["<script", "src=", "href=", "url(", "http"] {
                    assert!(!html.contains(foreign), "{foreign} in {html}");
                }
                assert!(html.contains(&format!("<html lang=\"{}\">", language.phrases().tag)));
                assert_eq!(html.matches("<h1>").count(), 1);
            }
        }
    }
}
