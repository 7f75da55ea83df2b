//! Refused events, for inspection.

use aws::CallError;
use domain::Timestamp;
use domain::event::bus::id_inside;

use super::reading::{buckets_by_day, query};
use super::{Events, Way};
use crate::item::Item;

/// A refused event as the audit recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEvent {
    /// EventBridge's id.
    pub bus_id: String,
    /// The id in the envelope, if it could be parsed.
    pub id: Option<String>,
    /// The bus's own source and type.
    pub source: String,
    pub kind: String,
    /// The source and type that the envelope claims.
    pub inner_source: Option<String>,
    pub inner_type: Option<String>,
    /// The reason, and its class.
    pub why: String,
    pub class: String,
    pub recorded_at: Timestamp,
}

impl RefusedEvent {
    /// Whether the event is of this source, on the bus or by its envelope.
    #[must_use]
    pub fn is_of(&self, source: &str) -> bool {
        self.source == source || self.inner_source.as_deref() == Some(source)
    }

    fn of(item: &Item) -> Option<RefusedEvent> {
        let text = |name: &str| item.get(name).map(str::to_owned);
        Some(RefusedEvent {
            bus_id: text("bus_id")?,
            // Records of the last release have no `inner_id`.
            id: text("inner_id").or_else(|| id_inside(item.get("detail")?)),
            source: text("source")?,
            kind: text("type")?,
            inner_source: text("inner_source"),
            inner_type: text("inner_type"),
            why: text("refused")?,
            class: text("refused_class").unwrap_or_else(|| "refused".to_owned()),
            recorded_at: item.get("recorded_at")?.parse().ok()?,
        })
    }

    fn is_called(&self, id: &str) -> bool {
        self.bus_id == id || self.id.as_deref() == Some(id)
    }
}

impl Events {
    /// The events that were refused from `from` up to `to`, oldest first. With an id, only events with that id in
    /// the envelope or on the bus.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn refusals(
        &self,
        from: Timestamp,
        to: Timestamp,
        id: Option<&str>,
    ) -> Result<Vec<RefusedEvent>, CallError> {
        let mut found = Vec::new();
        for bucket in buckets_by_day(from, to).into_iter().flatten() {
            let mut after = None;
            loop {
                let (items, next) = query(self, &bucket, (from, to), after, Way::Forward).await?;
                let refused = items.into_iter().filter_map(|item| RefusedEvent::of(&Item::from(item)));
                found.extend(refused.filter(|refused| id.is_none_or(|id| refused.is_called(id))));
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        found.sort_by(|a, b| (a.recorded_at, &a.bus_id).cmp(&(b.recorded_at, &b.bus_id)));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use domain::event::Refusal;
    use domain::event::bus::BusEvent;

    use super::*;
    use crate::events::Record;

    #[test]
    fn refused_event_is_found_by_its_bus_id_and_its_envelope_id() {
        for (detail, id) in [
            (
                r#"{"specversion":"1.0","id":"own-1","source":"/s","type":"t","time":"nonsense"}"#,
                Some("own-1"),
            ),
            (r#"{"SpecVersion":"0.3","Id":"own-1","Source":"/s","Type":"t"}"#, Some("own-1")),
            (r#"{"eventId":"own-1","eventType":"t","timestamp":"noon"}"#, Some("own-1")),
            (r#"{"specversion":"1.0","id":7}"#, None),
            (r#"{"n":1}"#, None),
        ] {
            let refused = refused(detail);
            assert_eq!(refused.id.as_deref(), id, "{detail}");
            assert!(refused.is_called("bus-1") && refused.is_called("own-1") == id.is_some(), "{detail}");
        }
    }

    #[test]
    fn record_of_the_last_release_is_read() {
        let item = record(r#"{"specversion":"1.0","id":"own-1"}"#).item().clone();
        let old = item.iter_text().filter(|(name, _)| *name != "inner_id");
        let old = old.fold(Item::default(), |item, (name, value)| item.text(name, value));
        assert_eq!(RefusedEvent::of(&old).unwrap().id.as_deref(), Some("own-1"));
        assert_eq!(RefusedEvent::of(&Item::default().text("event", "{}")), None);
    }

    fn refused(detail: &str) -> RefusedEvent {
        RefusedEvent::of(record(detail).item()).unwrap()
    }

    fn record(detail: &str) -> Record {
        let text = format!(
            r#"{{"id":"bus-1","source":"shop","detail-type":"t","time":"2026-11-20T12:00:00Z","detail":{detail}}}"#
        );
        let bus = BusEvent::parse(&text).unwrap();
        let why = Refusal::for_author("time", "nothing", "a time");
        Record::refused(&bus, &why, Timestamp::constant(1_795_000_000, 0))
    }
}
