//! Events in the order in which they were recorded, whatever their aggregate.

use std::collections::{HashMap, VecDeque};

use aws::Refused;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::event::Event;
use domain::finding::Finding;

use super::Events;
use super::Record;
use super::Way;
use super::reading::{buckets_by_day, event, query};
use crate::item::Item;

/// A reader of everything that was recorded between two times.
///
/// The order is that of `recorded_at`, and of source and id where two times are equal: the same for every reader, however
/// the pages fall. It is the order in which the audit saw events come by, which is not that of their versions: who needs
/// an aggregate's order reads its stream. The index lags behind the table by moments, so a reader that is to miss nothing
/// stays ten seconds behind the present.
pub struct Timeline {
    events: Events,
    from: Timestamp,
    to: Timestamp,
    /// The days that are still to be read, each with its partitions; the present one first.
    days: VecDeque<Vec<String>>,
    way: Way,
    lanes: Vec<Lane>,
}

/// An event of the timeline.
pub struct Dated {
    pub event: Event,
    pub recorded_at: Timestamp,
    /// What the audit found out about it.
    pub findings: Vec<Finding>,
}

/// One partition of the index.
struct Lane {
    bucket: String,
    read: VecDeque<Dated>,
    after: Option<HashMap<String, AttributeValue>>,
    is_over: bool,
}

impl Events {
    /// Everything that was recorded from `from` up to `to`, both included.
    #[must_use]
    pub fn timeline(&self, from: Timestamp, to: Timestamp) -> Timeline {
        let days = buckets_by_day(from, to).into();
        Timeline { events: self.clone(), from, to, days, way: Way::Forward, lanes: Vec::new() }
    }

    /// The same from the newest to the oldest.
    #[must_use]
    pub fn timeline_back(&self, from: Timestamp, to: Timestamp) -> Timeline {
        let days = buckets_by_day(from, to).into_iter().rev().collect();
        Timeline { events: self.clone(), from, to, days, way: Way::Back, lanes: Vec::new() }
    }
}

impl Timeline {
    /// The next event and when it was recorded; `None` at the end.
    ///
    /// # Errors
    /// The table could not be asked. Asking again goes on where it stopped.
    pub async fn next(&mut self) -> Result<Option<(Event, Timestamp)>, Refused> {
        Ok(self.next_dated().await?.map(|it| (it.event, it.recorded_at)))
    }

    /// The next event with what the audit found out about it; `None` at the end.
    ///
    /// # Errors
    /// As [`Timeline::next`].
    pub async fn next_dated(&mut self) -> Result<Option<Dated>, Refused> {
        loop {
            for lane in &mut self.lanes {
                while lane.read.is_empty() && !lane.is_over {
                    lane.fill(&self.events, self.from, self.to, self.way).await?;
                }
            }
            let first = self.lanes.iter_mut().filter(|it| !it.read.is_empty());
            let first = first.min_by(|a, b| {
                let order = place(a.read.front()).cmp(&place(b.read.front()));
                match self.way {
                    Way::Forward => order,
                    Way::Back => order.reverse(),
                }
            });
            if let Some(it) = first.and_then(|it| it.read.pop_front()) {
                return Ok(Some(it));
            }
            let Some(day) = self.days.pop_front() else { return Ok(None) };
            let lane = |bucket| Lane { bucket, read: VecDeque::new(), after: None, is_over: false };
            self.lanes = day.into_iter().map(lane).collect();
        }
    }
}

impl Lane {
    async fn fill(
        &mut self,
        events: &Events,
        from: Timestamp,
        to: Timestamp,
        way: Way,
    ) -> Result<(), Refused> {
        let (items, after) = query(events, &self.bucket, (from, to), self.after.clone(), way).await?;
        for item in items {
            self.read.extend(events.shown(Item::from(item)).await?);
        }
        self.is_over = after.is_none();
        self.after = after;
        Ok(())
    }
}

impl Events {
    /// The event of a record. A replay is shown where the event has no record of its own: an operator's event may carry
    /// the mark of a replay when it is told for the first time. `None` for every other replay, and for what is no event.
    ///
    /// # Errors
    /// The table could not be asked.
    pub(super) async fn shown(&self, item: Item) -> Result<Option<Dated>, Refused> {
        let Some((event, recorded_at)) = event(&item) else { return Ok(None) };
        if item.get("event").is_none() && self.find(&event).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(Dated { event, recorded_at, findings: Record::from_item(item).findings() }))
    }
}

/// Where an event stands in the order of all.
fn place(it: Option<&Dated>) -> Option<(Timestamp, &str, &str)> {
    it.map(|it| (it.recorded_at, it.event.source.as_str(), it.event.id.as_str()))
}
