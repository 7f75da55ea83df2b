//! How many entries there are, without counting them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Mark, State, View, end_of, week};

/// What an inbox counts as its entries come and change: for each tenant and week of its own, because a week goes as a
/// whole. Nothing has to be written when it goes: it is left out of the sum from then on. `Head::default()` is an inbox
/// that nothing has come into, so a missing item reads as that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// The number of the newest entry; 0 when there was none yet.
    #[serde(default)]
    pub last: u64,
    /// The number up to which every entry is filed by its time. A release that files none drops this member: then it is
    /// 0, and less than `last`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ordered: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sums: Vec<Sum>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The entries of one tenant that came in one week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "FlatSum", into = "FlatSum")]
struct Sum {
    tenant: Option<String>,
    week: i64,
    counts: Counts,
}

/// A sum as it is stored. It is flat because it is read and written with every entry. `serde(flatten)` cannot read it:
/// it buffers members, and a buffered number that keeps all its digits is no integer.
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

/// How many entries an inbox has. What is archived is in none of these.
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

/// An entry, as far as counting goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub seq: u64,
    pub state: State,
    pub tenant: Option<String>,
    pub created: Timestamp,
}

/// An entry that a mark moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    pub seq: u64,
    pub from: State,
    pub to: State,
}

impl Head {
    /// What is counted when one more entry has come, and the entry's number. Whoever writes the two must make sure that
    /// the head is still this one, and that the entry is not there under another number.
    #[must_use]
    pub fn with_one_more(&self, tenant: Option<&str>, now: Timestamp) -> (Head, u64) {
        let mut next = self.clone();
        // Weeks that are over are let go of here, where it costs nothing.
        next.sums.retain(|sum| end_of(sum.week) > now);
        next.last = self.last.saturating_add(1);
        if self.is_ordered() {
            next.ordered = next.last;
        }
        next.sum(tenant, week(now)).counts.step(State::Unseen, 1);
        let last = next.last;
        (next, last)
    }

    /// Whether every entry is filed by its time.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.ordered == self.last
    }

    /// The same, when all its entries have been filed by their time.
    #[must_use]
    pub fn filed(&self) -> Head {
        Head { ordered: self.last, ..self.clone() }
    }

    /// What is counted when some entries are marked, and which of them that moves. Each must be as it stands under this
    /// very head. What is over is left as it is.
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

    /// How many entries are in a view.
    #[must_use]
    pub fn counts(&self, view: &View, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        let live = self.sums.iter().filter(|sum| end_of(sum.week) > now);
        for sum in live.filter(|live| view.takes_in(live.tenant.as_deref())) {
            counts.add(sum.counts);
        }
        counts
    }

    /// When its newest entry is over.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.sums.iter().map(|sum| end_of(sum.week)).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn sum(&mut self, tenant: Option<&str>, week: i64) -> &mut Sum {
        let found = self.sums.iter().position(|sum| sum.week == week && sum.tenant.as_deref() == tenant);
        let at = found.unwrap_or_else(|| {
            let tenant = tenant.map(str::to_owned);
            self.sums.push(Sum { tenant, week, counts: Counts::default() });
            self.sums.len() - 1
        });
        &mut self.sums[at]
    }
}
