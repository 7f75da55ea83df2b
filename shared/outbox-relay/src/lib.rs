//! Publishes outbox entries, for the relay (stream records) and the sweep (pending entries).

use aws::{CallError, chain};
use domain::Timestamp;
use domain::event::bus::FROM_OUTBOX;
use domain::event::outbox_mark::{MarkKey, MarkedEntry};
use domain::event::producers::{Identity, Producers, is_people_type, is_reserved_source, is_reserved_type};
use domain::event::{Event, Priority, names_time};
use publish::{Entry, EventBridge, InOrder, PublishCalls, Put};
use store::{Pending, Place, Waiting};

/// An outbox entry, ready to publish or refused.
pub struct Row {
    place: Place,
    read: Result<Ready, String>,
}

struct Ready {
    in_order: InOrder,
    /// The event without its payload.
    head: Event,
}

impl Ready {
    fn of(pending: Pending, marks: &MarkKey) -> Result<Ready, String> {
        // EventBridge stores whole seconds, and all readers must see the same time.
        let appended_at =
            pending.appended_at.and_then(|appended_at| Timestamp::from_second(appended_at.as_second()).ok());
        let event = match appended_at {
            Some(time) => Event::received(pending.text.expose(), time),
            None => Event::parse(pending.text.expose()),
        };
        let event = event.map_err(|error| error.to_string())?;
        pending.check(&event).map_err(|error| error.to_string())?;
        // Only AWS services may use this prefix, and not every bus enforces that.
        if event.source.starts_with("aws.") {
            return Err("source: found a name that begins with `aws.`, wanted another".to_owned());
        }
        // The relay lacks the permission to publish these. One such entry would deny the whole call.
        if is_reserved_source(&event.source) {
            return Err("source: found a source of Carillon's own, wanted another".to_owned());
        }
        if is_reserved_type(&event.kind) && !is_people_type(&event.kind) {
            return Err("type: found a type of Carillon's own, wanted another".to_owned());
        }
        let (source, id) = (event.source.as_str(), event.id.as_str());
        let marked = MarkedEntry { source, id, pk: &pending.place.pk, sk: &pending.place.sk };
        let mark =
            marks.sign(marked, pending.text.expose()).ok_or("event: found JSON that cannot be held")?;
        let aggregate = event.subject.is_some().then_some(pending.place.pk);
        let head = Event { data: None, ..event };
        let (source, detail_type) = (head.source.clone(), head.kind.clone());
        let time = appended_at.filter(|_| !names_time(pending.text.expose()));
        // The plain mark serves an audit function of the previous release. The next release removes it.
        let resources = vec![FROM_OUTBOX.to_owned(), mark];
        let entry = Entry::new(source, detail_type, pending.text.into_exposed())
            .with_time(time)
            .with_resources(resources);
        Ok(Ready { in_order: InOrder::new(aggregate, entry), head })
    }
}

/// The result of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayResult {
    /// The event is on the bus. The row stays pending until the audit has seen the event there.
    Published,
    /// The bus refuses the event for good. The row is marked with this cause and not tried again.
    SetAside(String),
    /// The event may not be on the bus, for this reason. No later event of its aggregate was published.
    Again(String),
}

impl Row {
    /// Reads a row and marks its event for the audit. An event that breaks the envelope's rules is
    /// refused. So is an event whose row is not at the place where the audit looks for it.
    #[must_use]
    pub fn read(pending: Pending, marks: &MarkKey) -> Row {
        let place = pending.place.clone();
        Row { place, read: Ready::of(pending, marks) }
    }

    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The event in the form of dispatch's queues, if the event is critical. Its type decides, or its
    /// own priority if its source has the right `critical`. Returns `None` for an event that its source
    /// may not publish.
    #[must_use]
    pub fn critical(&self, types: &[String], producers: &Producers) -> Option<String> {
        let Ok(ready) = &self.read else { return None };
        let entry = &admitted(producers, ready).ok()?.entry;
        let says_so =
            || ready.head.priority == Some(Priority::Critical) && producers.may_be_critical(&entry.source);
        let is_critical = types.contains(&entry.detail_type) || says_so();
        let text = |value: &str| serde_json::Value::from(value).to_string();
        is_critical.then(|| {
            format!(
                r#"{{"version":"0","id":{},"detail-type":{},"source":{},"time":"{}","resources":["{FROM_OUTBOX}"],"detail":{}}}"#,
                text(&ready.head.id),
                text(&entry.detail_type),
                text(&entry.source),
                ready.head.time,
                entry.detail
            )
        })
    }
}

