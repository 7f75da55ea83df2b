//! Digests: adds events to a window and closes windows.

use aws::CallError;
use domain::Timestamp;
use domain::decide::Answer;
use domain::event::key::Key;
use domain::limits::cancel::CancelKey;
use domain::limits::digest::{self, Arrival, DigestPolicy, Due, Header, Join};
use jiff::SignedDuration;

use super::{Counters, REMEMBERED, ROUNDS, Written, crowded, expiring, json, one, to_json};
use crate::item::{Item, key};
use crate::lookup;
use crate::pause;

/// The retention of collected items after their window was opened: the longest window, plus time to redrive the
/// close.
const KEPT: SignedDuration = SignedDuration::from_hours(62 * 24);

/// The result of a timer of a digest.
pub enum Closed {
    /// The window is closed. Its items, oldest first, each with its cancel key.
    Over { opened_at: Timestamp, items: Vec<(digest::Item, Option<CancelKey>)> },
    /// The window was extended. Check again at this time.
    NotYet(Timestamp),
}

/// An event that joins a digest.
pub struct DigestArrival<'a> {
    pub key: &'a Key,
    pub window: &'a str,
    pub policy: &'a DigestPolicy,
    pub ends: Timestamp,
    pub item: &'a digest::Item,
    pub cancel: Option<&'a CancelKey>,
}

impl Counters {
    /// Adds an event to the open window, opens a window, or lets the event pass. A redelivered event gets its
    /// earlier result.
    ///
    /// # Errors
    /// The table did not answer, or other writers were first in every round. A repetition is harmless.
    pub async fn join(&self, joining: &DigestArrival<'_>, now: Timestamp) -> Result<Answer, CallError> {
        const DOING: &str = "add an event to a digest";
        for round in 0..ROUNDS {
            if let Some(marker) = lookup::get(&self.client, &self.table, marker(joining.key)).await? {
                return self.again(&marker, joining).await;
            }
            let header = self.header(joining.window).await?;
            let arrival = Arrival {
                key: joining.window,
                event_key: joining.key.as_str(),
                now,
                window_end: joining.ends,
            };
            let join = digest::join(header.as_ref(), joining.policy, &arrival);
            let version = header.map(|header| i64::try_from(header.version).unwrap_or(i64::MAX));
            let mut puts = vec![
                self.put_over(header_item(joining.window, join.next(), now), version),
                self.put_new(expiring(
                    marker(joining.key).maybe("window_id", join.window_id()),
                    now,
                    REMEMBERED,
                )),
            ];
            if let Some(id) = join.window_id() {
                puts.push(self.put_new(collected(joining, id, now)));
            }
            match self.transact(DOING, puts).await? {
                Written::Done => return Ok(answer(&join, now)),
                Written::Lost => pause::before(round + 1).await,
            }
        }
        Err(crowded(DOING))
    }

    /// The window that an earlier delivery of this event joined, if any.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn joined(&self, key: &Key, now: Timestamp) -> Result<Answer, CallError> {
        let marker = lookup::get(&self.client, &self.table, marker(key)).await?;
        let window_id = marker.and_then(|marker| marker.get("window_id").map(str::to_owned));
        Ok(window_id.map_or(Answer::PassThrough, |window_id| Answer::Joined {
            window_id,
            closes_at: now,
            timer: false,
        }))
    }

    /// The result for a redelivered event. Its timer is created again, because the first delivery may have crashed
    /// before it could.
    async fn again(&self, marker: &Item, joining: &DigestArrival<'_>) -> Result<Answer, CallError> {
        let Some(window_id) = marker.get("window_id") else { return Ok(Answer::PassThrough) };
        let header = self.header(joining.window).await?.filter(|header| header.window_id == window_id);
        let closes_at = header.map_or(joining.ends, |header| header.closes_at);
        Ok(Answer::Joined { window_id: window_id.to_owned(), closes_at, timer: true })
    }

    /// Closes a window that has ended and returns its items. Closing it again returns the same.
    ///
    /// # Errors
    /// The table did not answer, or other writers were first in every round.
    pub async fn close(&self, window: &str, window_id: &str, now: Timestamp) -> Result<Closed, CallError> {
        const DOING: &str = "close a digest";
        for round in 0..ROUNDS {
            let header = self.header(window).await?;
            match digest::due(header.as_ref(), window_id, now) {
                Due::NotYet(time) => return Ok(Closed::NotYet(time)),
                Due::AlreadyClosed => return self.collected(window_id, now).await,
                Due::Close { next } => {
                    let version = header.map(|header| i64::try_from(header.version).unwrap_or(i64::MAX));
                    let put = self.put_over(header_item(window, &next, now), version);
                    match self.transact(DOING, vec![put]).await? {
                        Written::Done => return self.collected(window_id, now).await,
                        Written::Lost => pause::before(round + 1).await,
                    }
                }
            }
        }
        Err(crowded(DOING))
    }

    async fn header(&self, window: &str) -> Result<Option<Header>, CallError> {
        let found = lookup::get(&self.client, &self.table, one(&["digest", window])).await?;
        Ok(found.and_then(|found| json(&found, "header")))
    }

    async fn collected(&self, window_id: &str, now: Timestamp) -> Result<Closed, CallError> {
        let found = lookup::partition(&self.client, &self.table, &key(&["window", window_id])).await?;
        let mut items: Vec<(digest::Item, Option<CancelKey>)> = found
            .iter()
            .filter_map(|item| {
                let cancel = item.get("cancel").and_then(|text| serde_json::from_str(text).ok());
                Some((json(item, "item")?, cancel))
            })
            .collect();
        items.sort_by(|(one, _), (other, _)| (one.time, &one.event_key).cmp(&(other.time, &other.event_key)));
        let opened_at =
            found.iter().filter_map(|item| item.get("joined_at")?.parse().ok()).min().unwrap_or(now);
        Ok(Closed::Over { opened_at, items })
    }
}

fn answer(join: &Join, now: Timestamp) -> Answer {
    match join {
        Join::PassThrough { .. } => Answer::PassThrough,
        Join::Open(next) | Join::Add { next, .. } | Join::AddAndClose { next } => Answer::Joined {
            window_id: next.window_id.clone(),
            closes_at: join.timer().unwrap_or(next.closes_at).max(now),
            timer: join.timer().is_some(),
        },
    }
}

fn marker(key: &Key) -> Item {
    one(&["join", key.as_str()])
}

fn header_item(window: &str, header: &Header, now: Timestamp) -> Item {
    let version = i64::try_from(header.version).unwrap_or(i64::MAX);
    expiring(one(&["digest", window]).text("header", to_json(header)).number("version", version), now, KEPT)
}

fn collected(joining: &DigestArrival<'_>, window_id: &str, now: Timestamp) -> Item {
    let item = Item::default()
        .text("pk", key(&["window", window_id]))
        .text("sk", joining.key.as_str())
        .text("item", to_json(joining.item))
        .text("joined_at", now.to_string())
        .maybe("cancel", joining.cancel.map(to_json).as_deref());
    expiring(item, now, KEPT)
}
