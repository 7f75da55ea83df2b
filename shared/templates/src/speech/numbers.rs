//! Numbers: how many, how much, what share.

use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::currency::formatter::CurrencyFormatter;
use icu_experimental::dimension::percent::formatter::PercentFormatter;
use icu_plurals::{PluralCategory, PluralOperands, PluralRules};
use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use super::currency::is_currency;
use super::{Voice, cldr, given, unknown, with_voice};
use crate::failure::reasoned;
use crate::values::is_exact;

/// Digits of a number as it is written. ISO 4217 and ICU4X go further; no letter does.
const MAX_DIGITS: usize = 40;

/// Digits after the point that a number has by itself, and that a template may ask for.
const USUAL_FRACTION: i16 = 3;
const MAX_FRACTION: u8 = 20;

/// The forms that a language may have. English uses two of them, Arabic all.
pub(crate) const CATEGORIES: [(&str, PluralCategory); 6] = [
    ("zero", PluralCategory::Zero),
    ("one", PluralCategory::One),
    ("two", PluralCategory::Two),
    ("few", PluralCategory::Few),
    ("many", PluralCategory::Many),
    ("other", PluralCategory::Other),
];

/// `n | plural(one="# task", other="# tasks")`: the form for `n`, with `n` in place of each `#`. A list counts its items.
/// The number is counted as it is shown, so that 1.0004 is "1 hour".
#[expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]
pub(super) fn plural(state: &State<'_, '_>, n: &Value, forms: Kwargs) -> Result<String, Error> {
    let n = match n.as_object() {
        Some(_) => Decimal::from(n.len().unwrap_or_default()),
        None => usual(decimal(n)?),
    };
    with_voice(state, |voice| {
        let rules = PluralRules::try_new_cardinal(voice.locale().into()).map_err(unknown)?;
        let category = rules.category_for(PluralOperands::from(&n));
        let Some(form) = form_of(&forms, category, "plural")? else {
            return Err(reasoned("`plural` needs other=\"…\": the form for every number without its own"));
        };
        match form.contains('#') {
            true => Ok(form.replace('#', &written(voice, &n)?)),
            false => Ok(form.to_owned()),
        }
    })
}

/// The form that a template gives for a category, or its `other`; `None` where it gives no form at all.
pub(super) fn form_of<'a>(
    forms: &'a Kwargs,
    category: PluralCategory,
    filter: &str,
) -> Result<Option<&'a str>, Error> {
    let (mut own, mut others, mut count) = (None, None, 0);
    for (name, it) in CATEGORIES {
        let given: Option<&str> = forms.get(name)?;
        count += usize::from(given.is_some());
        if it == category {
            own = given;
        }
        if it == PluralCategory::Other {
            others = given;
        }
    }
    if forms.assert_all_used().is_err() {
        let problem = format!("`{filter}` knows zero, one, two, few, many and other, and no other word");
        return Err(reasoned(problem));
    }
    match (count, others) {
        (0, _) => Ok(None),
        (_, Some(other)) => Ok(Some(own.unwrap_or(other))),
        (_, None) => {
            let problem = format!("`{filter}` needs other=\"…\": the form for every number without its own");
            Err(reasoned(problem))
        }
    }
}

/// `n | number`: with up to three digits after the point, or exactly as many as are asked for.
pub(super) fn number(state: &State<'_, '_>, n: &Value, digits: Option<u8>) -> Result<String, Error> {
    let n = fraction(decimal(n)?, digits)?;
    with_voice(state, |voice| written(voice, &n))
}

/// `share | percent`: 0.5 is 50 %. Without digits after the point, or with as many as are asked for.
pub(super) fn percent(state: &State<'_, '_>, share: &Value, digits: Option<u8>) -> Result<String, Error> {
    let mut n = decimal(share)?;
    n.absolute.multiply_pow10(2);
    n.absolute.trim_start();
    let n = fraction(n, Some(digits.unwrap_or(0)))?;
    with_voice(state, |voice| {
        let formatter = PercentFormatter::try_new(voice.locale().into(), Default::default());
        let text = formatter.map_err(unknown)?.format(&n).to_string();
        Ok(cldr::percent(voice.tag(), text))
    })
}

