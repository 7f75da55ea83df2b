//! Events by the time of their recording, for replay and inspection.

use std::collections::HashMap;

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::event::{Event, Refusal};
use jiff::SignedDuration;

use super::{Events, RecordedEvent, Way, is_unproven};
use crate::item::Item;

/// The index of events by bucket and recording time.
const INDEX: &str = "by_time";

/// The number of partitions of a day, so that concurrent dispatchers do not write to a single one.
const SHARDS: u32 = 8;

/// The number of events per call.
const PAGE: i32 = 200;

/// The position of a reader of many events.
#[derive(Debug, Clone)]
pub struct Place {
    /// The buckets still to read, the current one first.
    buckets: Vec<String>,
    after: Option<HashMap<String, AttributeValue>>,
}

/// A page of events, each with the time of its recording, and the position of the next page.
pub struct Found {
    pub events: Vec<(Event, Timestamp)>,
    pub next: Option<Place>,
}

impl Events {
    /// The events that were recorded from `from` up to `to`, page by page. The order is by day. Within a day there
    /// are eight parts, each in the order of recording. Refused events are left out.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn between(
        &self,
        from: Timestamp,
        to: Timestamp,
        start: Option<Place>,
    ) -> Result<Found, CallError> {
        let mut place = start.unwrap_or_else(|| Place { buckets: buckets(from, to), after: None });
        let Some(bucket) = place.buckets.first().cloned() else {
            return Ok(Found { events: Vec::new(), next: None });
        };
        let (items, after) = query(self, &bucket, (from, to), place.after.take(), Way::Forward).await?;
        let mut events = Vec::with_capacity(items.len());
        for item in items {
            let shown = self.shown(Item::from(item)).await?;
            events.extend(shown.map(|shown| (shown.event, shown.recorded_at)));
        }
        place.after = after;
        if place.after.is_none() {
            place.buckets.remove(0);
        }
        Ok(Found { events, next: (!place.buckets.is_empty()).then_some(place) })
    }

    /// The events with this id that were recorded from `from` up to `to`, one of each source. An event with an
    /// unproven outbox claim is returned only if its source has no other.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn by_id(&self, id: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, CallError> {
        let mut found: Vec<RecordedEvent> = Vec::new();
        let mut timeline = self.timeline(from, to);
        while let Some(dated) = timeline.next_dated().await? {
            if dated.event.id != id {
                continue;
            }
            match found.iter_mut().find(|before| before.event.source == dated.event.source) {
                Some(before) if is_unproven(&before.findings) => *before = dated,
                Some(_) => {}
                None => found.push(dated),
            }
        }
        Ok(found.into_iter().map(|dated| dated.event).collect())
    }
}

type Key = HashMap<String, AttributeValue>;

/// One page of one bucket in either order of recording, and the position of the next page.
pub(super) async fn query(
    events: &Events,
    bucket: &str,
    (from, to): (Timestamp, Timestamp),
    after: Option<Key>,
    way: Way,
) -> Result<(Vec<Key>, Option<Key>), CallError> {
    let answer = events
        .client
        .query()
        .table_name(&events.table)
        .index_name(INDEX)
        .key_condition_expression("#bucket = :bucket AND recorded_at BETWEEN :from AND :to")
        .expression_attribute_names("#bucket", "bucket")
        .expression_attribute_values(":bucket", AttributeValue::S(bucket.to_owned()))
        .expression_attribute_values(":from", AttributeValue::S(from.to_string()))
        .expression_attribute_values(":to", AttributeValue::S(to.to_string()))
        .limit(PAGE)
        .scan_index_forward(way == Way::Forward)
        .set_exclusive_start_key(after)
        .send()
        .await
        .map_err(|error| CallError::new("read events by their time", error))?;
    Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
}

/// The bucket of an event that is recorded now. `seed` is its digest.
pub(super) fn bucket(now: Timestamp, seed: &str) -> String {
    let sum = seed.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("{}#{}", day(now), sum % SHARDS)
}

fn buckets(from: Timestamp, to: Timestamp) -> Vec<String> {
    buckets_by_day(from, to).into_iter().flatten().collect()
}

/// The buckets of every day between two times.
pub(super) fn buckets_by_day(from: Timestamp, to: Timestamp) -> Vec<Vec<String>> {
    let mut buckets = Vec::new();
    let mut time = from;
    loop {
        buckets.push((0..SHARDS).map(|shard| format!("{}#{shard}", day(time))).collect());
        if day(time) >= day(to) {
            return buckets;
        }
        match time.checked_add(SignedDuration::from_hours(24)) {
            Ok(next) => time = next.min(to),
            Err(_) => return buckets,
        }
    }
}

fn day(time: Timestamp) -> String {
    time.to_string().get(..10).unwrap_or_default().to_owned()
}

/// The event of a record and the time of its recording. `None` for a record that is not an event.
///
/// A row that a producer wrote without a `time` has the time of its append. The record of a replay keeps the
/// replayed text as `detail`. Readers choose between it and the event's own record.
pub(super) fn event(item: &Item) -> Option<(Event, Timestamp)> {
    let recorded_at = item.get("recorded_at")?.parse().ok()?;
    let text = item.get("event").or_else(|| replayed_text(item))?;
    Some((stored(item, text).ok()?, recorded_at))
}

/// The text of a replayed event.
pub(super) fn replayed_text(item: &Item) -> Option<&str> {
    item.get("replay_id").and_then(|_| item.get("detail"))
}

/// Parses the event of a record. If the text has no time, the record's `time` or the time of its append takes its
/// place.
pub(super) fn stored(item: &Item, text: &str) -> Result<Event, Refusal> {
    let time =
        ["time", "appended_at", "recorded_at"].into_iter().find_map(|name| item.get(name)?.parse().ok());
    Event::received(text, time.unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_every_moment_of_the_span() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let all = buckets(time("2026-11-18T23:59:00Z"), time("2026-11-20T00:01:00Z"));
        assert_eq!(all.len(), 24);
        for moment in ["2026-11-18T23:59:30Z", "2026-11-19T12:00:00Z", "2026-11-20T00:00:00Z"] {
            assert!(all.contains(&bucket(time(moment), "sha256:abc")), "{moment}");
        }
        assert_eq!(buckets(time("2026-11-20T10:00:00Z"), time("2026-11-20T11:00:00Z")).len(), 8);
    }
}
