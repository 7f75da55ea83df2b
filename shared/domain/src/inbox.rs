//! The inbox of in-app messages: entries, their states and counts. This module accesses no table. The caller must
//! write a [`Head`] and the entries it counts in one transaction.

mod head;
mod kept;
mod marking;
mod view;

use jiff::{SignedDuration, Timestamp};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::catalog::rule::Unless;

pub use head::{Changed, Counts, Head, Place};
pub use kept::{Kept, MAX_ENTRY_BYTES};
pub use marking::{Marking, is_category, keys};
pub use view::View;

/// The shortest retention of an entry, in days. Entries of one week expire together, when the newest of them reaches
/// this age: up to a week later.
pub const RETENTION_DAYS: i64 = 90;

const WEEK_SECONDS: i64 = 7 * 86_400;

/// The state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No client has listed the entry.
    Unseen,
    /// The entry was in a displayed list.
    Seen,
    /// The user opened the entry.
    Read,
    /// The user archived the entry. It is not counted, and is listed only on request.
    Archived,
}

impl State {
    /// All states.
    pub const ALL: [State; 4] = [State::Unseen, State::Seen, State::Read, State::Archived];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Unseen => "unseen",
            State::Seen => "seen",
            State::Read => "read",
            State::Archived => "archived",
        }
    }

    /// Parses the name that [`State::name`] returns.
    #[must_use]
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state after a mark. Only `Unarchived` restores an archived entry, as read. A mark without effect keeps the
    /// state.
    #[must_use]
    pub fn after(self, mark: Mark) -> State {
        match (mark, self) {
            (Mark::Seen, State::Unseen) | (Mark::Unread, State::Read) => State::Seen,
            (Mark::Read, State::Unseen | State::Seen) | (Mark::Unarchived, State::Archived) => State::Read,
            (Mark::Archived, _) => State::Archived,
            (Mark::Seen | Mark::Read | Mark::Unread | Mark::Unarchived, state) => state,
        }
    }
}

/// An action of the user on entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    Seen,
    Read,
    /// Unread again; the entry stays seen.
    Unread,
    Archived,
    Unarchived,
}

impl Mark {
    /// All marks.
    pub const ALL: [Mark; 5] = [Mark::Seen, Mark::Read, Mark::Unread, Mark::Archived, Mark::Unarchived];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mark::Seen => "seen",
            Mark::Read => "read",
            Mark::Unread => "unread",
            Mark::Archived => "archived",
            Mark::Unarchived => "unarchived",
        }
    }

    /// Parses the name that [`Mark::name`] returns.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Mark> {
        Mark::ALL.into_iter().find(|mark| mark.name() == name)
    }

    /// The engagement that the mark reports for the notification, which escalations evaluate. Archiving an unopened
    /// entry counts as seen.
    #[must_use]
    pub fn says(self) -> Option<Unless> {
        match self {
            Mark::Seen | Mark::Read | Mark::Archived => Some(Unless::Seen),
            Mark::Unread | Mark::Unarchived => None,
        }
    }
}

/// The owner of an inbox, and the visible part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub user: String,
    pub view: View,
}

/// The selection of entries by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InboxFilter {
    /// All entries except archived ones.
    #[default]
    Inbox,
    Unseen,
    /// Unseen or seen.
    Unread,
    Archived,
}

impl InboxFilter {
    /// All selections.
    pub const ALL: [InboxFilter; 4] =
        [InboxFilter::Inbox, InboxFilter::Unseen, InboxFilter::Unread, InboxFilter::Archived];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            InboxFilter::Inbox => "inbox",
            InboxFilter::Unseen => "unseen",
            InboxFilter::Unread => "unread",
            InboxFilter::Archived => "archived",
        }
    }

    /// Parses the name that [`InboxFilter::name`] returns.
    #[must_use]
    pub fn from_name(name: &str) -> Option<InboxFilter> {
        InboxFilter::ALL.into_iter().find(|filter| filter.name() == name)
    }

    /// The states of the selected entries.
    #[must_use]
    pub fn states(self) -> &'static [State] {
        match self {
            InboxFilter::Inbox => &[State::Unseen, State::Seen, State::Read],
            InboxFilter::Unseen => &[State::Unseen],
            InboxFilter::Unread => &[State::Unseen, State::Seen],
            InboxFilter::Archived => &[State::Archived],
        }
    }
}

/// The entries to list, or to mark at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxQuery {
    pub filter: InboxFilter,
    /// Only entries of rules with this category.
    pub category: Option<String>,
}

/// An entry with its current state.
#[derive(Clone)]
pub struct Entry {
    /// The sequence number in this user's inbox: later entries have higher numbers.
    pub seq: u64,
    pub state: State,
    pub tenant: Option<String>,
    pub created: Timestamp,
    pub kept: Kept,
}

impl Entry {
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        is_over(self.created, now)
    }
}

/// The form for clients: one flat object.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Kept { id, event, rule, category, priority, title, body, data, due: _, truncated } = &self.kept;
        let mut entry = serializer.serialize_struct("Entry", 14)?;
        entry.serialize_field("id", id)?;
        entry.serialize_field("seq", &self.seq)?;
        entry.serialize_field("state", &self.state)?;
        entry.serialize_field("created", &self.created)?;
        entry.serialize_field("time", &self.kept.time())?;
        if let Some(tenant) = &self.tenant {
            entry.serialize_field("tenant", tenant)?;
        }
        entry.serialize_field("event", event)?;
        entry.serialize_field("rule", rule)?;
        entry.serialize_field("category", category)?;
        entry.serialize_field("priority", priority)?;
        entry.serialize_field("title", title.expose())?;
        entry.serialize_field("body", body.expose())?;
        if let Some(data) = data {
            entry.serialize_field("data", data.expose())?;
        }
        if *truncated {
            entry.serialize_field("truncated", truncated)?;
        }
        entry.end()
    }
}

/// The expiry of an entry created at `created`.
#[must_use]
pub fn expires_at(created: Timestamp) -> Timestamp {
    end_of(week(created))
}

/// Whether an entry created at `created` has expired.
#[must_use]
pub fn is_over(created: Timestamp, now: Timestamp) -> bool {
    expires_at(created) <= now
}

/// Weeks since 1970-01-01, a Thursday.
fn week(time: Timestamp) -> i64 {
    time.as_second().div_euclid(WEEK_SECONDS)
}

fn end_of(week: i64) -> Timestamp {
    let ends = SignedDuration::from_secs(week.saturating_add(1).saturating_mul(WEEK_SECONDS));
    let gone = ends.saturating_add(SignedDuration::from_hours(24 * RETENTION_DAYS));
    Timestamp::UNIX_EPOCH.checked_add(gone).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
