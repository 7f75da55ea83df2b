//! Events of all aggregates in the order of their recording.

use std::collections::{HashMap, VecDeque};

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::base::finding::Finding;
use domain::event::Event;

use super::Events;
use super::Record;
use super::Way;
use super::reading::{buckets_by_day, event, query};
use crate::item::Item;

/// A reader of all events that were recorded between two times.
///
/// The order is that of `recorded_at`, then source and id. It is the same for every reader, whatever the page size.
/// It is the order in which the audit saw the events, which can differ from that of their versions. For the order
/// of an aggregate read its stream. The index lags a moment behind the table, so a reader that must miss no event
/// stays ten seconds behind the present.
pub struct Timeline {
    events: Events,
    from: Timestamp,
    to: Timestamp,
    /// The days still to read, each with its partitions, the current one first.
    days: VecDeque<Vec<String>>,
    way: Way,
    lanes: Vec<Lane>,
}

/// An event of the timeline.
pub struct RecordedEvent {
    pub event: Event,
    pub recorded_at: Timestamp,
    /// The findings of the audit about the event.
    pub findings: Vec<Finding>,
}

/// One partition of the index.
struct Lane {
    bucket: String,
    read: VecDeque<RecordedEvent>,
    after: Option<HashMap<String, AttributeValue>>,
    is_over: bool,
}

impl Events {
    /// All events recorded from `from` up to `to`, both inclusive.
    #[must_use]
    pub fn timeline(&self, from: Timestamp, to: Timestamp) -> Timeline {
        let days = buckets_by_day(from, to).into();
        Timeline { events: self.clone(), from, to, days, way: Way::Forward, lanes: Vec::new() }
    }

    /// The same events from the newest to the oldest.
    #[must_use]
    pub fn timeline_back(&self, from: Timestamp, to: Timestamp) -> Timeline {
        let days = buckets_by_day(from, to).into_iter().rev().collect();
        Timeline { events: self.clone(), from, to, days, way: Way::Back, lanes: Vec::new() }
    }
}

impl Timeline {
    /// The next event and the time of its recording. `None` at the end.
    ///
    /// # Errors
    /// The table could not be read. A repeated call continues at the same position.
    pub async fn next(&mut self) -> Result<Option<(Event, Timestamp)>, CallError> {
        Ok(self.next_dated().await?.map(|dated| (dated.event, dated.recorded_at)))
    }

    /// The next event with the findings of the audit. `None` at the end.
    ///
    /// # Errors
    /// As [`Timeline::next`].
    pub async fn next_dated(&mut self) -> Result<Option<RecordedEvent>, CallError> {
        loop {
            for lane in &mut self.lanes {
                while lane.read.is_empty() && !lane.is_over {
                    lane.fill(&self.events, self.from, self.to, self.way).await?;
                }
            }
            let first = self.lanes.iter_mut().filter(|lane| !lane.read.is_empty());
            let first = first.min_by(|a, b| {
                let order = place(a.read.front()).cmp(&place(b.read.front()));
                match self.way {
                    Way::Forward => order,
                    Way::Back => order.reverse(),
                }
            });
            if let Some(dated) = first.and_then(|lane| lane.read.pop_front()) {
                return Ok(Some(dated));
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
    ) -> Result<(), CallError> {
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
    /// The event of a record. A replay is shown only if the event has no record of its own: an operator's event may
    /// carry a replay mark on its first delivery. `None` for every other replay, and for a record that is not an
    /// event.
    ///
    /// # Errors
    /// The table could not be read.
    pub(super) async fn shown(&self, item: Item) -> Result<Option<RecordedEvent>, CallError> {
        let Some((event, recorded_at)) = event(&item) else { return Ok(None) };
        if item.get("event").is_none() && self.find(&event).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(RecordedEvent { event, recorded_at, findings: Record::from_item(item).findings() }))
    }
}

/// The sort key of an event in the timeline.
fn place(dated: Option<&RecordedEvent>) -> Option<(Timestamp, &str, &str)> {
    dated.map(|dated| (dated.recorded_at, dated.event.source.as_str(), dated.event.id.as_str()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::query::QueryOutput;
    use aws_smithy_mocks::{Rule, mock};

    use super::*;
    use crate::canned;

    const EVENT: &str = r#"{"specversion":"1.0","id":"e-1","source":"bank","type":"t","time":"2026-11-20T12:00:00Z","replayid":"r-1"}"#;

    #[tokio::test]
    async fn replay_is_listed_only_where_the_event_has_no_record_of_its_own() {
        let own = record().text("sk", "event#bank#e-1#abc").text("event", EVENT);
        let none = [asked(Vec::new()), nothing()];
        let shown = events(&none).shown(replay()).await.unwrap().unwrap();
        assert_eq!((shown.event.id.as_str(), shown.event.replay_id()), ("e-1", Some("r-1")));
        let some = [asked(vec![own.clone()])];
        assert!(events(&some).shown(replay()).await.unwrap().is_none());
        assert!(events(&[]).shown(own).await.unwrap().is_some(), "an ordinary record needs no second read");
        let refused = record().text("refused", "time: found nothing").text("detail", EVENT);
        assert!(events(&[]).shown(refused).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn outbox_row_without_a_time_has_the_time_of_its_append() {
        let text = EVENT.replace(r#""time":"2026-11-20T12:00:00Z","#, "");
        let row = record().text("event", text).text("appended_at", "2026-11-20T09:30:00Z");
        let shown = events(&[]).shown(row.clone()).await.unwrap().unwrap();
        assert_eq!(shown.event.time.to_string(), "2026-11-20T09:30:00Z");
        let shown = events(&[]).shown(row.text("time", "2026-11-20T09:31:00Z")).await.unwrap().unwrap();
        assert_eq!(shown.event.time.to_string(), "2026-11-20T09:31:00Z", "the audit saw it at this time");
    }

    fn record() -> Item {
        Item::default()
            .text("pk", "stream#-#bank")
            .text("id", "e-1")
            .text("recorded_at", "2026-11-20T12:00:01Z")
    }

    fn replay() -> Item {
        record().text("sk", "replay#bank#e-1#abc").text("replay_id", "r-1").text("detail", EVENT)
    }

    fn events(rules: &[Rule]) -> Events {
        let rules: Vec<&Rule> = rules.iter().collect();
        Events::new(&canned::client(&rules), "events".to_owned())
    }

    fn asked(items: Vec<Item>) -> Rule {
        mock!(Client::query).then_output(move || {
            let items = items.iter().map(|item| item.clone().into_map()).collect();
            QueryOutput::builder().set_items(Some(items)).build()
        })
    }

    fn nothing() -> Rule {
        mock!(Client::get_item).then_output(|| GetItemOutput::builder().build())
    }
}
