//! Phone numbers. They are read in all common notations and validated once.

use serde::{Deserialize, Serialize};

use super::address::is_invisible;
use crate::base::sensitive::Sensitive;

mod numbering;

use numbering::{Numbering, Prefix, Trunk, numbering_of};

/// The allowed numbers of digits of an international number.
///
/// Source: ITU-T E.164, section 6.2.1 (15 digits at most). The shortest numbering plans in use have 4 digits after a
/// country code of 3.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A phone number in international format.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(Sensitive<String>);

/// A text that is not a phone number. The error does not quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number: {0}")]
pub struct NotAPhone(&'static str);

impl NotAPhone {
    /// The fault, without any part of the text.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.0
    }
}

const NO_PLUS: NotAPhone = NotAPhone("it does not begin with + and the country code");
const OTHER_CHARACTERS: NotAPhone = NotAPhone("there are characters other than digits in it");
const TWO_NUMBERS: NotAPhone = NotAPhone("there is a second + in it");
const LENGTH: NotAPhone = NotAPhone("it has not 7 to 15 digits, or begins with 0");
const NO_COUNTRY: NotAPhone = NotAPhone("no country has this calling code");
const ZERO_INSIDE: NotAPhone = NotAPhone("there is a 0 in brackets inside the number");
const LEADING_ZERO: NotAPhone =
    NotAPhone("a 0 follows the country code, and no number of that country begins with one");
const TOO_LONG: NotAPhone = NotAPhone("it has more digits than a number of that country");

impl PhoneNumber {
    /// Reads a number in international notation, and normalizes it to `+` and 7 to 15 digits.
    ///
    /// Spaces, dots, slashes, dashes of any kind, brackets and invisible characters are ignored. Full-width and other
    /// decimal digits are accepted. A scheme (`tel:`, `sms:`, `whatsapp:`) and an extension (`;ext=5`, `x5`, `ext.
    /// 5`) are removed. So is the trunk prefix, which is dialled only within the country: `+44 (0)20 …` and `+44 020
    /// …` are `+4420…`. The 0 of Italian numbers is part of the number and stays.
    ///
    /// # Errors
    /// [`NotAPhone`] with the fault.
    ///
    /// Source: ITU-T E.164 and E.123; RFC 3966. `tests/interop/phones.py` compares the results with libphonenumber.
    pub fn parse(text: &str) -> Result<PhoneNumber, NotAPhone> {
        let number = Written::read(text)?;
        let digits = number.without_trunk()?;
        if !DIGITS.contains(&digits.len()) {
            return Err(LENGTH);
        }
        Ok(PhoneNumber(Sensitive::new(format!("+{digits}"))))
    }

    /// The number, for sending, storing and comparing.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// A number that the last release accepted and this release would refuse.
    fn accepted_before(text: &str) -> Option<PhoneNumber> {
        let digits = text.strip_prefix('+')?;
        let fits = DIGITS.contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        (fits && !digits.starts_with('0')).then(|| PhoneNumber(text.into()))
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = NotAPhone;

    fn try_from(text: String) -> Result<PhoneNumber, NotAPhone> {
        PhoneNumber::parse(&text).or_else(|refused| PhoneNumber::accepted_before(&text).ok_or(refused))
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> String {
        number.0.into_exposed()
    }
}

/// The digits of a number as written, starting with the country code.
struct Written {
    digits: String,
    /// The index of a `0` that is alone in brackets.
    zero_in_brackets: Option<usize>,
}

/// The role of one character in a number.
enum Part {
    Digit(char),
    Plus,
    Open,
    Close,
    /// A space, a dash, a dot, a slash, or an invisible character.
    Decoration,
    Other,
}

impl Written {
    fn read(text: &str) -> Result<Written, NotAPhone> {
        let text = without_scheme(text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c)));
        let (mut digits, mut has_plus) = (String::new(), false);
        let (mut group, mut zero_in_brackets) = (None, None);
        for (index, c) in text.char_indices() {
            match part(c) {
                Part::Digit(digit) if has_plus => digits.push(digit),
                Part::Digit(_) => return Err(NO_PLUS),
                Part::Plus if has_plus => return Err(TWO_NUMBERS),
                Part::Plus => has_plus = true,
                Part::Open => group = Some(digits.len()),
                Part::Close => {
                    if let Some(start) = group.take()
                        && digits[start..] == *"0"
                        && zero_in_brackets.replace(start).is_some()
                    {
                        return Err(ZERO_INSIDE);
                    }
                }
                Part::Decoration => {}
                Part::Other if !has_plus => return Err(NO_PLUS),
                Part::Other if !digits.is_empty() && is_extension(&text[index..]) => break,
                Part::Other => return Err(OTHER_CHARACTERS),
            }
        }
        if has_plus { Ok(Written { digits, zero_in_brackets }) } else { Err(NO_PLUS) }
    }

