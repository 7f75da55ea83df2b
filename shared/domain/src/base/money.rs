//! Amounts of money in millionths of a currency unit. The price of an SMS has five decimals, and large sums must be
//! exact.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of millionths in one unit.
const UNIT: u64 = 1_000_000;

/// Number of decimals that are stored.
const DECIMALS: usize = 6;

/// A non-negative amount of money. The currency is stored separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// Reads `20`, `20.00` or `0.00645`. `None` for a sign, an exponent, a seventh decimal, overflow, or other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Micros> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > DECIMALS {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let part: u64 = format!("{part:0<DECIMALS$}").parse().ok()?;
        whole.checked_mul(UNIT)?.checked_add(part).map(Micros)
    }

    /// The amount multiplied by `n`, saturating.
    #[must_use]
    pub fn times(self, n: usize) -> Micros {
        Micros(self.0.saturating_mul(u64::try_from(n).unwrap_or(u64::MAX)))
    }
}

/// Prints at least two decimals: `20.00`, `0.00645`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:0DECIMALS$}", self.0 % UNIT);
        let part = part.trim_end_matches('0');
        write!(f, "{}.{part:0<2}", self.0 / UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_exact_to_the_millionth() {
        check("20", Some("20.00"));
        check("20.5", Some("20.50"));
        check("0.00645", Some("0.00645"));
        check("0.000001", Some("0.000001"));
        for bad in ["", ".5", "5.", "-1", "+1", "1e3", "0.0000001", "1,50", "99999999999999999999"] {
            check(bad, None);
        }
        assert_eq!(Micros::parse("0.00645").unwrap().times(3), Micros(19_350));
        assert_eq!(Micros(2).times(usize::MAX), Micros(u64::MAX));
    }

    proptest! {
        #[test]
        fn displayed_amount_parses_to_the_same_value(amount in any::<u64>()) {
            prop_assert_eq!(Micros::parse(&Micros(amount).to_string()), Some(Micros(amount)));
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = Micros::parse(text).map(|amount| amount.to_string());
        assert_eq!(found.as_deref(), expected, "{text:?}");
    }
}
