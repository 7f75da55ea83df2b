//! How long a call stays away before what it left over is asked for again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The longest pause after the first round.
const FIRST: Duration = Duration::from_millis(50);

/// Waits before round `round`, counted from 0; before the first there is nothing to wait for.
///
/// The pause doubles with every round, and callers that were turned away together come back apart: between half of it
/// and all of it is left to chance.
pub(crate) async fn before(round: u32) {
    if round > 0 {
        // Its keys are new for every one: chance enough to keep callers apart.
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
    fn a_pause_doubles_and_callers_come_back_apart() {
        for (round, longest) in [(1, 50), (2, 100), (4, 400), (7, 3_200), (u32::MAX, 3_200)] {
            assert_eq!(length(round, 0), Duration::from_millis(longest / 2));
            let most = length(round, 1023);
            assert!(most > Duration::from_millis(longest * 9 / 10) && most <= Duration::from_millis(longest));
        }
    }
}
