//! A short wait before something is tried again.

use std::time::Duration;

/// The wait after the first loss.
const FIRST: Duration = Duration::from_millis(15);

/// No wait is longer.
const LONGEST: Duration = Duration::from_millis(600);

/// Waits longer with every round, and not as long as the others that lost with us: `seed` decides how long within the
/// upper half.
pub(crate) async fn between(round: u32, seed: &str) {
    tokio::time::sleep(length(round, seed)).await;
}

fn length(round: u32, seed: &str) -> Duration {
    let whole = FIRST.saturating_mul(1 << round.min(10)).min(LONGEST);
    let spread = seed.bytes().fold(round, |sum, it| sum.wrapping_mul(31).wrapping_add(u32::from(it)));
    whole / 2 + whole / 2 * (spread % 256) / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_grows_to_its_limit_and_differs_between_those_who_lost_together() {
        assert!(length(0, "a") < length(3, "a"));
        assert!(length(50, "a") <= LONGEST);
        assert_ne!(length(3, "a"), length(3, "b"));
    }
}
