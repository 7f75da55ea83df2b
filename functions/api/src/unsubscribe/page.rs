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

    fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::French => "fr",
            Language::Portuguese => "pt",
        }
    }

    fn button(self) -> &'static str {
        match self {
            Language::English => "Unsubscribe",
            Language::German => "Abmelden",
            Language::French => "Se désinscrire",
            Language::Portuguese => "Cancelar a subscrição",
        }
    }

    /// What the reader leaves, as the end of a sentence.
    fn what(self, scope: &Scope) -> String {
        match (self, scope) {
            (Language::English, Scope::Commercial) => "offers and news".to_owned(),
            (Language::German, Scope::Commercial) => "Angebote und Neuigkeiten".to_owned(),
            (Language::French, Scope::Commercial) => "les offres et les nouveautés".to_owned(),
            (Language::Portuguese, Scope::Commercial) => "ofertas e novidades".to_owned(),
            (Language::English, Scope::Category(name)) => format!("messages of the kind “{}”", escaped(name)),
            (Language::German, Scope::Category(name)) => format!("Nachrichten der Art „{}“", escaped(name)),
            (Language::French, Scope::Category(name)) => {
                format!("les messages de la catégorie « {} »", escaped(name))
            }
            (Language::Portuguese, Scope::Category(name)) => {
                format!("mensagens da categoria “{}”", escaped(name))
            }
        }
    }

    /// Title and paragraph.
    fn words(self, text: Text<'_>) -> (&'static str, String) {
        match (self, text) {
            (Language::English, Text::Question(scope)) => (
                "Unsubscribe?",
                format!(
                    "You will not get {} any more. What concerns you in person still reaches you.",
                    self.what(scope)
                ),
            ),
            (Language::German, Text::Question(scope)) => (
                "Abmelden?",
                format!(
                    "Sie erhalten {} dann nicht mehr. Was Sie persönlich betrifft, erreicht Sie weiterhin.",
                    self.what(scope)
                ),
            ),
            (Language::French, Text::Question(scope)) => (
                "Se désinscrire ?",
                format!(
                    "Vous ne recevrez plus {}. Ce qui vous concerne personnellement vous parviendra toujours.",
                    self.what(scope)
                ),
            ),
            (Language::Portuguese, Text::Question(scope)) => (
                "Cancelar a subscrição?",
                format!(
                    "Deixará de receber {}. O que lhe diz respeito continuará a chegar.",
                    self.what(scope)
                ),
            ),
            (Language::English, Text::Done(scope)) => {
                ("You are unsubscribed", format!("You will not get {} any more.", self.what(scope)))
            }
            (Language::German, Text::Done(scope)) => {
                ("Sie sind abgemeldet", format!("Sie erhalten {} nicht mehr.", self.what(scope)))
            }
            (Language::French, Text::Done(scope)) => {
                ("Vous êtes désinscrit", format!("Vous ne recevrez plus {}.", self.what(scope)))
            }
            (Language::Portuguese, Text::Done(scope)) => {
                ("Subscrição cancelada", format!("Deixará de receber {}.", self.what(scope)))
            }
            (Language::English, Text::Forged) => (
                "This link does not work",
                "It is incomplete, or older than a year. Take the one in a newer message.".to_owned(),
            ),
            (Language::German, Text::Forged) => (
                "Dieser Link gilt nicht",
                "Er ist unvollständig oder älter als ein Jahr. Nehmen Sie den einer neueren Nachricht."
                    .to_owned(),
            ),
            (Language::French, Text::Forged) => (
                "Ce lien n’est pas valable",
                "Il est incomplet ou date de plus d’un an. Prenez celui d’un message plus récent.".to_owned(),
            ),
            (Language::Portuguese, Text::Forged) => (
                "Esta ligação não é válida",
                "Está incompleta ou tem mais de um ano. Use a de uma mensagem mais recente.".to_owned(),
            ),
            (Language::English, Text::Later) => {
                ("That did not work", "Please try again in a moment.".to_owned())
            }
            (Language::German, Text::Later) => {
                ("Das hat nicht geklappt", "Bitte versuchen Sie es gleich noch einmal.".to_owned())
            }
            (Language::French, Text::Later) => {
                ("Cela n’a pas fonctionné", "Veuillez réessayer dans un instant.".to_owned())
            }
            (Language::Portuguese, Text::Later) => {
                ("Não funcionou", "Tente novamente dentro de momentos.".to_owned())
            }
        }
    }
}

impl Page {
    pub(super) fn new(status: u16, language: Language, text: Text<'_>) -> Page {
        let (title, words) = language.words(text);
        let button = match text {
            Text::Question(_) | Text::Later => format!(
                "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
                 <button type=\"submit\">{}</button></form>\n",
                language.button()
            ),
            Text::Done(_) | Text::Forged => String::new(),
        };
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{words}</p>\n{button}</main>\n</body>\n</html>\n",
            language.tag(),
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
                assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
                assert_eq!(html.matches("<h1>").count(), 1);
            }
        }
    }
}
