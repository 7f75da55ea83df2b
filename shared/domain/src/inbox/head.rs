//! Counts of an inbox, kept without reading its entries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Mark, State, View, end_of, week};

/// The counters of an inbox, updated with every change. They are kept for each tenant and week, because entries expire
/// by week. Expired weeks need no write: they are omitted from the sum. `Head::default()` is an empty inbox, so a
/// missing item reads as empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// The number of the newest entry; 0 without entries.
    #[serde(default)]
    pub last: u64,
    /// The number up to which every entry is indexed by its time. A release without that index drops this member, so
    /// it becomes 0 and less than `last`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ordered: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sums: Vec<Sum>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The counts of one tenant in one week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "FlatSum", into = "FlatSum")]
struct Sum {
    tenant: Option<String>,
    week: i64,
    counts: Counts,
}

/// The stored form of a sum. It is flat because it is read and written with every entry. `serde(flatten)` cannot read
/// it: the buffered numbers with all their digits are not integers.
#[derive(Serialize, Deserialize)]
struct FlatSum {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    week: i64,
    unseen: u32,
    unread: u32,
    total: u32,
}

impl From<FlatSum> for Sum {
    fn from(flat: FlatSum) -> Sum {
        let FlatSum { tenant, week, unseen, unread, total } = flat;
        Sum { tenant, week, counts: Counts { unseen, unread, total } }
    }
}

impl From<Sum> for FlatSum {
    fn from(sum: Sum) -> FlatSum {
        let Sum { tenant, week, counts: Counts { unseen, unread, total } } = sum;
        FlatSum { tenant, week, unseen, unread, total }
    }
}

/// The counts of an inbox. Archived entries are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub unseen: u32,
    /// Unseen or seen.
    pub unread: u32,
    pub total: u32,
}

impl Counts {
    fn step(&mut self, state: State, step: i32) {
        let by = |count: &mut u32, counts: bool| {
            if counts {
                *count = count.saturating_add_signed(step);
            }
        };
        by(&mut self.unseen, state == State::Unseen);
        by(&mut self.unread, state < State::Read);
        by(&mut self.total, state != State::Archived);
    }

    fn add(&mut self, other: Counts) {
        self.unseen = self.unseen.saturating_add(other.unseen);
        self.unread = self.unread.saturating_add(other.unread);
        self.total = self.total.saturating_add(other.total);
    }
}

/// The values of an entry that counting needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub seq: u64,
    pub state: State,
    pub tenant: Option<String>,
    pub created: Timestamp,
}

/// An entry whose state a mark changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    pub seq: u64,
    pub from: State,
    pub to: State,
}

impl Head {
    /// Adds one entry. Returns the next head and the number of the entry. The caller must write both on the condition
    /// that the head is unchanged and that the entry does not exist under another number.
    #[must_use]
    pub fn with_new_entry(&self, tenant: Option<&str>, now: Timestamp) -> (Head, u64) {
        let mut next = self.clone();
        // Drops expired weeks, which needs no extra write here.
        next.sums.retain(|sum| end_of(sum.week) > now);
        next.last = self.last.saturating_add(1);
        if self.is_ordered() {
            next.ordered = next.last;
        }
        next.sum(tenant, week(now)).counts.step(State::Unseen, 1);
        let last = next.last;
        (next, last)
    }

    /// Whether every entry is indexed by its time.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.ordered == self.last
    }

    /// The same head after all its entries were indexed by their time.
    #[must_use]
    pub fn filed(&self) -> Head {
        Head { ordered: self.last, ..self.clone() }
    }

    /// Applies a mark to entries. Returns the next head and the changed entries. The caller must have read the entries
    /// under this head. Expired entries are unchanged.
    #[must_use]
    pub fn marked(&self, entries: &[Place], mark: Mark, now: Timestamp) -> (Head, Vec<Changed>) {
        let mut next = self.clone();
        let mut changes: Vec<Changed> = Vec::new();
        for entry in entries.iter().filter(|entry| !super::is_over(entry.created, now)) {
            let to = entry.state.after(mark);
            if to == entry.state || changes.iter().any(|other| other.seq == entry.seq) {
                continue;
            }
            let sum = next.sum(entry.tenant.as_deref(), week(entry.created));
            sum.counts.step(entry.state, -1);
            sum.counts.step(to, 1);
            changes.push(Changed { seq: entry.seq, from: entry.state, to });
        }
        (next, changes)
    }

    /// The counts of a view.
    #[must_use]
    pub fn counts(&self, view: &View, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        let live = self.sums.iter().filter(|sum| end_of(sum.week) > now);
        for sum in live.filter(|live| view.takes_in(live.tenant.as_deref())) {
            counts.add(sum.counts);
        }
        counts
    }

    /// The expiry of the newest entry.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.sums.iter().map(|sum| end_of(sum.week)).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn sum(&mut self, tenant: Option<&str>, week: i64) -> &mut Sum {
        let found = self.sums.iter().position(|sum| sum.week == week && sum.tenant.as_deref() == tenant);
        let index = found.unwrap_or_else(|| {
            let tenant = tenant.map(str::to_owned);
            self.sums.push(Sum { tenant, week, counts: Counts::default() });
            self.sums.len() - 1
        });
        &mut self.sums[index]
    }
}
