//! An event comes to its key: it opens a window, joins one, fills one or goes straight through.

use jiff::{SignedDuration, Timestamp};

use super::{DigestPolicy, Header, State, window_id};

/// An event that comes to a key.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// As [`super::Group::key`] writes it.
    pub key: &'a str,
    /// As [`super::event_key`] writes it.
    pub event_key: &'a str,
    pub now: Timestamp,
    /// When a window that opens now ends. With `lookback` it also says how far back is looked: as far as it lies
    /// ahead, so a rule that looks back needs a window of a fixed length.
    pub window_end: Timestamp,
}

/// What becomes of an event, and of the header of its key. All of it is one transaction, see [`crate::digest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// It opens a window. A timer must be made.
    Open(Header),
    /// It joins the window; `rearm` when a timer must be made, because there was none yet or it would fire too late.
    Add { next: Header, rearm: bool },
    /// It is the last of the window, which is closed by this: its items are to be worked through at once.
    AddAndClose { next: Header },
    /// It is no part of any window and is sent at once.
    PassThrough { next: Header },
}

impl Join {
    /// The header to be written, if the version is still the one that was read.
    #[must_use]
    pub fn next(&self) -> &Header {
        match self {
            Join::Open(next)
            | Join::Add { next, rearm: _ }
            | Join::AddAndClose { next }
            | Join::PassThrough { next } => next,
        }
    }

    /// The window that the event is an item of; `None` when it goes straight through. What its marker holds.
    #[must_use]
    pub fn window_id(&self) -> Option<&str> {
        match self {
            Join::Open(next) | Join::Add { next, rearm: _ } | Join::AddAndClose { next } => {
                Some(&next.window_id)
            }
            Join::PassThrough { next: _ } => None,
        }
    }

    /// When [`super::due`] must be asked about the window, as part of the same transaction; `None` when a timer that
    /// exists does it, or there is nothing to ask. For a window that is closed already it is now.
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

/// What becomes of an event, given the header of its key.
///
/// The policy is the newest one, also for a window that an older one opened; its hard close stays. A window that is
/// over takes no event even if its timer is late: the event opens the next window, and the timer works through the old.
/// An end that is not after `now` makes no window: its event goes straight through.
///
/// Source: `semantics.md`, section 4.1, "Opening and closing". That 1,000 items always close a window is ours.
#[must_use]
pub fn join(header: Option<&Header>, policy: &DigestPolicy, arrival: &Arrival<'_>) -> Join {
    match header.filter(|header| header.takes_events(arrival.now)) {
        Some(open) => add(open, policy, arrival),
        None => begin(header, policy, arrival),
    }
}

/// The header after an event was taken back: its run was cancelled while the window was open. The opener may leave like
/// any other; the window stays. `None` when the event's window takes no changes any more.
///
/// The item is deleted in the same transaction, if it exists; the marker stays.
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
        Some(_) => hard_close_at.map_or(arrival.window_end, |it| it.min(arrival.window_end)),
        None => open.closes_at,
    };
    let n = open.n.saturating_add(1);
    let version = open.version.saturating_add(1);
    let next = Header { closes_at, hard_close_at, n, version, ..open.clone() };
    if n >= policy.capacity() || closes_at <= arrival.now {
        return Join::AddAndClose { next: Header { state: State::Closed, closes_at: arrival.now, ..next } };
    }
    // A window without items is one whose first event went straight through: nobody made a timer.
    Join::Add { rearm: open.n == 0 || closes_at < open.closes_at, next }
}

fn begin(last: Option<&Header>, policy: &DigestPolicy, arrival: &Arrival<'_>) -> Join {
    let hard_close_at = policy.sliding.map(|max| after(arrival.now, max));
    let closes_at = hard_close_at.map_or(arrival.window_end, |it| it.min(arrival.window_end));
    let opened = Header {
        window_id: window_id(arrival.key, arrival.event_key),
        state: State::Open,
        opened_at: arrival.now,
        closes_at,
        hard_close_at,
        n: 1,
        version: last.map_or(0, |it| it.version).saturating_add(1),
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

/// Whether the last window, or the event that went through alone, was sent within a window's length from now.
fn sent_lately(last: &Header, arrival: &Arrival<'_>) -> bool {
    // Without items nothing was sent at the close, unless the header stands for an event that went through.
    let was_sent = last.n > 0 || last.closes_at == last.opened_at;
    was_sent && arrival.now.duration_since(last.closes_at) < arrival.window_end.duration_since(arrival.now)
}

fn after(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}
