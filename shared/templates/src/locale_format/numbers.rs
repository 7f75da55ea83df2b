//! Filters for numbers, percentages and money.

use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::currency::formatter::CurrencyFormatter;
use icu_experimental::dimension::percent::formatter::PercentFormatter;
use icu_plurals::{PluralCategory, PluralOperands, PluralRules};
use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use super::currency::is_currency;
use super::{LocaleFormat, cldr, given, unknown, with_format};
use crate::failure::reasoned;
use crate::values::is_exact;

/// The longest number, in digits. ISO 4217 and ICU4X allow more.
const MAX_DIGITS: usize = 40;

/// The default and the largest number of fraction digits.
const USUAL_FRACTION: i16 = 3;
const MAX_FRACTION: u8 = 20;

/// The plural forms. English uses two of them, Arabic all.
pub(crate) const CATEGORIES: [(&str, PluralCategory); 6] = [
    ("zero", PluralCategory::Zero),
    ("one", PluralCategory::One),
    ("two", PluralCategory::Two),
    ("few", PluralCategory::Few),
    ("many", PluralCategory::Many),
    ("other", PluralCategory::Other),
];

/// `n | plural(one="# task", other="# tasks")`: the form for `n`, with `n` in place of each `#`. For a list, `n` is
/// its length. The form follows the number as shown, so 1.0004 is "1 hour".
#[expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]
pub(super) fn plural(state: &State<'_, '_>, n: &Value, forms: Kwargs) -> Result<String, Error> {
    let n = match n.as_object() {
        Some(_) => Decimal::from(n.len().unwrap_or_default()),
        None => usual(decimal(n)?),
    };
    with_format(state, |locale_format| {
        let rules = PluralRules::try_new_cardinal(locale_format.locale().into()).map_err(unknown)?;
        let category = rules.category_for(PluralOperands::from(&n));
        let Some(form) = form_of(&forms, category, "plural")? else {
            return Err(reasoned("`plural` needs other=\"…\": the form for every number without its own"));
        };
        match form.contains('#') {
            true => Ok(form.replace('#', &written(locale_format, &n)?)),
            false => Ok(form.to_owned()),
        }
    })
}

/// The template's form for a category, or its `other`. `None` if the template gives no forms.
pub(super) fn form_of<'a>(
    forms: &'a Kwargs,
    category: PluralCategory,
    filter: &str,
) -> Result<Option<&'a str>, Error> {
    let (mut own, mut others, mut count) = (None, None, 0);
    for (name, plural_category) in CATEGORIES {
        let given: Option<&str> = forms.get(name)?;
        count += usize::from(given.is_some());
        if plural_category == category {
            own = given;
        }
        if plural_category == PluralCategory::Other {
            others = given;
        }
    }
    if forms.assert_all_used().is_err() {
        let problem = format!("`{filter}` takes only zero, one, two, few, many and other");
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

/// `n | number`: up to three fraction digits, or exactly the given number of them.
pub(super) fn number(state: &State<'_, '_>, n: &Value, digits: Option<u8>) -> Result<String, Error> {
    let n = fraction(decimal(n)?, digits)?;
    with_format(state, |locale_format| written(locale_format, &n))
}

/// `share | percent`: 0.5 is 50 %. Without fraction digits, or with the given number of them.
pub(super) fn percent(state: &State<'_, '_>, share: &Value, digits: Option<u8>) -> Result<String, Error> {
    let mut n = decimal(share)?;
    n.absolute.multiply_pow10(2);
    n.absolute.trim_start();
    let n = fraction(n, Some(digits.unwrap_or(0)))?;
    with_format(state, |locale_format| {
        let formatter = PercentFormatter::try_new(locale_format.locale().into(), Default::default());
        let text = formatter.map_err(unknown)?.format(&n).to_string();
        Ok(cldr::percent(locale_format.tag(), text))
    })
}

/// `amount | money("EUR")`: with the currency's own fraction digits, two for EUR, none for JPY, three for BHD.
///
/// The stable crates of ICU4X 2.4 have no money format, so this uses `icu_experimental`, with CLDR's patterns and
/// symbols.
pub(super) fn money(state: &State<'_, '_>, amount: &Value, currency: &Value) -> Result<String, Error> {
    let amount = decimal(amount)?;
    let code = given(currency)?.as_str().filter(|given| is_currency(given));
    let Some(currency) = code.and_then(|code| CurrencyType::try_from_str(code).ok()) else {
        return Err(reasoned("the currency is no code of ISO 4217, such as EUR"));
    };
    let code = code.unwrap_or_default();
    with_format(state, |locale_format| {
        let locale = locale_format.locale();
        let formatter = match cldr::is_written_by_code(locale_format.tag(), code) {
            true => CurrencyFormatter::try_new_code(locale.into(), currency, Default::default()),
            false => CurrencyFormatter::try_new_symbol(locale.into(), currency, Default::default()),
        };
        let text = formatter.map_err(unknown)?.format_fixed_decimal(&amount).to_string();
        Ok(match cldr::money_marks(locale_format.tag()) {
            Some(marks) => remarked(&text, usual_point(locale_format)?, marks),
            None => text,
        })
    })
}

/// The decimal mark of numbers other than money.
fn usual_point(locale_format: &LocaleFormat) -> Result<Option<char>, Error> {
    let half = Decimal::try_from_str("0.5").map_err(unknown)?;
    Ok(written(locale_format, &half)?.chars().find(|letter| !letter.is_numeric()))
}

/// Money with its own marks for groups and fraction, in place of those of other numbers.
fn remarked(text: &str, usual_point: Option<char>, (group, point): (&str, &str)) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_digit = |index: usize| letters.get(index).is_some_and(|letter| letter.is_numeric());
    let mut marked = String::with_capacity(text.len());
    for (index, letter) in letters.iter().enumerate() {
        match index > 0 && !is_digit(index) && is_digit(index - 1) && is_digit(index + 1) {
            true if Some(*letter) == usual_point => marked.push_str(point),
            true => marked.push_str(group),
            false => marked.push(*letter),
        }
    }
    marked
}

pub(super) fn written(locale_format: &LocaleFormat, n: &Decimal) -> Result<String, Error> {
    let formatter =
        DecimalFormatter::try_new(locale_format.locale().into(), Default::default()).map_err(unknown)?;
    Ok(formatter.format_to_string(n))
}

/// A number, or text that is one: producers write amounts as text to keep every digit.
pub(super) fn decimal(value: &Value) -> Result<Decimal, Error> {
    let value = given(value)?;
    let text = value.to_string();
    let plain =
        text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit() || b"-+.".contains(&byte));
    let number = Decimal::try_from_str(&text)
        .ok()
        .filter(|_| plain && (value.is_number() || value.as_str().is_some() || is_exact(value)));
    let mut number = number.ok_or_else(|| reasoned("the value is not a number"))?;
    // "00012" is 12.
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