/// `amount | money("EUR")`: in the currency's own digits after the point, two for EUR, none for JPY, three for BHD.
///
/// The stable crates of ICU4X 2.4 have no money, so this is `icu_experimental`: CLDR's patterns and symbols all the same.
pub(super) fn money(state: &State<'_, '_>, amount: &Value, currency: &Value) -> Result<String, Error> {
    let amount = decimal(amount)?;
    let code = given(currency)?.as_str().filter(|given| is_currency(given));
    let Some(currency) = code.and_then(|code| CurrencyType::try_from_str(code).ok()) else {
        return Err(reasoned("the currency is no code of ISO 4217, such as EUR"));
    };
    let code = code.unwrap_or_default();
    with_voice(state, |voice| {
        let locale = voice.locale();
        let formatter = match cldr::is_written_by_code(voice.tag(), code) {
            true => CurrencyFormatter::try_new_code(locale.into(), currency, Default::default()),
            false => CurrencyFormatter::try_new_symbol(locale.into(), currency, Default::default()),
        };
        let text = formatter.map_err(unknown)?.format_fixed_decimal(&amount).to_string();
        Ok(match cldr::money_marks(voice.tag()) {
            Some(marks) => remarked(&text, usual_point(voice)?, marks),
            None => text,
        })
    })
}

/// What stands before the fraction of numbers that are no money.
fn usual_point(voice: &Voice) -> Result<Option<char>, Error> {
    let half = Decimal::try_from_str("0.5").map_err(unknown)?;
    Ok(written(voice, &half)?.chars().find(|letter| !letter.is_numeric()))
}

/// Money with other marks, for groups and before the fraction, in place of those of other numbers.
fn remarked(text: &str, usual_point: Option<char>, (group, point): (&str, &str)) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| letters.get(at).is_some_and(|letter| letter.is_numeric());
    let mut marked = String::with_capacity(text.len());
    for (at, letter) in letters.iter().enumerate() {
        match at > 0 && !is_digit(at) && is_digit(at - 1) && is_digit(at + 1) {
            true if Some(*letter) == usual_point => marked.push_str(point),
            true => marked.push_str(group),
            false => marked.push(*letter),
        }
    }
    marked
}

pub(super) fn written(voice: &Voice, n: &Decimal) -> Result<String, Error> {
    let formatter = DecimalFormatter::try_new(voice.locale().into(), Default::default()).map_err(unknown)?;
    Ok(formatter.format_to_string(n))
}

/// A number, or a text that is one: producers write amounts as texts so that no digit is lost.
pub(super) fn decimal(value: &Value) -> Result<Decimal, Error> {
    let value = given(value)?;
    let text = value.to_string();
    let plain =
        text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit() || b"-+.".contains(&byte));
    let number = Decimal::try_from_str(&text)
        .ok()
        .filter(|_| plain && (value.is_number() || value.as_str().is_some() || is_exact(value)));
    let mut number = number.ok_or_else(|| reasoned("the value is not a number"))?;
    // "00012" is 12, as in every spreadsheet.
    number.absolute.trim_start();
    number.absolute.trim_end_if_integer();
    Ok(number)
}

pub(super) fn usual(mut n: Decimal) -> Decimal {
    n.absolute.round(-USUAL_FRACTION);
    n.absolute.trim_end();
    n
}

fn fraction(mut n: Decimal, digits: Option<u8>) -> Result<Decimal, Error> {
    match digits {
        None => Ok(usual(n)),
        Some(digits) if digits > MAX_FRACTION => {
            Err(reasoned(format!("a number has {MAX_FRACTION} digits after the point at most")))
        }
        Some(digits) => {
            n.absolute.round(-i16::from(digits));
            n.absolute.pad_end(-i16::from(digits));
            Ok(n)
        }
    }
}
