//! Backoff before unprocessed items are sent again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The longest pause before the second round.
const FIRST: Duration = Duration::from_millis(50);

/// Waits before round `round`, counted from 0. There is no pause before the first round.
///
/// The pause doubles with every round. Half of it is random, so that callers that were throttled together do not
/// return together.
pub(crate) async fn before(round: u32) {
    if round > 0 {
        // Every `RandomState` has new keys, which is random enough for jitter.
        let chance = RandomState::new().hash_one(round);
        tokio::time::sleep(length(round, chance)).await;
    }
}

fn length(round: u32, chance: u64) -> Duration {
    let longest = FIRST * (1 << (round - 1).min(6));
    let share = u32::try_from(chance % 1024).unwrap_or(0);
    longest / 2 + longest / 2 * share / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_doubles_with_jitter() {
        for (round, longest) in [(1, 50), (2, 100), (4, 400), (7, 3_200), (u32::MAX, 3_200)] {
            assert_eq!(length(round, 0), Duration::from_millis(longest / 2));
            let most = length(round, 1023);
            assert!(most > Duration::from_millis(longest * 9 / 10) && most <= Duration::from_millis(longest));
        }
    }
}
