//! The chosen events in the order in which they were recorded, each with what keeps it back.

use domain::Timestamp;
use domain::event::{Event, MAX_EVENT_BYTES};
use domain::replay::Mark;
use serde::{Deserialize, Serialize};
use store::{Events, Ledger, LedgerRow, Timeline};

use super::choice::{Choice, LeftOut, Mode};
use crate::cloud::Cloud;
use crate::error::Error;

/// An event that was chosen.
pub(super) struct Seen {
    /// With the mark of the replay.
    pub(super) event: Event,
    pub(super) place: Place,
    /// As it goes: with the mark.
    pub(super) bytes: usize,
    /// Whether the ledger has rows about it; never, where the ledger is not asked.
    pub(super) is_known: bool,
    pub(super) left_out: Option<LeftOut>,
}

/// Where an event stands in the order of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) recorded_at: Timestamp,
    pub(super) source: String,
    pub(super) id: String,
}

pub(super) struct Reader<'a> {
    timeline: Timeline,
    ledger: Ledger,
    choice: &'a Choice,
    mark: &'a Mark,
    after: Option<Place>,
    now: Timestamp,
}

impl<'a> Reader<'a> {
    /// `after`: what was replayed before, up to and with this one.
    pub(super) fn open(
        cloud: &Cloud,
        choice: &'a Choice,
        mark: &'a Mark,
        after: Option<Place>,
        now: Timestamp,
    ) -> Reader<'a> {
        let client = store::client(&cloud.config);
        let from = after.as_ref().map_or(choice.from, |it| it.recorded_at);
        Reader {
            timeline: Events::new(&client, cloud.name("events")).timeline(from, choice.to),
            ledger: Ledger::new(&client, cloud.name("ledger")),
            choice,
            mark,
            after,
            now,
        }
    }

    /// The next `most` chosen events; fewer at the end, and none behind it.
    pub(super) async fn next(&mut self, most: usize) -> Result<Vec<Seen>, Error> {
        let mut some = Vec::with_capacity(most);
        while some.len() < most {
            let Some((event, recorded_at)) = self.timeline.next().await? else { break };
            let place = Place { recorded_at, source: event.source.clone(), id: event.id.clone() };
            if self.after.as_ref().is_some_and(|after| place <= *after) || !self.choice.means(&event) {
                continue;
            }
            some.push((event, place));
        }
        let looks = some.iter().map(async |(event, place)| self.look(event, place.recorded_at).await);
        let looks = futures_util::future::try_join_all(looks).await?;
        Ok(some.into_iter().zip(looks).map(|((event, place), it)| self.seen(event, place, it)).collect())
    }

    /// Whether there are rows, and what keeps the event back.
    async fn look(&self, event: &Event, at: Timestamp) -> Result<(bool, Option<LeftOut>), Error> {
        let first = self.choice.at_first_sight(event, at, self.now);
        if first.is_some() || !self.choice.asks_the_ledger() {
            return Ok((false, first));
        }
        let rows: Vec<LedgerRow> = match self.choice.mode {
            // Any of them may have joined a digest.
            Mode::All => self.ledger.of_event(&event.source, &event.id).await?,
            Mode::OnlyMissing | Mode::Force => {
                self.ledger.page_of_event(&event.source, &event.id, None, 1).await?.rows
            }
        };
        Ok((!rows.is_empty(), self.choice.after_a_look(&rows)))
    }

    fn seen(&self, event: Event, place: Place, (is_known, left_out): (bool, Option<LeftOut>)) -> Seen {
        let event = self.mark.put_on(event);
        let bytes = event.to_json().len();
        let left_out = left_out.or((bytes > MAX_EVENT_BYTES).then_some(LeftOut::TooLarge));
        Seen { event, place, bytes, is_known, left_out }
    }
}
