//! The digest policy of a rule: all settings except the length of the window.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::MAX_ITEMS;
use crate::base::path::Path;

/// The default number of activities and actors in a summary.
const DEFAULT_SHOW: u32 = 10;

/// The highest number of activities and actors in a summary.
const MAX_SHOW: u32 = 100;

/// The longest time that a sliding window may stay open, in hours: 31 days.
const MAX_SLIDING_HOURS: i64 = 31 * 24;

/// The digest policy.
///
/// JSON with optional members: `{"max_items": 50, "sliding": {"max": "PT2H"}, "flush_first": true, "lookback": false,
/// "keep": "highest", "sort_by": "$.data.severity", "show": 5}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct DigestPolicy {
    /// The number of events that closes the window: 2 to 1,000. `None` means 1,000.
    pub max_items: Option<u32>,
    /// Each event moves the closing time to one window length from now, at most this far from the opening. Above 0, up
    /// to 31 days.
    pub sliding: Option<SignedDuration>,
    /// The first event passes through; later events within the window are collected.
    pub flush_first: bool,
    /// An event passes through if no digest and no event of its key was sent within the last window length.
    pub lookback: bool,
    /// The selection of activities for the summary.
    pub keep: Keep,
    /// The number of activities and actors in the summary: 1 to 100.
    pub show: u32,
}

/// The selection of activities if there are more than the summary shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Keep {
    /// The oldest activities, oldest first.
    First,
    /// The newest activities, oldest first.
    Last,
    /// The activities with the highest values at the path, highest first.
    Highest(Path),
    /// The activities with the lowest values at the path, lowest first.
    Lowest(Path),
}

/// The reason why a digest policy is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigestPolicy {
    #[error("max_items: found {0}, wanted 2 to 1000")]
    MaxItems(u32),
    #[error(
        "sliding: found no `max`, wanted the longest time that the window may stay open, such as `max: PT2H`"
    )]
    SlidingWithoutMax,
    #[error("sliding.max: found {0}, wanted more than 0 and at most 31 days")]
    SlidingMax(SignedDuration),
    #[error("show: found {0}, wanted 1 to 100")]
    Show(u32),
    #[error("flush_first and lookback: found both, wanted at most one of them")]
    FlushFirstAndLookback,
    #[error("keep: found `highest` or `lowest` without `sort_by`, wanted a path such as `$.data.severity`")]
    NothingToSortBy,
    #[error("sort_by: found with `keep: first` or `keep: last`, wanted `highest` or `lowest`")]
    NotSorted,
}

impl Default for DigestPolicy {
    fn default() -> DigestPolicy {
        DigestPolicy {
            max_items: None,
            sliding: None,
            flush_first: false,
            lookback: false,
            keep: Keep::First,
            show: DEFAULT_SHOW,
        }
    }
}

impl DigestPolicy {
    /// The number of events that fills a window.
    pub(super) fn capacity(&self) -> u32 {
        self.max_items.unwrap_or(MAX_ITEMS).min(MAX_ITEMS)
    }
}

/// A policy in its JSON form.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_items: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sliding: Option<Sliding>,
    #[serde(default)]
    flush_first: bool,
    #[serde(default)]
    lookback: bool,
    #[serde(default)]
    keep: Order,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sort_by: Option<Path>,
    #[serde(default = "default_show")]
    show: u32,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `max`, such as `{max: PT2H}`")]
struct Sliding {
    #[serde(default)]
    max: Option<SignedDuration>,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    First,
    Last,
    Highest,
    Lowest,
}

fn default_show() -> u32 {
    DEFAULT_SHOW
}

impl TryFrom<Written> for DigestPolicy {
    type Error = InvalidDigestPolicy;

    fn try_from(written: Written) -> Result<DigestPolicy, InvalidDigestPolicy> {
        if let Some(found) = written.max_items.filter(|max_item| !(2..=MAX_ITEMS).contains(max_item)) {
            return Err(InvalidDigestPolicy::MaxItems(found));
        }
        if !(1..=MAX_SHOW).contains(&written.show) {
            return Err(InvalidDigestPolicy::Show(written.show));
        }
        if written.flush_first && written.lookback {
            return Err(InvalidDigestPolicy::FlushFirstAndLookback);
        }
        let sliding = match written.sliding {
            Some(sliding) => Some(sliding.max.ok_or(InvalidDigestPolicy::SlidingWithoutMax)?),
            None => None,
        };
        let longest = SignedDuration::from_hours(MAX_SLIDING_HOURS);
        if let Some(found) = sliding.filter(|sliding| *sliding <= SignedDuration::ZERO || *sliding > longest)
        {
            return Err(InvalidDigestPolicy::SlidingMax(found));
        }
        let keep = match (written.keep, written.sort_by) {
            (Order::First, None) => Keep::First,
            (Order::Last, None) => Keep::Last,
            (Order::Highest, Some(by)) => Keep::Highest(by),
            (Order::Lowest, Some(by)) => Keep::Lowest(by),
            (Order::First | Order::Last, Some(_)) => return Err(InvalidDigestPolicy::NotSorted),
            (Order::Highest | Order::Lowest, None) => return Err(InvalidDigestPolicy::NothingToSortBy),
        };
        Ok(DigestPolicy {
            max_items: written.max_items,
            sliding,
            flush_first: written.flush_first,
            lookback: written.lookback,
            keep,
            show: written.show,
        })
    }
}

impl From<DigestPolicy> for Written {
    fn from(policy: DigestPolicy) -> Written {
        let (keep, sort_by) = match policy.keep {
            Keep::First => (Order::First, None),
            Keep::Last => (Order::Last, None),
            Keep::Highest(by) => (Order::Highest, Some(by)),
            Keep::Lowest(by) => (Order::Lowest, Some(by)),
        };
        Written {
            max_items: policy.max_items,
            sliding: policy.sliding.map(|max| Sliding { max: Some(max) }),
            flush_first: policy.flush_first,
            lookback: policy.lookback,
            keep,
            sort_by,
            show: policy.show,
        }
    }
}
