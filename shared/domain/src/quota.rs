//! How fast a provider may be asked: a bucket of tokens, of which every sender takes a slice ahead of time.
//!
//! The bucket is one instant, the time at which it will be full again; a token moves it by one interval. So it needs
//! no clockwork, and whoever writes the next one over the one that was read has the tokens to themselves.
//!
//! The arithmetic is that of the generic cell rate algorithm, ITU-T I.371.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The most tokens of a second that can be asked for.
pub const MAX_PER_SECOND: u32 = 100_000;

/// So many in a second, and so many at once when nobody asked for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    interval: SignedDuration,
    burst: i32,
}

/// What is left. The default is a full bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// When it is full, if nobody takes anything. In the past it is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    full_at: Option<Timestamp>,
}

/// Tokens that were taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// When each may be used, in order: now, or a little later.
    pub tokens: Vec<Timestamp>,
    /// What is left, to be written before any of them is used.
    pub next: Bucket,
}

/// A text that is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("wanted a limit such as `10/s:50` or `6/min:3`")]
pub struct NoQuota;

impl Quota {
    /// `None` when it is no rate: 0, or more than [`MAX_PER_SECOND`]. A burst is what a second gives.
    #[must_use]
    pub fn per_second(rate: u32) -> Option<Quota> {
        if rate == 0 || rate > MAX_PER_SECOND {
            return None;
        }
        // Rounded up: rather a token too few.
        let interval = SignedDuration::from_nanos(1_000_000_000_i64.div_euclid(i64::from(rate)) + 1);
        Some(Quota { interval, burst: i32::try_from(rate).unwrap_or(1) })
    }

    /// One token every `interval`, and `burst` of them at once. `None` for an interval or a burst of 0.
    #[must_use]
    pub fn every(interval: SignedDuration, burst: u32) -> Option<Quota> {
        let burst = i32::try_from(burst).ok().filter(|it| *it > 0)?;
        (interval > SignedDuration::ZERO).then_some(Quota { interval, burst })
    }

    /// Reads a limit as an operator writes it: `10/s:50`, `6/min:3`.
    ///
    /// # Errors
    /// [`NoQuota`] says what is wanted.
    pub fn parse(text: &str) -> Result<Quota, NoQuota> {
        let (rate, burst) = text.split_once(':').ok_or(NoQuota)?;
        let (count, unit) = rate.split_once('/').ok_or(NoQuota)?;
        let unit = match unit {
            "s" => SignedDuration::from_secs(1),
            "min" => SignedDuration::from_mins(1),
            _ => return Err(NoQuota),
        };
        let count: i32 = count.parse().map_err(|_| NoQuota)?;
        let burst: u32 = burst.parse().map_err(|_| NoQuota)?;
        let most = i32::try_from(MAX_PER_SECOND).unwrap_or(i32::MAX);
        if !(1..=most).contains(&count) || burst > MAX_PER_SECOND {
            return Err(NoQuota);
        }
        Quota::every(unit / count, burst).ok_or(NoQuota)
    }

    /// What `n` tokens move the bucket by.
    #[must_use]
    pub fn cost(&self, n: u32) -> SignedDuration {
        self.interval.saturating_mul(i32::try_from(n).unwrap_or(i32::MAX))
    }

    /// The latest time at which a bucket may be full for `n` tokens to be there at `now`.
    #[must_use]
    pub fn latest(&self, n: u32, now: Timestamp) -> Timestamp {
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        now.saturating_add(self.interval.saturating_mul(self.burst.saturating_sub(n)))
            .unwrap_or(Timestamp::MAX)
    }

    /// How long until one token is there, for a bucket that will be full at `full_at`. Zero: there is one now.
    #[must_use]
    pub fn wait(&self, full_at: Timestamp, now: Timestamp) -> Duration {
        Duration::try_from(full_at.duration_since(self.latest(1, now))).unwrap_or(Duration::ZERO)
    }

    /// How many may be used at once.
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
        let mut full_at = self.full_at.map_or(now, |it| it.max(now));
        let mut tokens = Vec::with_capacity(n);
        for _ in 0..n {
            // A token may be used as long as those before it leave room for it in a burst.
            let room = quota.interval.saturating_mul(quota.burst - 1);
            let at = full_at.saturating_add(-room).unwrap_or(Timestamp::MIN).max(now);
            let Ok(next) = full_at.checked_add(quota.interval) else { break };
            if at > last {
                break;
            }
            tokens.push(at);
            full_at = next;
        }
        let next = if tokens.is_empty() { self.clone() } else { Bucket { full_at: Some(full_at) } };
        Slice { tokens, next }
    }

    /// How long whoever got no token stays away: as long as all that are taken need, and up to as long again.
    #[must_use]
    pub fn pause(&self, now: Timestamp, chance: u64) -> Duration {
        const LEAST: Duration = Duration::from_secs(5);
        const MOST: Duration = Duration::from_secs(120);
        let ahead = self.full_at.map_or(SignedDuration::ZERO, |it| it.duration_since(now));
        let ahead = Duration::try_from(ahead).unwrap_or(Duration::ZERO).clamp(LEAST, MOST);
        ahead + crate::retry::jittered(ahead, chance)
    }
}

#[cfg(test)]
mod tests;
