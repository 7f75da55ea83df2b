//! Decimal numbers of any length. They are compared and written by value, without conversion to floating point.

use std::cmp::Ordering;

use serde_json::Number;

/// Integers with at most this many digits are written in full. Longer ones are written with an exponent.
const MAX_WHOLE_DIGITS: i64 = 256;

/// A decimal number, `0.<digits> × 10^<point>`. Each value has exactly one form. The digits neither begin nor end
/// with a zero, and the value zero has no digits and no sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    is_negative: bool,
    digits: String,
    /// The number of digits before the decimal point.
    point: i64,
}

impl Decimal {
    /// Reads a number with an optional sign, fraction and exponent. `None` for any other text, and for an exponent
    /// beyond 64 bits.
    pub(crate) fn parse(text: &str) -> Option<Decimal> {
        let (is_negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, signed(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        if whole.is_empty() || ![whole, fraction].iter().all(|part| is_digits(part)) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading = i64::try_from(all.len() - significant.len()).ok()?;
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Decimal { is_negative: false, digits: String::new(), point: 0 });
        }
        let point = i64::try_from(whole.len()).ok()?.checked_sub(leading)?.checked_add(exponent)?;
        Some(Decimal { is_negative, digits: digits.to_owned(), point })
    }

    /// The value of a JSON number. `None` only for an exponent beyond 64 bits.
    pub(crate) fn of(number: &Number) -> Option<Decimal> {
        Decimal::parse(&number.to_string())
    }

    /// The canonical spelling: integers as digits, all others as `<digits>e<exponent>`.
    pub(crate) fn canonical(&self) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.is_negative { "-" } else { "" };
        let count = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let exponent = self.point.saturating_sub(count);
        match usize::try_from(exponent) {
            Ok(zeros) if self.point <= MAX_WHOLE_DIGITS => {
                format!("{sign}{}{}", self.digits, "0".repeat(zeros))
            }
            Ok(_) | Err(_) => format!("{sign}{}e{exponent}", self.digits),
        }
    }

    /// Whether the value has no fraction and is written without an exponent.
    pub(crate) fn is_whole(&self) -> bool {
        let count = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        self.digits.is_empty() || (self.point >= count && self.point <= MAX_WHOLE_DIGITS)
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // The first digit is never zero, so the number with more digits before the point is larger. Digits
            // without leading and trailing zeros compare like text.
            (false, false) => self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The double that equals the number exactly. `None` if a double would change a digit.
#[must_use]
pub fn as_double(number: &Number) -> Option<f64> {
    let double = number.as_f64()?;
    (Decimal::of(number)? == Decimal::parse(&double.to_string())?).then_some(double)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn signed(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && is_digits(digits)).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_value_has_one_canonical_spelling() {
        for (texts, expected) in [
            (&["0", "-0", "0.0", "0e9", "+0"][..], "0"),
            (&["1", "1.0", "1e0", "10e-1", "+1", "0.1E1", "01"], "1"),
            (&["-12.50", "-12.5", "-125e-1"], "-125e-1"),
            (
                &["123456789012345678901234567890", "1.2345678901234567890123456789e29"],
                "123456789012345678901234567890",
            ),
            (&["1e2", "100", "100.00"], "100"),
            (&["1e-400"], "1e-400"),
            (&["1e300"], "1e300"),
        ] {
            for text in texts {
                assert_eq!(Decimal::parse(text).unwrap().canonical(), expected, "{text}");
            }
        }
        for text in
            ["", "-", ".5", "5.", "1e", "1e+", "0x10", "1_000", "1,5", "NaN", "1e99999999999999999999", "١"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_value_to_the_last_digit() {
        let rising = [
            "-1e300",
            "-100",
            "-12345678901234567890.13",
            "-12345678901234567890.12",
            "-9",
            "-0.5",
            "0",
            "1e-400",
            "0.5",
            "2",
            "9",
            "10",
            "99.99",
            "100",
            "9007199254740993",
            "9007199254740994",
            "123456789012345678901234567890",
            "123456789012345678901234567891",
        ];
        let mut numbers: Vec<Decimal> = rising.iter().map(|text| Decimal::parse(text).unwrap()).collect();
        numbers.sort();
        let sorted: Vec<Decimal> = rising.iter().map(|text| Decimal::parse(text).unwrap()).collect();
        let negative = sorted.iter().filter(|number| number.is_negative).count();
        assert_eq!(numbers[negative..], sorted[negative..]);
        assert!(Decimal::parse("-100").unwrap() < Decimal::parse("-9").unwrap());
    }

    proptest! {
        #[test]
        fn integers_are_ordered_as_i128(one in any::<i128>(), other in any::<i128>()) {
            let read = |number: i128| Decimal::parse(&number.to_string()).unwrap();
            prop_assert_eq!(read(one).cmp(&read(other)), one.cmp(&other));
            prop_assert_eq!(read(one).canonical(), one.to_string());
        }

        #[test]
        fn spelling_does_not_change_the_value(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
            let plain = Decimal::parse(&format!("{number}")).unwrap();
            prop_assert_eq!(&plain, &Decimal::parse(&format!("{number:e}")).unwrap());
            prop_assert_eq!(Decimal::parse(&plain.canonical()).unwrap(), plain);
        }
    }
}
