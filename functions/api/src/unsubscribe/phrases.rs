//! The texts of the unsubscribe page in its languages.

use domain::base::locale::Languages;
use domain::recipient::unsubscribe::Scope;

/// The languages of the page. `domain::recipient::unsubscribe::page::LANGUAGES` has their tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    French,
    Portuguese,
}

/// A text of the page.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    /// The question whether to unsubscribe, with the button.
    Question(&'a Scope),
    Done(&'a Scope),
    /// The link was used, and the person has subscribed again.
    Spent(&'a Scope),
    /// The link is not valid or too old.
    Forged,
    /// The request failed, and a repeat may succeed. With the button.
    Later,
}

impl Text<'_> {
    pub(super) fn asks(self) -> bool {
        matches!(self, Text::Question(_) | Text::Later)
    }
}

impl Language {
    pub(super) const ALL: [Language; 4] =
        [Language::English, Language::German, Language::French, Language::Portuguese];

    /// The first language of `Accept-Language` that the page supports.
    ///
    /// Source: RFC 9110, section 12.5.4. Browsers list the languages in the order of preference.
    pub(super) fn accepted(languages: Option<&str>) -> Option<Language> {
        let tags = languages.unwrap_or_default().split(',').take(20);
        tags.filter_map(|tag| Language::closest(tag.split(';').next()?.trim())).next()
    }

    /// The page's language that is closest to a reader's.
    pub(super) fn closest(tag: &str) -> Option<Language> {
        let known = Languages::new(Language::ALL.map(Language::tag));
        let closest = known.closest(tag)?;
        Language::ALL.into_iter().find(|language| language.tag() == closest)
    }

    pub(super) fn tag(self) -> &'static str {
        self.phrases().tag
    }

    pub(super) fn button(self) -> &'static str {
        self.phrases().button
    }

    /// The title and paragraph, as text.
    pub(super) fn words(self, text: Text<'_>) -> (&'static str, String) {
        let phrases = self.phrases();
        let about = |(title, words): (&'static str, &str), scope: &Scope| {
            let what = match scope {
                Scope::Commercial => phrases.commercial.to_owned(),
                Scope::Category(name) => phrases.category.replace("{}", name),
            };
            (title, words.replace("{}", &what))
        };
        match text {
            Text::Question(scope) => about(phrases.question, scope),
            Text::Done(scope) => about(phrases.done, scope),
            Text::Spent(scope) => about(phrases.spent, scope),
            Text::Forged => (phrases.forged.0, phrases.forged.1.to_owned()),
            Text::Later => (phrases.later.0, phrases.later.1.to_owned()),
        }
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

/// The texts of a language. `{}` stands for the scope, and within `category` for the category's name.
/// Pairs are a title and a paragraph.
struct Phrases {
    tag: &'static str,
    button: &'static str,
    commercial: &'static str,
    category: &'static str,
    question: (&'static str, &'static str),
    done: (&'static str, &'static str),
    spent: (&'static str, &'static str),
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
    done: (
        "You are unsubscribed",
        "You will not get {} any more. To get them again, change your notification settings or ask the sender.",
    ),
    spent: (
        "This link was used before",
        "You subscribed again since, and still get {}. To unsubscribe, use the link in a newer message.",
    ),
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
    done: (
        "Sie sind abgemeldet",
        "Sie erhalten {} nicht mehr. Um das zu ändern, öffnen Sie Ihre Benachrichtigungseinstellungen oder \
         fragen Sie den Absender.",
    ),
    spent: (
        "Dieser Link wurde schon benutzt",
        "Sie haben sich seither wieder angemeldet und erhalten {}. Zum Abmelden nehmen Sie den Link einer \
         neueren Nachricht.",
    ),
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
    done: (
        "Vous êtes désinscrit",
        "Vous ne recevrez plus {}. Pour les recevoir à nouveau, modifiez vos préférences de notification ou \
         demandez à l’expéditeur.",
    ),
    spent: (
        "Ce lien a déjà servi",
        "Vous vous êtes réinscrit depuis et recevez {}. Pour vous désinscrire, prenez le lien d’un message \
         plus récent.",
    ),
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
    done: (
        "Subscrição cancelada",
        "Deixará de receber {}. Para voltar a receber, altere as suas preferências de notificação ou peça ao \
         remetente.",
    ),
    spent: (
        "Esta ligação já foi usada",
        "Entretanto voltou a subscrever e recebe {}. Para cancelar, use a ligação de uma mensagem mais recente.",
    ),
    forged: (
        "Esta ligação não é válida",
        "Está incompleta ou tem mais de um ano. Use a de uma mensagem mais recente.",
    ),
    later: ("Não funcionou", "Tente novamente dentro de momentos."),
};

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recipient::unsubscribe::page::LANGUAGES;

    #[test]
    fn page_uses_the_first_known_language() {
        for (accepted, expected) in [
            (None, None),
            (Some(""), None),
            (Some("de-AT,de;q=0.9,en;q=0.8"), Some(Language::German)),
            (Some("ja, fr-CH;q=0.9"), Some(Language::French)),
            (Some("pt-BR"), Some(Language::Portuguese)),
            (Some("en-AU"), Some(Language::English)),
            (Some("*"), None),
            (Some("ja, x;q=1, ../en"), None),
        ] {
            assert_eq!(Language::accepted(accepted), expected, "{accepted:?}");
        }
        assert_eq!(Language::closest("de_CH"), Some(Language::German));
        assert_eq!(Language::closest("nn"), None);
        assert_eq!(Language::ALL.map(Language::tag), LANGUAGES);
    }
}