    /// The digits without the country's trunk prefix.
    fn without_trunk(self) -> Result<String, NotAPhone> {
        if self.digits.starts_with('0') {
            return Err(LENGTH);
        }
        let Numbering { code, trunk, keeps_zero, most } = numbering_of(&self.digits).ok_or(NO_COUNTRY)?;
        let national = &self.digits[code..];
        let is_optional = match self.zero_in_brackets {
            Some(index) if index == code => true,
            Some(_) => return Err(ZERO_INSIDE),
            None => false,
        };
        let national = match trunk {
            Trunk::Prefix(prefixes) => {
                let fits = |(prefix, longer_than, _): &&Prefix| {
                    national.starts_with(prefix) && national.len() > *longer_than
                };
                prefixes.iter().find(fits).map_or(national, |(_, _, dropped)| &national[*dropped..])
            }
            Trunk::None if is_optional => &national[1..],
            Trunk::None | Trunk::Kept => national,
        };
        if national.starts_with('0') && !keeps_zero {
            return Err(LEADING_ZERO);
        }
        if most.is_some_and(|most| national.len() > most) {
            return Err(TOO_LONG);
        }
        Ok(format!("{}{national}", &self.digits[..code]))
    }
}

/// The text after `tel:`, `sms:` or `whatsapp:`, in any letter case.
fn without_scheme(text: &str) -> &str {
    let scheme = |name: &str| {
        let (scheme, rest) = text.split_at_checked(name.len())?;
        scheme.eq_ignore_ascii_case(name).then_some(rest)
    };
    ["tel:", "sms:", "whatsapp:"].iter().find_map(|name| scheme(name)).unwrap_or(text)
}

fn part(c: char) -> Part {
    match c {
        '+' | '\u{ff0b}' => Part::Plus,
        '(' | '[' | '\u{ff08}' | '\u{ff3b}' => Part::Open,
        ')' | ']' | '\u{ff09}' | '\u{ff3d}' => Part::Close,
        '-'
        | '.'
        | '/'
        | '~'
        | '\u{b7}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2053}'
        | '\u{2212}'
        | '\u{223c}'
        | '\u{30fb}'
        | '\u{30fc}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}'
        | '\u{ff0e}'
        | '\u{ff0f}'
        | '\u{ff5e}' => Part::Decoration,
        // An override displays the digits in another order than they are dialled.
        '\u{202d}' | '\u{202e}' => Part::Other,
        _ if is_invisible(c) || (c.is_whitespace() && !c.is_control()) || c == '\t' => Part::Decoration,
        _ => digit(c).map_or(Part::Other, Part::Digit),
    }
}

/// The ASCII digit for a decimal digit of a script that is used for phone numbers.
///
/// Source: Unicode, general category `Nd`.
fn digit(c: char) -> Option<char> {
    /// The zeros of ASCII, Arabic, Persian, N'Ko, Devanagari to Malayalam, Thai, Lao, Tibetan, Myanmar, Khmer, and
    /// full width.
    const ZEROS: [u32; 20] = [
        0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50,
        0xed0, 0xf20, 0x1040, 0x17e0, 0x1810, 0xff10,
    ];
    let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

/// Whether the rest of a number is an extension, or parameters that do not change the destination of a global number.
///
/// Source: RFC 3966, section 5 (`;ext=`, `;isub=`, `;phone-context=`).
fn is_extension(rest: &str) -> bool {
    const LABELS: [&str; 12] = [
        ";ext=",
        ";extension=",
        "extension",
        "extn",
        "ext",
        "x",
        "#",
        "\u{ff03}",
        "anexo",
        "int",
        "доб",
        "\u{ff58}",
    ];
    let rest = rest.trim().to_lowercase();
    if rest.starts_with(";isub=") || rest.starts_with(";phone-context=") {
        return true;
    }
    let rest =
        rest.strip_prefix([',', ';']).filter(|rest| !rest.starts_with("ext=")).unwrap_or(&rest).trim_start();
    let Some(number) = LABELS.iter().find_map(|label| rest.strip_prefix(label)) else { return false };
    let number = number.trim_start_matches(|c: char| c.is_whitespace() || ".:=\u{ff1a}\u{a0}".contains(c));
    let number = number.trim_end_matches('#').trim_end();
    (1..=20).contains(&number.chars().count()) && number.chars().all(|c| digit(c).is_some())
}

#[cfg(test)]
mod tests;
