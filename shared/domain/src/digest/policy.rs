//! What a rule says about collecting, apart from how long a window is.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::MAX_ITEMS;
use crate::path::Path;

/// How many activities and actors a template gets when the policy does not say.
const DEFAULT_SHOW: u32 = 10;

/// How many it gets at most.
const MAX_SHOW: u32 = 100;

/// The longest that a sliding window may stay open, in hours: 31 days.
const MAX_SLIDING_HOURS: i64 = 31 * 24;

/// How events are collected.
///
/// As JSON, every member optional: `{"max_items": 50, "sliding": {"max": "PT2H"}, "flush_first": true, "lookback":
/// false, "keep": "highest", "sort_by": "$.data.severity", "show": 5}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct DigestPolicy {
    /// The window closes as soon as it has so many: 2 to 1,000. `None` means 1,000.
    pub max_items: Option<u32>,
    /// Each event moves the close to a window's length from now, and never further from the opening than this: above
    /// 0, up to 31 days.
    pub sliding: Option<SignedDuration>,
    /// The first event goes straight through; what follows within the window is collected.
    pub flush_first: bool,
    /// An event goes straight through if nothing was sent for its key during the last window's length.
    pub lookback: bool,
    /// Which activities a template gets.
    pub keep: Keep,
    /// How many activities and actors a template gets: 1 to 100.
    pub show: u32,
}

/// Which activities a template gets when there are more than it shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Keep {
    /// The oldest, oldest first.
    First,
    /// The newest, oldest first.
    Last,
    /// Those where the path finds the highest values, highest first.
    Highest(Path),
    /// Those where the path finds the lowest values, lowest first.
    Lowest(Path),
}

/// Why a digest policy was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    #[error("max_items: found {0}, wanted 2 to 1000")]
    MaxItems(u32),
    #[error("sliding: found no `max`, wanted the longest that the window may stay open, such as `max: PT2H`")]
    SlidingWithoutMax,
    #[error("sliding.max: found {0}, wanted more than nothing and 31 days at most")]
    SlidingMax(SignedDuration),
    #[error("show: found {0}, wanted 1 to 100")]
    Show(u32),
    #[error("flush_first and lookback: found both, wanted one; each lets an event through in its own way")]
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
    /// How many events fill a window.
    pub(super) fn capacity(&self) -> u32 {
        self.max_items.unwrap_or(MAX_ITEMS).min(MAX_ITEMS)
    }
}

/// A policy as files have it.
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
    type Error = BadPolicy;

    fn try_from(written: Written) -> Result<DigestPolicy, BadPolicy> {
        if let Some(found) = written.max_items.filter(|max_item| !(2..=MAX_ITEMS).contains(max_item)) {
            return Err(BadPolicy::MaxItems(found));
        }
        if !(1..=MAX_SHOW).contains(&written.show) {
            return Err(BadPolicy::Show(written.show));
        }
        if written.flush_first && written.lookback {
            return Err(BadPolicy::FlushFirstAndLookback);
        }
        let sliding = match written.sliding {
            Some(sliding) => Some(sliding.max.ok_or(BadPolicy::SlidingWithoutMax)?),
            None => None,
        };
        let longest = SignedDuration::from_hours(MAX_SLIDING_HOURS);
        if let Some(found) = sliding.filter(|sliding| *sliding <= SignedDuration::ZERO || *sliding > longest)
        {
            return Err(BadPolicy::SlidingMax(found));
        }
        let keep = match (written.keep, written.sort_by) {
            (Order::First, None) => Keep::First,
            (Order::Last, None) => Keep::Last,
            (Order::Highest, Some(by)) => Keep::Highest(by),
            (Order::Lowest, Some(by)) => Keep::Lowest(by),
            (Order::First | Order::Last, Some(_)) => return Err(BadPolicy::NotSorted),
            (Order::Highest | Order::Lowest, None) => return Err(BadPolicy::NothingToSortBy),
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
