//! Ordinal numbers: 1st, 2nd, 3rd.

#![expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]

use icu_plurals::{PluralCategory, PluralOperands, PluralRules};
use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use super::numbers::{decimal, form_of, usual, written};
use super::{unknown, with_format};
use crate::failure::reasoned;

/// The forms of plural categories with their own suffix.
type Forms = &'static [(PluralCategory, &'static str)];

/// The ordinal forms of languages, by plural category. `#` is the number.
///
/// Source: CLDR, `rbnf/<language>.xml`, `%digits-ordinal`, in the form for a masculine noun.
const DIGITS: [(&str, Forms, &str); 27] = [
    (
        "en",
        &[(PluralCategory::One, "#st"), (PluralCategory::Two, "#nd"), (PluralCategory::Few, "#rd")],
        "#th",
    ),
    ("fr", &[(PluralCategory::One, "#er")], "#e"),
    ("ca", &[(PluralCategory::One, "#r"), (PluralCategory::Two, "#n"), (PluralCategory::Few, "#t")], "#è"),
    ("sv", &[(PluralCategory::One, "#:a")], "#:e"),
    ("cs", &[], "#."),
    ("da", &[], "#."),
    ("de", &[], "#."),
    ("et", &[], "#."),
    ("fi", &[], "#."),
    ("hr", &[], "#."),
    ("hu", &[], "#."),
    ("lv", &[], "#."),
    ("nb", &[], "#."),
    ("nn", &[], "#."),
    ("no", &[], "#."),
    ("pl", &[], "#."),
    ("sk", &[], "#."),
    ("sl", &[], "#."),
    ("sr", &[], "#."),
    ("tr", &[], "#."),
    ("nl", &[], "#e"),
    ("es", &[], "#.º"),
    ("it", &[], "#º"),
    ("pt", &[], "#º"),
    ("ja", &[], "第#"),
    ("zh", &[], "第#"),
    ("ko", &[], "#."),
];

/// `n | ordinal`: 1st, 2nd, 3rd. `n | ordinal(one="#st", two="#nd", few="#rd", other="#th")` uses the template's
/// own forms.
pub(super) fn ordinal(state: &State<'_, '_>, n: &Value, forms: Kwargs) -> Result<String, Error> {
    let n = usual(decimal(n)?);
    if n.absolute.nonzero_magnitude_end() < 0 {
        return Err(reasoned("an ordinal number has no digits after the point"));
    }
    with_format(state, |locale_format| {
        let rules = PluralRules::try_new_ordinal(locale_format.locale().into()).map_err(unknown)?;
        let category = rules.category_for(PluralOperands::from(&n));
        let own = form_of(&forms, category, "ordinal")?;
        let form = match own {
            Some(form) => form,
            None => {
                let language = locale_format.locale().id.language;
                let digits = DIGITS.iter().find(|(name, ..)| *name == language.as_str());
                let Some((_, forms, other)) = digits else {
                    let fix = "give the forms, other=\"#.\" at least";
                    return Err(reasoned(format!("ordinal numbers of this language are not known; {fix}")));
                };
                forms.iter().find(|(name, _)| *name == category).map_or(*other, |(_, form)| form)
            }
        };
        Ok(form.replace('#', &written(locale_format, &n)?))
    })
}
