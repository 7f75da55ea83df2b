//! Numbers as EventBridge compares them: as doubles, if the conversion is exact.

use serde_json::Number;

/// Every integer below this magnitude has its own double: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The condition of a `numeric` operator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: Option<Bound>,
    pub(super) high: Option<Bound>,
}

/// One end of a [`Range`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bound {
    pub(super) limit: f64,
    pub(super) inclusive: bool,
}

impl Range {
    pub(super) fn holds(&self, number: &Number) -> bool {
        let Some(number) = comparable(number) else {
            return false;
        };
        let above = self.low.is_none_or(|low| number > low.limit || (low.inclusive && number == low.limit));
        let below =
            self.high.is_none_or(|high| number < high.limit || (high.inclusive && number == high.limit));
        above && below
    }
}

/// The double as which a number is compared. `None` for an integer that differs from the shortest spelling of its
/// double.
///
/// Source: aws/event-ruler 2.0.1, `ComparableNumber`.
pub(super) fn comparable(number: &Number) -> Option<f64> {
    let double = number.as_f64()?;
    let kept = number.is_f64() || double.abs() < EXACT || double.to_string() == number.to_string();
    kept.then_some(double)
}

/// Whether two numbers are equal: 5 equals 5.0, and equal integers of any size are equal.
pub(super) fn equal(left: &Number, right: &Number) -> bool {
    match (comparable(left), comparable(right)) {
        (Some(left), Some(right)) => left == right,
        (None, None) => left == right,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
