//! In-memory tables: counters, digests, cancellations and engagement. A repeated question gets its first answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::base::channel::Channel;
use crate::catalog::rule::Unless;
use crate::decide::{Answer, Ask, Wanted};
use crate::event::key::Key;
use crate::limits::cancel::{CancelKey, Cancellation};
use crate::limits::counter::{States, Want, admit};
use crate::limits::digest::{self, Arrival, Header, Item, Join};
use crate::recipient::Suppression;
use crate::time::zone::Zone;

/// Items by key, each with its cancel key and its join time.
pub(super) type Collected = BTreeMap<String, (Item, Option<CancelKey>, Timestamp)>;

#[derive(Default)]
pub(super) struct Tables {
    states: States,
    /// By the key of the question.
    granted: BTreeMap<Key, Vec<Channel>>,
    /// The joined window, by the key of the question.
    pub(super) joined: BTreeMap<Key, Option<String>>,
    /// By the window's name.
    pub(super) headers: BTreeMap<String, Header>,
    /// The items of each window, by its id.
    pub(super) windows: BTreeMap<String, Collected>,
    pub(super) cancelled: BTreeMap<CancelKey, Cancellation>,
    pub(super) seen: BTreeMap<Key, (Unless, Timestamp)>,
    /// By the hash of the address.
    pub(super) closed: BTreeMap<String, Suppression>,
    /// Notifications that were sent or are pending.
    pub(super) sent: BTreeSet<Key>,
}

impl Tables {
    pub(super) fn answer(&mut self, ask: &Ask, now: Timestamp) -> Answer {
        match ask {
            Ask::Cancelled { key } => Answer::Cancelled(self.cancelled.get(key).cloned()),
            Ask::Seen { of } => {
                Answer::Seen(of.iter().filter_map(|key| self.seen.get(key)).map(|key| key.0).max())
            }
            Ask::Closed { address } => Answer::Closed(self.closed.get(address).cloned()),
            Ask::Notified { of } => Answer::Notified(of.iter().any(|key| self.sent.contains(key))),
            Ask::Heard { .. } => ask.default_answer(),
            Ask::Admit { key, wants, channels, zone } => self.admit(key, wants, channels, zone, now),
            Ask::Collected { key } => match self.joined.get(key).cloned().flatten() {
                Some(window_id) => Answer::Joined { window_id, closes_at: now, timer: false },
                None => Answer::PassThrough,
            },
            Ask::Join { .. } => self.join(ask, now),
        }
    }

    /// A later cancellation is not replaced by an earlier one.
    pub(super) fn cancel(&mut self, key: CancelKey, cancellation: Cancellation) {
        let known = self.cancelled.entry(key).or_insert_with(|| cancellation.clone());
        if known.at < cancellation.at {
            *known = cancellation;
        }
    }

    fn admit(
        &mut self,
        key: &Key,
        wants: &[Wanted],
        channels: &[Channel],
        zone: &Zone,
        now: Timestamp,
    ) -> Answer {
        let asked: Vec<Want<'_>> = wants
            .iter()
            .map(|want| Want { id: &want.id, limit: &want.limit, scope: want.scope, weight: want.weight })
            .collect();
        let admission = admit(&self.states, &asked, channels, zone, now);
        if let Some(granted) = self.granted.get(key).cloned() {
            let refused =
                admission.refused.into_iter().filter(|(channel, _)| !granted.contains(channel)).collect();
            return Answer::Admitted { granted, refused };
        }
        if !admission.granted.is_empty() {
            self.granted.insert(key.clone(), admission.granted.clone());
            self.states.extend(admission.next);
        }
        Answer::Admitted { granted: admission.granted, refused: admission.refused }
    }

    fn join(&mut self, ask: &Ask, now: Timestamp) -> Answer {
        let Ask::Join { key, window, policy, ends, item, cancel } = ask else {
            panic!("not a join question")
        };
        let header = self.headers.get(window);
        if let Some(marker) = self.joined.get(key) {
            let Some(window_id) = marker.clone() else { return Answer::PassThrough };
            let closes_at = header
                .filter(|header| header.window_id == window_id)
                .map_or(*ends, |header| header.closes_at);
            return Answer::Joined { window_id, closes_at, timer: true };
        }
        let arrival = Arrival { key: window, event_key: key.as_str(), now, window_end: *ends };
        let join = digest::join(header, policy, &arrival);
        if let Some(open) = header.filter(|header| header.takes_events(now)) {
            assert_eq!(open.window_id, join.next().window_id, "two windows were open");
        }
        self.headers.insert(window.clone(), join.next().clone());
        self.joined.insert(key.clone(), join.window_id().map(str::to_owned));
        let Some(window_id) = join.window_id() else {
            assert!(matches!(join, Join::PassThrough { .. }));
            return Answer::PassThrough;
        };
        let items = self.windows.entry(window_id.to_owned()).or_default();
        let before = items.insert(item.event_key.clone(), ((**item).clone(), cancel.clone(), now));
        assert!(before.is_none(), "an event was collected twice");
        let closes_at = join.timer().unwrap_or(join.next().closes_at).max(now);
        Answer::Joined { window_id: window_id.to_owned(), closes_at, timer: join.timer().is_some() }
    }
}
