//! What somebody was told live and can read later: entries, where each stands, and how many there are. It knows no
//! table; whoever keeps an inbox writes its [`Head`] and the entries it counts together or not at all.

mod head;
mod kept;
mod marking;
mod view;

use jiff::{SignedDuration, Timestamp};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::rule::Unless;

pub use head::{Changed, Counts, Head, Place};
pub use kept::{Kept, MAX_ENTRY_BYTES};
pub use marking::{Marking, is_category, keys};
pub use view::View;

/// How long an entry is kept at least, in days. All that came in one week go together, at the end of the week in which
/// the newest of them is so old: up to a week later.
pub const RETENTION_DAYS: i64 = 90;

const WEEK_SECONDS: i64 = 7 * 86_400;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has looked since it came.
    Unseen,
    /// It was in a list that somebody looked at.
    Seen,
    /// Somebody read it.
    Read,
    /// Somebody put it away. It counts nowhere and is listed only when asked for.
    Archived,
}

impl State {
    /// Every state there is.
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

    /// Reads the name that [`State::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Where it stands after a mark; the same where the mark says nothing new. What is archived has been dealt with, and
    /// comes back as read; nothing else brings it back.
    #[must_use]
    pub fn after(self, mark: Mark) -> State {
        match (mark, self) {
            (Mark::Seen, State::Unseen) | (Mark::Unread, State::Read) => State::Seen,
            (Mark::Read, State::Unseen | State::Seen) | (Mark::Unarchived, State::Archived) => State::Read,
            (Mark::Archived, _) => State::Archived,
            (Mark::Seen | Mark::Read | Mark::Unread | Mark::Unarchived, it) => it,
        }
    }
}

/// What somebody does with entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    Seen,
    Read,
    /// It is to be read again; that it was seen cannot be taken back.
    Unread,
    Archived,
    Unarchived,
}

impl Mark {
    /// Every mark there is.
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

    /// Reads the name that [`Mark::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Mark> {
        Mark::ALL.into_iter().find(|it| it.name() == name)
    }

    /// What it says of the notification itself: escalations ask for that. Putting away what was never opened is having
    /// seen it.
    #[must_use]
    pub fn says(self) -> Option<Unless> {
        match self {
            Mark::Seen | Mark::Read | Mark::Archived => Some(Unless::Seen),
            Mark::Unread | Mark::Unarchived => None,
        }
    }
}

/// Whose inbox is looked into, and how much of it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub user: String,
    pub view: View,
}

/// Which entries are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shelf {
    /// All that are not archived.
    #[default]
    Inbox,
    Unseen,
    /// Unseen or seen.
    Unread,
    Archived,
}

impl Shelf {
    /// Every shelf there is.
    pub const ALL: [Shelf; 4] = [Shelf::Inbox, Shelf::Unseen, Shelf::Unread, Shelf::Archived];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Shelf::Inbox => "inbox",
            Shelf::Unseen => "unseen",
            Shelf::Unread => "unread",
            Shelf::Archived => "archived",
        }
    }

    /// Reads the name that [`Shelf::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Shelf> {
        Shelf::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The states of what lies on it.
    #[must_use]
    pub fn states(self) -> &'static [State] {
        match self {
            Shelf::Inbox => &[State::Unseen, State::Seen, State::Read],
            Shelf::Unseen => &[State::Unseen],
            Shelf::Unread => &[State::Unseen, State::Seen],
            Shelf::Archived => &[State::Archived],
        }
    }
}

/// Which entries are listed, or marked all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub shelf: Shelf,
    /// Only what rules of this category said.
    pub category: Option<String>,
}

/// One entry as it stands. No `Debug`: it holds what somebody was told.
#[derive(Clone)]
pub struct Entry {
    /// Its number in this user's inbox: later entries have higher ones.
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

/// As clients get it: one flat object.
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
        entry.serialize_field("title", title)?;
        entry.serialize_field("body", body)?;
        if let Some(data) = data {
            entry.serialize_field("data", data)?;
        }
        if *truncated {
            entry.serialize_field("truncated", truncated)?;
        }
        entry.end()
    }
}

/// When an entry that came at `created` is gone.
#[must_use]
pub fn expires_at(created: Timestamp) -> Timestamp {
    end_of(week(created))
}

/// Whether an entry that came at `created` is gone.
#[must_use]
pub fn is_over(created: Timestamp, now: Timestamp) -> bool {
    expires_at(created) <= now
}

/// Weeks since 1970, which began on a Thursday.
fn week(at: Timestamp) -> i64 {
    at.as_second().div_euclid(WEEK_SECONDS)
}

fn end_of(week: i64) -> Timestamp {
    let ends = SignedDuration::from_secs(week.saturating_add(1).saturating_mul(WEEK_SECONDS));
    let gone = ends.saturating_add(SignedDuration::from_hours(24 * RETENTION_DAYS));
    Timestamp::UNIX_EPOCH.checked_add(gone).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
