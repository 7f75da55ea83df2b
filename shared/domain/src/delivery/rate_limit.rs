//! Rate limits of provider calls: a token bucket from which each sender takes a slice in advance.
//!
//! The state of the bucket is one instant, the time at which the bucket will be full again. Each token moves it by
//! one interval, so no timer is needed. Conditional writes ensure that only one sender takes the same tokens.
//!
//! The algorithm is the generic cell rate algorithm of ITU-T I.371.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Maximum rate in tokens per second.
pub const MAX_PER_SECOND: u32 = 100_000;

/// A rate limit: a sustained rate, and a burst after idle time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    interval: SignedDuration,
    burst: i32,
}

/// The state of a token bucket. The default is a full bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// The time at which the bucket will be full if no tokens are taken. A time in the past means a full bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    full_at: Option<Timestamp>,
}

/// Tokens that were taken from the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The times from which each token may be used, in ascending order.
    pub tokens: Vec<Timestamp>,
    /// The bucket's new state. Write it before any token is used.
    pub next: Bucket,
}

/// A text that is not a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wanted a limit such as `10/s:50` or `6/min:3`")]
pub struct InvalidQuota;

impl Quota {
    /// A limit of `rate` tokens per second, with a burst of one second's tokens. `None` for a rate of 0 or above
    /// [`MAX_PER_SECOND`].
    #[must_use]
    pub fn per_second(rate: u32) -> Option<Quota> {
        if rate == 0 || rate > MAX_PER_SECOND {
            return None;
        }
        // Rounded up, so that rounding never exceeds the rate.
        let interval = SignedDuration::from_nanos(1_000_000_000_i64.div_euclid(i64::from(rate)) + 1);
        Some(Quota { interval, burst: i32::try_from(rate).unwrap_or(1) })
    }

    /// One token per `interval`, with a burst of `burst` tokens. `None` for an interval or a burst of 0.
    #[must_use]
    pub fn every(interval: SignedDuration, burst: u32) -> Option<Quota> {
        let burst = i32::try_from(burst).ok().filter(|burst| *burst > 0)?;
        (interval > SignedDuration::ZERO).then_some(Quota { interval, burst })
    }

    /// Reads a limit in the operator's notation: `10/s:50`, `6/min:3`.
    ///
    /// # Errors
    /// [`InvalidQuota`] names the wanted form.
    pub fn parse(text: &str) -> Result<Quota, InvalidQuota> {
        let (rate, burst) = text.split_once(':').ok_or(InvalidQuota)?;
        let (count, unit) = rate.split_once('/').ok_or(InvalidQuota)?;
        let unit = match unit {
            "s" => SignedDuration::from_secs(1),
            "min" => SignedDuration::from_mins(1),
            _ => return Err(InvalidQuota),
        };
        let count: i32 = count.parse().map_err(|_| InvalidQuota)?;
        let burst: u32 = burst.parse().map_err(|_| InvalidQuota)?;
        let most = i32::try_from(MAX_PER_SECOND).unwrap_or(i32::MAX);
        if !(1..=most).contains(&count) || burst > MAX_PER_SECOND {
            return Err(InvalidQuota);
        }
        Quota::every(unit / count, burst).ok_or(InvalidQuota)
    }

    /// The time by which `n` tokens move the bucket.
    #[must_use]
    pub fn cost(&self, n: u32) -> SignedDuration {
        self.interval.saturating_mul(i32::try_from(n).unwrap_or(i32::MAX))
    }

    /// The latest `full_at` of a bucket that has `n` tokens at `now`.
    #[must_use]
    pub fn latest(&self, n: u32, now: Timestamp) -> Timestamp {
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        now.saturating_add(self.interval.saturating_mul(self.burst.saturating_sub(n)))
            .unwrap_or(Timestamp::MAX)
    }

    /// The wait until one token is available, for a bucket that is full at `full_at`. Zero if one is available now.
    #[must_use]
    pub fn wait(&self, full_at: Timestamp, now: Timestamp) -> Duration {
        Duration::try_from(full_at.duration_since(self.latest(1, now))).unwrap_or(Duration::ZERO)
    }

    /// The size of a burst.
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.burst.unsigned_abs()
    }
}

impl Bucket {
    /// Takes up to `n` tokens that may be used by `now + ahead`.
    #[must_use]
    pub fn take(&self, quota: &Quota, n: usize, now: Timestamp, ahead: Duration) -> Slice {
        let last = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
        let mut full_at = self.full_at.map_or(now, |full_at| full_at.max(now));
        let mut tokens = Vec::with_capacity(n);
        for _ in 0..n {
            // A token may be used as soon as the burst has room for it.
            let room = quota.interval.saturating_mul(quota.burst - 1);
            let usable_at = full_at.saturating_add(-room).unwrap_or(Timestamp::MIN).max(now);
            let Ok(next) = full_at.checked_add(quota.interval) else { break };
            if usable_at > last {
                break;
            }
            tokens.push(usable_at);
            full_at = next;
        }
        let next = if tokens.is_empty() { self.clone() } else { Bucket { full_at: Some(full_at) } };
        Slice { tokens, next }
    }

    /// The pause of a sender that got no token: the time until all taken tokens are used, plus up to the same again
    /// at random.
    #[must_use]
    pub fn pause(&self, now: Timestamp, chance: u64) -> Duration {
        const MIN: Duration = Duration::from_secs(5);
        const MAX: Duration = Duration::from_secs(120);
        let ahead = self.full_at.map_or(SignedDuration::ZERO, |full_at| full_at.duration_since(now));
        let ahead = Duration::try_from(ahead).unwrap_or(Duration::ZERO).clamp(MIN, MAX);
        ahead + crate::delivery::retry::jittered(ahead, chance)
    }
}

#[cfg(test)]
mod tests;
