//! How long a job stays away before it is tried again.

use std::time::Duration;

/// The pause after the first try.
const FIRST: Duration = Duration::from_secs(5);

/// No pause is longer: a queue must drain once a provider is back.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Doubles with every receive, with up to a quarter more so that a failed batch does not come back as one. The part
/// added is taken from `seed`, so the same job waits equally long however often it is asked.
pub(crate) fn after(receives: u32, seed: &str) -> Duration {
    let doubled = FIRST.saturating_mul(1 << receives.saturating_sub(1).min(16)).min(LONGEST);
    let spread: u32 = seed.bytes().fold(0, |sum, it| sum.wrapping_mul(31).wrapping_add(u32::from(it)));
    doubled + doubled * (spread % 256) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_a_quarter_of_an_hour_and_is_spread_by_a_quarter() {
        for (receives, least) in [(0, 5), (1, 5), (2, 10), (3, 20), (9, 900), (u32::MAX, 900)] {
            for seed in ["", "a", "some key", "another"] {
                let pause = after(receives, seed).as_secs_f64();
                assert!(pause >= f64::from(least) && pause <= f64::from(least) * 1.25, "{receives} {pause}");
            }
        }
    }
}
