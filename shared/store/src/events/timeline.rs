//! Events in the order in which they were recorded, whatever their aggregate.

use std::collections::{HashMap, VecDeque};

use aws::Refused;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::event::Event;

use super::Events;
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
    lanes: Vec<Lane>,
}

/// One partition of the index.
struct Lane {
    bucket: String,
    read: VecDeque<(Event, Timestamp)>,
    after: Option<HashMap<String, AttributeValue>>,
    is_over: bool,
}

impl Events {
    /// Everything that was recorded from `from` up to `to`, both included.
    #[must_use]
    pub fn timeline(&self, from: Timestamp, to: Timestamp) -> Timeline {
        let days = buckets_by_day(from, to).into();
        Timeline { events: self.clone(), from, to, days, lanes: Vec::new() }
    }
}

impl Timeline {
    /// The next event and when it was recorded; `None` at the end.
    ///
    /// # Errors
    /// The table could not be asked. Asking again goes on where it stopped.
    pub async fn next(&mut self) -> Result<Option<(Event, Timestamp)>, Refused> {
        loop {
            for lane in &mut self.lanes {
                while lane.read.is_empty() && !lane.is_over {
                    lane.fill(&self.events, self.from, self.to).await?;
                }
            }
            let first = self.lanes.iter_mut().filter(|it| !it.read.is_empty());
            let first = first.min_by(|a, b| place(a.read.front()).cmp(&place(b.read.front())));
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
    async fn fill(&mut self, events: &Events, from: Timestamp, to: Timestamp) -> Result<(), Refused> {
        let (items, after) = query(events, &self.bucket, from, to, self.after.clone()).await?;
        self.read.extend(items.into_iter().map(Item::from).filter_map(|it| event(&it)));
        self.is_over = after.is_none();
        self.after = after;
        Ok(())
    }
}

/// Where an event stands in the order of all.
fn place(it: Option<&(Event, Timestamp)>) -> Option<(Timestamp, &str, &str)> {
    it.map(|(event, at)| (*at, event.source.as_str(), event.id.as_str()))
}
