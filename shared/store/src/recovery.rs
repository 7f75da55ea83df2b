//! Recovery of an endpoint, part by part: first its failed messages, then the events it missed because of its own
//! state.
//!
//! This module only reads. A part holds jobs for the webhook queue and continuations for dispatch. A repeated read
//! gives the same ones, so the ledger lets each of them through once.

use aws::CallError;
use domain::Timestamp;
use domain::decide::continuation::Continuation;
use domain::decide::plan::endpoint_name;
use domain::delivery::endpoint_recovery::{self, Missed, NotNow};
use domain::delivery::job::Job;
use domain::delivery::manual;
use domain::event::Event;
use domain::event::key::Key;
use domain::webhook::endpoint::Endpoint;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::{Endpoints, Events, Ledger, LedgerRow, RecipientCursor, Undelivered};

/// The number of events read concurrently.
const AT_ONCE: usize = 16;

/// Reads the undelivered messages and missed events of an endpoint.
pub struct Recovery<'a> {
    pub endpoints: &'a Endpoints,
    pub ledger: &'a Ledger,
    pub events: &'a Events,
}

/// The position of the next part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryPlace {
    /// After the message with this key.
    Message(Key),
    /// At the first missed event.
    Events,
    /// After the event of this row.
    Event(RecipientCursor),
}

/// One part of a recovery.
#[derive(Default)]
pub struct RecoveryPart {
    /// Failed messages to send again.
    pub jobs: Vec<Job>,
    /// Missed events for dispatch.
    pub continuations: Vec<(Continuation, Option<String>)>,
    /// The number of events that cannot be sent any more: their `expirytime` has passed, or the event store does
    /// not have them.
    pub lost: usize,
    /// The next part. `None` after the last one.
    pub next: Option<RecoveryPlace>,
}

impl RecoveryPlace {
    /// The position as text, for a cursor.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            RecoveryPlace::Message(key) => format!("message {}", key.as_str()),
            RecoveryPlace::Events => "events".to_owned(),
            RecoveryPlace::Event(place) => format!("event {}", place.to_text()),
        }
    }

    /// Parses the text of [`RecoveryPlace::to_text`]. Also accepts the bare key that the last release wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<RecoveryPlace> {
        match text.split_once(' ') {
            Some(("message", key)) => Key::parse(key).map(RecoveryPlace::Message),
            Some(("event", place)) => RecipientCursor::parse(place).map(RecoveryPlace::Event),
            Some(_) => None,
            None if text == "events" => Some(RecoveryPlace::Events),
            None => Key::parse(text).map(RecoveryPlace::Message),
        }
    }
}

impl Recovery<'_> {
    /// The part that begins at `place`, limited to notifications at `since` or later. Looks at `most` rows.
    ///
    /// # Errors
    /// A table could not be read.
    pub async fn part(
        &self,
        endpoint: &Endpoint,
        since: Timestamp,
        place: Option<&RecoveryPlace>,
        most: u32,
        now: Timestamp,
    ) -> Result<RecoveryPart, CallError> {
        match place {
            None => self.messages(endpoint, since, None, most, now).await,
            Some(RecoveryPlace::Message(key)) => self.messages(endpoint, since, Some(key), most, now).await,
            Some(RecoveryPlace::Events) => self.missed(endpoint, since, None, most, now).await,
            Some(RecoveryPlace::Event(after)) => self.missed(endpoint, since, Some(after), most, now).await,
        }
    }

    /// The continuation that lets dispatch decide again about one missed notification. `None`: the endpoint did not
    /// miss it, it was never meant for the endpoint, or the event store does not have the event.
    ///
    /// # Errors
    /// A table could not be read.
    pub async fn one(&self, endpoint: &Endpoint, key: &Key) -> Result<Option<Continuation>, CallError> {
        let row = self.ledger.find(key).await?;
        let is_theirs = |row: &LedgerRow| row.recipient == endpoint_name(&endpoint.id);
        let Some(row) =
            row.filter(|row| is_theirs(row) && endpoint_recovery::was_missed(row.status, row.reason))
        else {
            return Ok(None);
        };
        let event = self.events.of_origin(&row.origin).await?;
        Ok(event.map(|event| continuation(&event, endpoint, &row)))
    }

    async fn messages(
        &self,
        endpoint: &Endpoint,
        since: Timestamp,
        after: Option<&Key>,
        most: u32,
        now: Timestamp,
    ) -> Result<RecoveryPart, CallError> {
        let (lost, next) = self.endpoints.lost(&endpoint.id, since, after, most).await?;
        // The id stays the same for an hour, unless a manual attempt has failed meanwhile.
        let hour = now.as_second().div_euclid(3_600);
        let again = |undelivered: Undelivered| {
            manual::again(undelivered.job, &format!("recover {} {hour}", undelivered.tried_by_hand))
        };
        Ok(RecoveryPart {
            jobs: lost.into_iter().filter_map(again).collect(),
            next: Some(next.map_or(RecoveryPlace::Events, RecoveryPlace::Message)),
            ..RecoveryPart::default()
        })
    }

    async fn missed(
        &self,
        endpoint: &Endpoint,
        since: Timestamp,
        after: Option<&RecipientCursor>,
        most: u32,
        now: Timestamp,
    ) -> Result<RecoveryPart, CallError> {
        let recipient = endpoint_name(&endpoint.id);
        let page = self.ledger.received_forward(&recipient, since, after, most).await?;
        let rows = page.received.into_iter().map(|received| received.row);
        let missed = rows.filter(|row| endpoint_recovery::was_missed(row.status, row.reason));
        let found: Vec<(LedgerRow, Option<Event>)> = stream::iter(missed)
            .map(async |row| Ok::<_, CallError>((self.events.of_origin(&row.origin).await?, row)))
            .buffered(AT_ONCE)
            .map_ok(|(event, row)| (row, event))
            .try_collect()
            .await?;
        let mut part = RecoveryPart { next: page.next.map(RecoveryPlace::Event), ..RecoveryPart::default() };
        for (row, event) in found {
            let Some(event) = event else {
                part.lost += 1;
                continue;
            };
            match endpoint_recovery::is_wanted(endpoint, &event, now) {
                Ok(()) => {
                    part.continuations.push((continuation(&event, endpoint, &row), event.tenant.clone()));
                }
                Err(NotNow::Expired) => part.lost += 1,
                Err(NotNow::Unwanted) => {}
            }
        }
        Ok(part)
    }
}

fn continuation(event: &Event, endpoint: &Endpoint, row: &LedgerRow) -> Continuation {
    endpoint_recovery::continuation(
        event,
        &endpoint.id,
        &Missed { key: &row.key, rule: &row.rule, step: row.step },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_round_trips_and_the_last_releases_cursor_is_accepted() {
        let key = Key::parse(&"k".repeat(43)).unwrap();
        let event = RecipientCursor::parse(&format!("1795000000000 {}", key.as_str())).unwrap();
        for place in [RecoveryPlace::Message(key.clone()), RecoveryPlace::Events, RecoveryPlace::Event(event)]
        {
            assert_eq!(RecoveryPlace::parse(&place.to_text()), Some(place));
        }
        assert_eq!(RecoveryPlace::parse(key.as_str()), Some(RecoveryPlace::Message(key)));
        for text in ["", "message", "message x", "event 1", "events 1", "other k"] {
            assert_eq!(RecoveryPlace::parse(text), None, "{text}");
        }
    }
}
