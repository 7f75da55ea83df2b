//! Reads the selected events in the order of their recording, each with the reason for leaving it out.

use domain::Timestamp;
use domain::event::replay::Mark;
use domain::event::{Event, MAX_EVENT_BYTES};
use serde::{Deserialize, Serialize};
use store::{Events, Ledger, LedgerRow, Timeline};

use super::selection::{LeftOut, Mode, Selection};
use crate::cloud::Cloud;
use crate::error::Error;

/// A selected event.
pub(super) struct Selected {
    /// The event with the replay mark.
    pub(super) event: Event,
    pub(super) position: Position,
    /// The size with the mark.
    pub(super) bytes: usize,
    /// Whether the ledger has rows of the event; false if they were not read.
    pub(super) is_known: bool,
    pub(super) left_out: Option<LeftOut>,
}

/// The position of an event in the order of all events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Position {
    pub(super) recorded_at: Timestamp,
    pub(super) source: String,
    pub(super) id: String,
}

pub(super) struct Reader<'a> {
    timeline: Timeline,
    ledger: Ledger,
    selection: &'a Selection,
    mark: &'a Mark,
    after: Option<Position>,
    now: Timestamp,
}

impl<'a> Reader<'a> {
    /// Opens a reader that begins after the position `after`.
    pub(super) fn open(
        cloud: &Cloud,
        selection: &'a Selection,
        mark: &'a Mark,
        after: Option<Position>,
        now: Timestamp,
    ) -> Reader<'a> {
        let client = store::client(&cloud.config);
        let from = after.as_ref().map_or(selection.from, |after| after.recorded_at);
        Reader {
            timeline: Events::new(&client, cloud.name("events")).timeline(from, selection.to),
            ledger: Ledger::new(&client, cloud.name("ledger")),
            selection,
            mark,
            after,
            now,
        }
    }

    /// The next selected events, at most `most`; an empty list at the end.
    pub(super) async fn next(&mut self, most: usize) -> Result<Vec<Selected>, Error> {
        let mut events = Vec::with_capacity(most);
        while events.len() < most {
            let Some((event, recorded_at)) = self.timeline.next().await? else { break };
            let position = Position { recorded_at, source: event.source.clone(), id: event.id.clone() };
            if self.after.as_ref().is_some_and(|after| position <= *after) || !self.selection.matches(&event)
            {
                continue;
            }
            events.push((event, position));
        }
        let reads =
            events.iter().map(async |(event, position)| self.read_rows(event, position.recorded_at).await);
        let reads = futures_util::future::try_join_all(reads).await?;
        let selected = events.into_iter().zip(reads);
        Ok(selected.map(|((event, position), read)| self.selected(event, position, read)).collect())
    }

    /// Whether the ledger has rows, and the reason for leaving the event out.
    async fn read_rows(
        &self,
        event: &Event,
        recorded_at: Timestamp,
    ) -> Result<(bool, Option<LeftOut>), Error> {
        let first = self.selection.reason_without_ledger(event, recorded_at, self.now);
        if first.is_some() || !self.selection.needs_ledger() {
            return Ok((false, first));
        }
        let rows: Vec<LedgerRow> = match self.selection.mode {
            // Any of the rows can belong to a digest.
            Mode::All => self.ledger.of_event(&event.source, &event.id).await?,
            Mode::OnlyMissing | Mode::Force => {
                self.ledger.page_of_event(&event.source, &event.id, None, 1).await?.rows
            }
        };
        Ok((!rows.is_empty(), self.selection.reason_of_rows(&rows)))
    }

    fn selected(
        &self,
        event: Event,
        position: Position,
        (is_known, left_out): (bool, Option<LeftOut>),
    ) -> Selected {
        let event = self.mark.put_on(event);
        let bytes = event.to_json().len();
        let left_out = left_out.or((bytes > MAX_EVENT_BYTES).then_some(LeftOut::TooLarge));
        Selected { event, position, bytes, is_known, left_out }
    }
}
