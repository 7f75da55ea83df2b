//! Adds an event to a digest: the event opens a window, joins one, fills one or passes through.

use jiff::{SignedDuration, Timestamp};

use super::{DigestPolicy, Header, State, window_id};

/// An event that arrives for a key.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// The key that [`super::Group::key`] returns.
    pub key: &'a str,
    /// The key that [`super::event_key`] returns.
    pub event_key: &'a str,
    pub now: Timestamp,
    /// The end of a window that opens now. With `lookback` it also limits how far back an earlier send counts: the
    /// same distance into the past. So a rule with `lookback` needs a window of fixed length.
    pub window_end: Timestamp,
}

/// The change to the header of a key by an event. All writes are one transaction, see [`crate::limits::digest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// The event opens a window. A timer must be made.
    Open(Header),
    /// The event joins the window. `rearm` requests a timer, because there is none yet or the existing one fires too
    /// late.
    Add { next: Header, rearm: bool },
    /// The event fills the window and closes it. Its items must be processed at once.
    AddAndClose { next: Header },
    /// The event joins no window and is sent at once.
    PassThrough { next: Header },
}

impl Join {
    /// The header to write if the version is unchanged.
    #[must_use]
    pub fn next(&self) -> &Header {
        match self {
            Join::Open(next)
            | Join::Add { next, rearm: _ }
            | Join::AddAndClose { next }
            | Join::PassThrough { next } => next,
        }
    }

    /// The window that the event joined; `None` if it passed through. The marker holds this value.
    #[must_use]
    pub fn window_id(&self) -> Option<&str> {
        match self {
            Join::Open(next) | Join::Add { next, rearm: _ } | Join::AddAndClose { next } => {
                Some(&next.window_id)
            }
            Join::PassThrough { next: _ } => None,
        }
    }

    /// The time for a timer that calls [`super::due`], made in the same transaction. `None` if a timer exists or none
    /// is needed. For a window that is already closed it is now.
    #[must_use]
    pub fn timer(&self) -> Option<Timestamp> {
        match self {
            Join::Open(next) | Join::Add { next, rearm: true } | Join::AddAndClose { next } => {
                Some(next.closes_at)
            }
            Join::Add { next: _, rearm: false } | Join::PassThrough { next: _ } => None,
        }
    }
}

/// Evaluates an event against the header of its key.
///
/// The current policy applies, also to a window that an older policy opened. The window keeps its hard closing time. A
/// window past its closing time accepts no event, even if its timer is late: the event opens the next window, and the
/// timer processes the old one. If the end is not after `now`, no window opens and the event passes through.
///
/// A full window closes at [`crate::limits::digest::MAX_ITEMS`] items.
#[must_use]
pub fn join(header: Option<&Header>, policy: &DigestPolicy, arrival: &Arrival<'_>) -> Join {
    match header.filter(|header| header.takes_events(arrival.now)) {
        Some(open) => add(open, policy, arrival),
        None => begin(header, policy, arrival),
    }
}

/// The header after an event left because its run was cancelled while the window was open. The opener may leave like
/// any other event; the window stays open. `None` if the event's window is closed.
///
/// The item is deleted in the same transaction, if it exists. The marker stays.
#[must_use]
pub fn leave(header: &Header, left_window_id: &str) -> Option<Header> {
    if header.state == State::Closed || header.window_id != left_window_id {
        return None;
    }
    let n = header.n.checked_sub(1)?;
    Some(Header { n, version: header.version.saturating_add(1), ..header.clone() })
}

fn add(open: &Header, policy: &DigestPolicy, arrival: &Arrival<'_>) -> Join {
    let hard_close_at = open.hard_close_at.or(policy.sliding.map(|max| after(open.opened_at, max)));
    let closes_at = match policy.sliding {
        Some(_) => hard_close_at.map_or(arrival.window_end, |hard| hard.min(arrival.window_end)),
        None => open.closes_at,
    };
    let n = open.n.saturating_add(1);
    let version = open.version.saturating_add(1);
    let next = Header { closes_at, hard_close_at, n, version, ..open.clone() };
    if n >= policy.capacity() || closes_at <= arrival.now {
        return Join::AddAndClose { next: Header { state: State::Closed, closes_at: arrival.now, ..next } };
    }
    // A window without items began with an event that passed through, so it has no timer yet.
    Join::Add { rearm: open.n == 0 || closes_at < open.closes_at, next }
}

fn begin(last: Option<&Header>, policy: &DigestPolicy, arrival: &Arrival<'_>) -> Join {
    let hard_close_at = policy.sliding.map(|max| after(arrival.now, max));
    let closes_at = hard_close_at.map_or(arrival.window_end, |hard| hard.min(arrival.window_end));
    let opened = Header {
        window_id: window_id(arrival.key, arrival.event_key),
        state: State::Open,
        opened_at: arrival.now,
        closes_at,
        hard_close_at,
        n: 1,
        version: last.map_or(0, |header| header.version).saturating_add(1),
    };
    let is_alone = policy.lookback && !last.is_some_and(|last| sent_lately(last, arrival));
    if closes_at <= arrival.now || is_alone {
        return Join::PassThrough {
            next: Header { state: State::Closed, closes_at: arrival.now, n: 0, ..opened },
        };
    }
    if policy.flush_first {
        return Join::PassThrough { next: Header { n: 0, ..opened } };
    }
    Join::Open(opened)
}

/// Whether the last window was sent, or an event passed through, within a window's length before now.
fn sent_lately(last: &Header, arrival: &Arrival<'_>) -> bool {
    // A window without items sent nothing when it closed, unless the header belongs to an event that passed through.
    let was_sent = last.n > 0 || last.closes_at == last.opened_at;
    was_sent && arrival.now.duration_since(last.closes_at) < arrival.window_end.duration_since(arrival.now)
}

fn after(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}