/// Publishes outbox entries.
#[derive(Clone)]
pub struct Relay<B = EventBridge, W = Waiting> {
    bus: B,
    waiting: W,
    producers: Producers,
}

/// The store that marks refused rows.
pub trait Quarantine {
    /// See [`Waiting::quarantine`].
    fn quarantine(
        &self,
        place: &Place,
        cause: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), CallError>>;
}

impl Quarantine for Waiting {
    async fn quarantine(&self, place: &Place, cause: &str, now: Timestamp) -> Result<(), CallError> {
        Waiting::quarantine(self, place, cause, now).await
    }
}

impl<B: PublishCalls, W: Quarantine> Relay<B, W> {
    #[must_use]
    pub fn new(bus: B, waiting: W) -> Relay<B, W> {
        Relay { bus, waiting, producers: Producers::default() }
    }

    /// Restricts the relay to events that their sources may publish. Other rows are marked as failed.
    /// Every consumer would refuse such an event, so its row would stay pending.
    #[must_use]
    pub fn restricted_to(self, producers: Producers) -> Relay<B, W> {
        Relay { producers, ..self }
    }

    /// The events that each source may publish.
    pub fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Publishes rows, those of an aggregate in their order, and marks refused rows. The results are in
    /// the order of the rows. `may_go_on` is called before each round.
    pub async fn publish(
        &self,
        rows: &[Row],
        now: Timestamp,
        may_go_on: impl Fn() -> bool,
    ) -> Vec<RelayResult> {
        let admitted: Vec<Result<&InOrder, String>> = rows
            .iter()
            .map(|row| {
                row.read.as_ref().map_err(Clone::clone).and_then(|ready| admitted(&self.producers, ready))
            })
            .collect();
        let ready: Vec<InOrder> =
            admitted.iter().filter_map(|entry| entry.as_ref().ok().copied().cloned()).collect();
        let mut puts = self.bus.put_in_order(&ready, may_go_on).await.into_iter();
        let mut relayed = Vec::with_capacity(rows.len());
        for (row, admitted) in rows.iter().zip(&admitted) {
            relayed.push(match admitted {
                Err(refusal) => self.set_aside(row, refusal, now).await,
                Ok(_) => match puts.next().unwrap_or(Put::Held) {
                    Put::Done(_) => RelayResult::Published,
                    Put::Never(refused) => self.set_aside(row, &chain(&refused), now).await,
                    Put::NotYet(refused) => RelayResult::Again(chain(&refused)),
                    Put::Held => RelayResult::Again("its turn did not come".to_owned()),
                },
            });
        }
        relayed
    }

    async fn set_aside(&self, row: &Row, cause: &str, now: Timestamp) -> RelayResult {
        match self.waiting.quarantine(&row.place, cause, now).await {
            Ok(()) => RelayResult::SetAside(cause.to_owned()),
            Err(refused) => RelayResult::Again(chain(&refused)),
        }
    }
}

/// The entry of a row, or the reason why its source may not publish it.
fn admitted<'r>(producers: &Producers, ready: &'r Ready) -> Result<&'r InOrder, String> {
    let Entry { source, detail_type, .. } = &ready.in_order.entry;
    let identity = Identity { source, detail_type, is_older_envelope: false };
    producers.admit(identity, &ready.head).map_err(|error| error.to_string())?;
    // A writer of rows can name any source. Updates of recipients therefore need `outbox: true` for the
    // source.
    if is_people_type(detail_type) && !producers.may_update_people_by_outbox(source) {
        return Err("type: found an update of people, wanted another type, or `outbox: true` for the source"
            .to_owned());
    }
    Ok(&ready.in_order)
}

