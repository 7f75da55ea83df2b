//! Numbers as EventBridge compares them: as doubles, unless a double would move them.

use serde_json::Number;

/// Below this magnitude every integer has a double of its own: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What `numeric` asks for.
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

/// The double that a number is compared as; `None` for an integer that its double's shortest spelling does not spell.
///
/// Source: aws/event-ruler 2.0.1, `ComparableNumber`.
pub(super) fn comparable(number: &Number) -> Option<f64> {
    let double = number.as_f64()?;
    let kept = number.is_f64() || double.abs() < EXACT || double.to_string() == number.to_string();
    kept.then_some(double)
}

/// Whether two numbers are one: 5 and 5.0 are, and so are two equal integers however large.
pub(super) fn equal(left: &Number, right: &Number) -> bool {
    match (comparable(left), comparable(right)) {
        (Some(left), Some(right)) => left == right,
        (None, None) => left == right,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