#[cfg(test)]
mod tests {
    use domain::base::stack_secret::StackSecret;

    use super::*;

    #[test]
    fn row_under_a_reserved_name_is_of_no_use_to_the_bus() {
        for (source, kind) in [
            ("carillon/push", "t"),
            ("/tenants/a", "t"),
            ("/carillon/digest", "t"),
            ("shop", "communication.sent"),
            ("shop", "carillon.device.unregistered"),
        ] {
            assert!(row(source, kind, "").read.is_err(), "{source} {kind}");
        }
        assert!(row("shop", "t", "").read.is_ok());
    }

    #[test]
    fn row_whose_source_may_not_publish_it_is_set_aside() {
        let listed = r#"[{"source":"shop","tenants":"none"},{"source":"crm","tenants":"all","people":true},{"source":"hr","tenants":"all","people":true,"outbox":true}]"#;
        let listed: Producers = serde_json::from_str(listed).unwrap();
        for (source, kind, more, is_admitted) in [
            ("shop", "t", "", true),
            ("bank", "t", "", false),
            ("shop", "t", r#","replayid":"r""#, true),
            ("shop", "carillon.recipient.updated", "", false),
            ("crm", "carillon.recipient.updated", "", false),
            ("hr", "carillon.recipient.updated", "", true),
        ] {
            let row = row(source, kind, more);
            let ready = row.read.as_ref().unwrap_or_else(|row| panic!("{row}"));
            assert_eq!(admitted(&listed, ready).is_ok(), is_admitted, "{source} {kind} {more}");
        }
    }

    fn row(source: &str, kind: &str, more: &str) -> Row {
        let text = format!(
            r#"{{"specversion":"1.0","id":"1","source":"{source}","type":"{kind}","time":"2026-11-20T12:00:00Z"{more}}}"#
        );
        let place = Place::of(&Event::parse(&text).unwrap());
        read(Pending::plain(place, text))
    }

    fn read(pending: Pending) -> Row {
        Row::read(pending, &MarkKey::of(&StackSecret::read(&"0".repeat(32)).unwrap()))
    }

    #[test]
    fn row_without_a_time_is_published_with_the_time_of_its_append() {
        let appended: Timestamp = "2026-11-20T12:00:00.75Z".parse().unwrap();
        for time in ["", r#","time":null"#, r#","Time":null"#] {
            let row = read(untimed(time, Some(appended)));
            let ready = row.read.as_ref().unwrap_or_else(|row| panic!("{row}"));
            let whole: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
            assert_eq!((ready.in_order.entry.time, ready.head.time), (Some(whole), whole), "{time}");
        }
        let own = read(untimed(r#","time":"2026-11-20T09:30:00Z""#, Some(appended)));
        assert_eq!(own.read.as_ref().ok().and_then(|read| read.in_order.entry.time), None);
        assert!(read(untimed("", None)).read.is_err_and(|error| error.starts_with("time: found nothing")));
    }

    #[test]
    fn row_with_data_in_base64_or_a_sequence_of_letters_is_published() {
        for more in [r#","data_base64":"eyJhIjoxfQ==""#, r#","sequence":"a-0001""#, r#","priority":"p1""#] {
            assert!(row("shop", "t", more).read.is_ok(), "{more}");
        }
    }

    fn untimed(time: &str, appended_at: Option<Timestamp>) -> Pending {
        let text = format!(r#"{{"specversion":"1.0","id":"1","source":"shop","type":"t"{time}}}"#);
        let place = Place::of(&Event::received(&text, Timestamp::UNIX_EPOCH).unwrap());
        let mut pending = Pending::plain(place, text);
        pending.appended_at = appended_at;
        pending
    }
}
